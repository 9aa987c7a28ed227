"""A market whose prices, clock and sessions a test sets by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from ordergate.model.instruments import AssetClass, CalendarName, Instrument, PositionMode
from ordergate.model.market import (
    PriceBasis,
    Quality,
    Quote,
    QuoteQuality,
    Session,
    SessionState,
    Slice,
    tick,
)
from ordergate.model.values import Symbol

WEDNESDAY = datetime(2026, 1, 7, 14, 0, tzinfo=UTC)


def fx(symbol: str, *, tick_size: str = "0.00001", **more: object) -> Instrument:
    """Return a usual FX pair: 100,000 units a lot, 1:30, hedging."""
    terms: dict[str, object] = {
        "symbol": Symbol(symbol),
        "description": symbol,
        "asset_class": AssetClass.FX,
        "base": symbol[:3],
        "quote_currency": symbol[3:],
        "contract_size": Decimal(100_000),
        "tick_size": Decimal(tick_size),
        "lot_step": Decimal("0.01"),
        "lot_min": Decimal("0.01"),
        "lot_max": Decimal(100),
        "calendar": CalendarName.FX,
        "position_mode": PositionMode.HEDGING,
        "leverage": 30,
        "swap_long_ticks": Decimal("-6.5"),
        "swap_short_ticks": Decimal("2.1"),
    }
    return Instrument(**{**terms, **more})  # type: ignore[arg-type]  # a test's table of terms


def metal(symbol: str, *, contract_size: int, tick_size: str) -> Instrument:
    return fx(
        symbol,
        tick_size=tick_size,
        asset_class=AssetClass.METAL,
        contract_size=Decimal(contract_size),
        calendar=CalendarName.METAL,
        leverage=20,
        swap_long_ticks=Decimal(-40),
        swap_short_ticks=Decimal(20),
    )


def share(symbol: str) -> Instrument:
    return fx(
        symbol,
        tick_size="0.01",
        asset_class=AssetClass.EQUITY,
        base=symbol,
        quote_currency="USD",
        contract_size=Decimal(1),
        lot_step=Decimal(1),
        lot_min=Decimal(1),
        lot_max=Decimal(10_000),
        calendar=CalendarName.XNYS,
        position_mode=PositionMode.NETTING,
        leverage=5,
        swap_long_ticks=Decimal(0),
        swap_short_ticks=Decimal(0),
    )


def coin(symbol: str) -> Instrument:
    return fx(
        symbol,
        tick_size="0.01",
        asset_class=AssetClass.CRYPTO,
        contract_size=Decimal(1),
        lot_step=Decimal("0.0001"),
        lot_min=Decimal("0.0001"),
        lot_max=Decimal(100),
        calendar=CalendarName.ALWAYS,
        position_mode=PositionMode.NETTING,
        leverage=2,
        swap_long_ticks=Decimal(0),
        swap_short_ticks=Decimal(0),
    )


STANDARD = (
    fx("EURUSD"),
    fx("GBPUSD"),
    fx("AUDUSD"),
    fx("USDCHF"),
    fx("USDJPY", tick_size="0.001"),
    fx("EURJPY", tick_size="0.001"),
    metal("XAUUSD", contract_size=100, tick_size="0.01"),
    metal("XAGUSD", contract_size=5000, tick_size="0.001"),
    share("AAPL"),
    share("MSFT"),
    coin("BTCUSD"),
    coin("ETHUSD"),
)


class ManualMarket:
    """Implements ports.market_facts.MarketFacts; every change is one method call.

    Everything is open, nothing is stale, until a test says otherwise.
    """

    def __init__(
        self, *, now: datetime = WEDNESDAY, instruments: Iterable[Instrument] = STANDARD
    ) -> None:
        self._now = now
        self._instruments = {instrument.symbol: instrument for instrument in instruments}
        self._quotes: dict[str, Quote] = {}
        self._verdicts: dict[str, Quality] = {}
        self._sessions: dict[str, Session] = {}
        self._listeners: list[Callable[[Slice], None]] = []

    def set(
        self,
        symbol: str,
        bid: str | Decimal,
        ask: str | Decimal,
        at: datetime | None = None,
        *,
        basis: PriceBasis = PriceBasis.BID_ASK,
    ) -> Slice:
        """Quote a symbol, at `at` or now; tell the listeners; return the tick."""
        self._now = at or self._now
        return self.feed(tick(Symbol(symbol), self._now, Decimal(bid), Decimal(ask)), basis=basis)

    def feed(self, slice_: Slice, *, basis: PriceBasis | None = None) -> Slice:
        """Take a slice as the feed's next: its end is now, its close the quote."""
        self._now = max(self._now, slice_.end)
        self._quotes[slice_.symbol] = Quote(
            slice_.symbol,
            slice_.bid_close,
            slice_.ask_close,
            slice_.end,
            self.source,
            self.synthetic,
            basis or slice_.basis,
        )
        for listener in self._listeners:
            listener(slice_)
        return slice_

    def listen(self, callback: Callable[[Slice], None]) -> None:
        self._listeners.append(callback)

    def deaf(self) -> None:
        """Forget the listeners: the venue they belong to has ended."""
        self._listeners.clear()

    def advance(self, **amount: float) -> datetime:
        """Move the venue's clock on, e.g. advance(hours=3); prices stay as they are."""
        self._now += timedelta(**amount)
        return self._now

    def forget(self, symbol: str) -> None:
        """Take the quote away."""
        self._quotes.pop(symbol, None)

    def judge(self, symbol: str, verdict: Quality | None) -> None:
        """Fix a quote's verdict; None gives it back to the market."""
        if verdict is None:
            self._verdicts.pop(symbol, None)
        else:
            self._verdicts[symbol] = verdict

    def close_session(self, symbol: str, reason: str = "closed", *, unknown: bool = False) -> None:
        state = SessionState.UNKNOWN if unknown else SessionState.CLOSED
        self._sessions[symbol] = Session(state, reason, None)

    def open_session(self, symbol: str) -> None:
        self._sessions.pop(symbol, None)

    @property
    def source(self) -> str:
        return "manual"

    @property
    def synthetic(self) -> bool:
        return True

    def venue_now(self) -> datetime:
        return self._now

    def instruments(self) -> tuple[Instrument, ...]:
        return tuple(self._instruments.values())

    def instrument(self, symbol: Symbol) -> Instrument | None:
        return self._instruments.get(symbol)

    def quote(self, symbol: Symbol) -> Quote | None:
        return self._quotes.get(symbol)

    def trouble(self) -> None:
        return None

    def quality(self, symbol: Symbol) -> QuoteQuality:
        quote = self._quotes.get(symbol)
        if quote is None:
            return QuoteQuality(Quality.MISSING, None)
        age = Decimal(str((self._now - quote.time).total_seconds()))
        verdict = self._verdicts.get(symbol)
        if verdict is None:
            verdict = Quality.CROSSED if quote.bid > quote.ask else Quality.OK
        return QuoteQuality(verdict, age)

    def session(self, symbol: Symbol) -> Session:
        return self._sessions.get(symbol, Session(SessionState.OPEN, "open", None))

    def rate(self, base: str, quote: str) -> Decimal | None:
        direct = self._pair(base, quote)
        if direct is not None or "USD" in (base, quote):
            return direct
        to_usd, from_usd = self._pair(base, "USD"), self._pair("USD", quote)
        return None if to_usd is None or from_usd is None else to_usd * from_usd

    def _pair(self, base: str, quote: str) -> Decimal | None:
        if base == quote:
            return Decimal(1)
        direct = self._quotes.get(base + quote)
        if direct is not None:
            return direct.mid
        inverse = self._quotes.get(quote + base)
        return None if inverse is None else 1 / inverse.mid
