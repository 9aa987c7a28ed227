"""Where facts from outside come from: exchanges, news. Only what stands here is ever asked."""

from __future__ import annotations

import re
from decimal import Decimal

from pydantic import Field, field_validator

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
