"""Quotes, quality, sessions and conversion, for the judge, the exits and the paper venue.

All answers come from memory and are about the venue's clock. What is not known is None or an
`unknown` verdict; nothing is made up.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Protocol

from ordergate.model.instruments import Instrument
from ordergate.model.market import Quote, QuoteQuality, Session
from ordergate.model.values import Symbol


class MarketFacts(Protocol):
    @property
    def source(self) -> str:
        """Name the feed: "simulated", "replay:<file>", "ccxt:<exchange>"."""
        ...

    @property
    def synthetic(self) -> bool: ...

    def venue_now(self) -> datetime:
        """Return the venue's clock: the simulated market's or the replay's; aware, UTC."""
        ...

    def instruments(self) -> tuple[Instrument, ...]: ...

    def instrument(self, symbol: Symbol) -> Instrument | None: ...

    def quote(self, symbol: Symbol) -> Quote | None: ...

    def quality(self, symbol: Symbol) -> QuoteQuality:
        """Say what the newest quote is worth. A quiet symbol is not stale while the link lives."""
        ...

    def session(self, symbol: Symbol) -> Session: ...

    def rate(self, base: str, quote: str) -> Decimal | None:
        """Return how much of `quote` one unit of `base` buys (mid), direct, inverted or by USD.

        1 for equal currencies; USDT and USDC are not USD. None = no pair with a usable quote.
        """
        ...
