"""Where facts from outside come from: exchanges, news. Only what stands here is ever asked."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

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
