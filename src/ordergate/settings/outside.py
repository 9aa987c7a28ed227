"""What is outside: exchanges, news, a terminal. Only what stands here is ever asked."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from ordergate.settings.section import Section, outside


class Ccxt(Section):
    """Live public prices of a crypto exchange; no key, no account."""

    exchange: str = Field(
        default="kraken", pattern="^[a-z0-9_]{2,32}$", description="in ccxt's spelling"
    )
    symbols: tuple[str, ...] = Field(
        default=(
            *("BTC/USD", "ETH/USD", "SOL/USD", "XRP/USD", "BTC/USDT", "ETH/USDT"),
            "USDT/USD",
        ),
        min_length=1,
        max_length=50,
        description="spot markets; those the exchange has are taken",
    )
    poll_s: Decimal = Field(default=Decimal(1), ge=Decimal("0.1"), le=60, description="a question")
    url: str | None = Field(
        default=None,
        description="of the exchange's API, in the place of ccxt's own",
        examples=["https://api.kraken.example"],
    )

    @field_validator("symbols")
    @classmethod
    def _spot(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch("[A-Z0-9]{1,15}/[A-Z0-9]{1,15}", name) for name in symbols):
            raise ValueError("symbols are written as BTC/USD")
        if len({name.replace("/", "") for name in symbols}) != len(symbols):
            raise ValueError("two of the symbols would have one name")
        return symbols

    @field_validator("url")
    @classmethod
    def _tls(cls, url: str | None) -> str | None:
        return None if url is None else outside(url)


class News(Section):
    """Where news and economic releases are read; keys are secrets and come from .env alone."""

    tavily_key: SecretStr | None = Field(default=None, min_length=8)
    tavily_url: str = Field(default="https://api.tavily.com", description="of Tavily's API")
    newsapi_key: SecretStr | None = Field(default=None, min_length=8)
    newsapi_url: str = Field(
        default="https://newsapi.org", description="of a service that speaks NewsAPI's dialect"
    )
    rss: tuple[str, ...] = Field(
        default=(),
        max_length=10,
        description="addresses of RSS or Atom feeds",
        examples=[["https://news.example/markets.rss"]],
    )
    calendar_path: Path | None = Field(
        default=None,
        description="absolute; economic releases as CSV or JSON",
        examples=["/srv/releases.csv"],
    )
    calendar_url: str | None = Field(
        default=None, description="the same from an address", examples=["https://cal.example/week"]
    )
    window_before_s: int = Field(
        default=900, ge=0, le=86_400, description="before a release of high impact"
    )
    window_after_s: int = Field(default=900, ge=0, le=86_400, description="and after it")
    allow_loopback: bool = Field(default=False, description="a source on this machine")

    @field_validator("tavily_url", "newsapi_url", "calendar_url", "rss")
    @classmethod
    def _outside(cls, value: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        for url in (value,) if isinstance(value, str) else value or ():
            outside(url)
        return value

    @field_validator("calendar_path")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        path = None if path is None else path.expanduser()
        if path is not None and not path.is_absolute():
            raise ValueError("only an absolute path: nothing is read from the working directory")
        return path


class Mt5(Section):
    """A MetaTrader 5 account as the venue, in the place of the paper venue."""

    terminal: Literal["off", "local", "simulated"] = Field(
        default="off",
        description="local: the terminal on this Windows machine; simulated: a rehearsal",
    )
    symbols: tuple[str, ...] = Field(
        default=("EURUSD", "GBPUSD", "USDJPY", "XAUUSD"),
        min_length=1,
        max_length=64,
        description="as the broker writes them; put into Market Watch",
    )
    login: int | None = Field(
        default=None,
        ge=1,
        lt=2**63,
        description="account; none = as the terminal is signed in",
        examples=[12345678],
    )
    password: SecretStr | None = Field(default=None, description="of that account")
    server: str | None = Field(
        default=None, max_length=128, description="of that account", examples=["Broker-Demo"]
    )
    path: Path | None = Field(
        default=None,
        description="absolute; of terminal64.exe, where there are several",
        examples=["C:/Program Files/MetaTrader 5/terminal64.exe"],
    )
    broker_utc_offset_minutes: int | None = Field(
        default=None,
        ge=-840,
        le=840,
        description="the broker's clock ahead of UTC; none = measured",
        examples=[120],
    )
    deviation_points: int = Field(
        default=10, ge=0, le=10_000, description="a market order's price may move by so much"
    )
    simulated_account: Literal["demo", "real"] = Field(
        default="demo", description="what the simulated terminal says its account is"
    )

    @field_validator("symbols")
    @classmethod
    def _names(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch(r"[A-Za-z0-9._#+-]{1,31}", name) for name in symbols):
            raise ValueError("names of symbols as the broker writes them")
        return symbols
