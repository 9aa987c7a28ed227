"""The market as the venue sees it: specifications, prices and rates in the venue's integers."""

from __future__ import annotations

from typing import Final, NamedTuple

from ordergate.adapters.venues.paper import mapping
from ordergate.adapters.venues.paper.book import PositionRow
from ordergate.adapters.venues.paper.mapping import Spec
from ordergate.adapters.venues.paper.terms import PaperTerms
from ordergate.model import hours
from ordergate.model.instruments import Instrument
from ordergate.model.market import DEALT_ON, PriceBasis, Quote, SessionState, Slice
from ordergate.model.values import Symbol
from ordergate.ports.market_facts import MarketFacts
from ordergate.sim import fills

STOP_OUT_SCALE: Final = 10_000


class Touch(NamedTuple):
    """The best bid and ask in ticks."""

    bid: int
    ask: int
    basis: int

    def pays(self, side: int) -> int:
        """Return the price an order of `side` trades at."""
        return self.ask if side > 0 else self.bid


class Stretch(NamedTuple):
    """A slice of market in ticks and microseconds."""

    symbol: str
    start: int
    end: int
    bid: tuple[int, int, int, int]
    ask: tuple[int, int, int, int]
    basis: int

    def bar(self, side: int, since: int) -> tuple[int, int, int, int] | None:
        """Return what an order of `side` placed at `since` may trade on: None = nothing of it."""
        if self.end < since:
            return None
        bar = fills.executable(side, self.bid, self.ask)
        return fills.only_close(bar) if self.start < since else bar


class Floor:
    """Facts of the market and terms of the account, as integers."""

    def __init__(
        self, markets: MarketFacts, terms: PaperTerms, stored: dict[str, Instrument]
    ) -> None:
        self.markets = markets
        self.terms = terms
        self.grid = 10 ** (len(str(mapping.MONEY_SCALE)) - 1 - terms.money_digits)
        self.stop_out_level = int(terms.stop_out_fraction * STOP_OUT_SCALE)
        self._stored = stored
        self._specs: dict[str, Spec] = {}
        self._rates: dict[str, int] = {}
        self._touches: dict[str, tuple[Quote, Touch]] = {}

    def now(self) -> int:
        return mapping.micros(self.markets.venue_now())

    def spec(self, symbol: str) -> Spec | None:
        """Return a symbol's terms: the market's, else those the books were kept in."""
        spec = self._specs.get(symbol)
        if spec is None:
            instrument = self.markets.instrument(Symbol(symbol)) or self._stored.get(symbol)
            if instrument is None:
                return None
            spec = self._specs[symbol] = mapping.spec_of(instrument)
        return spec

    def known(self, symbol: str) -> Spec:
        """Return the terms of a symbol that is in the books."""
        spec = self.spec(symbol)
        if spec is None:
            raise KeyError(symbol)
        return spec

    def touch(self, symbol: str) -> Touch | None:
        """Return the newest prices, whatever their age; None = never quoted."""
        quote = self.markets.quote(Symbol(symbol))
        if quote is None:
            return None
        cached = self._touches.get(symbol)
        if cached is not None and cached[0] is quote:
            return cached[1]
        spec = self.known(symbol)
        touch = Touch(spec.bid_ticks(quote.bid), spec.ask_ticks(quote.ask), _basis(quote.basis))
        self._touches[symbol] = (quote, touch)
        return touch

    def is_open(self, symbol: str) -> bool:
        """Say whether orders meet prices now; where no table of hours says, the prices do."""
        return self.markets.session(Symbol(symbol)).state is not SessionState.CLOSED

    def was_open(self, slice_: Slice) -> bool:
        """Say whether a slice was traded on; a bar that ends with the session was."""
        if slice_.is_tick or self.is_open(slice_.symbol):
            return self.is_open(slice_.symbol)
        calendar = self.known(slice_.symbol).instrument.calendar
        window = hours.session_window(calendar, slice_.start)
        return window is not None and window.closes == slice_.end

    def is_priced(self, symbol: str) -> bool:
        return self.markets.quality(Symbol(symbol)).verdict in DEALT_ON

    def tradable(self, symbol: str) -> Touch | None:
        """Return prices an order may be executed at now; None = it cannot be."""
        if not (self.is_open(symbol) and self.is_priced(symbol)):
            return None
        return self.touch(symbol)

    def stretch(self, slice_: Slice) -> Stretch | None:
        """Return a slice in ticks; None when it is crossed or not positive: nothing fills on it."""
        spec = self.known(slice_.symbol)
        bid = (
            spec.bid_ticks(slice_.bid_open),
            spec.bid_ticks(slice_.bid_high),
            spec.bid_ticks(slice_.bid_low),
            spec.bid_ticks(slice_.bid_close),
        )
        ask = (
            spec.ask_ticks(slice_.ask_open),
            spec.ask_ticks(slice_.ask_high),
            spec.ask_ticks(slice_.ask_low),
            spec.ask_ticks(slice_.ask_close),
        )
        if min(bid) <= 0 or bid[0] > ask[0] or bid[3] > ask[3]:
            return None
        start, end = mapping.micros(slice_.start), mapping.micros(slice_.end)
        return Stretch(slice_.symbol, start, end, bid, ask, _basis(slice_.basis))

    def rate(self, currency: str) -> int | None:
        """Return the conversion into the account currency: the market's, else the last known."""
        value = self.markets.rate(currency, self.terms.currency)
        if value is not None and value > 0:
            self._rates[currency] = mapping.rate(value)
        return self._rates.get(currency)

    def position_rate(self, position: PositionRow) -> int:
        """Return the conversion of a position's profit; what it was opened at as a last resort."""
        rate = self.rate(self.known(position.symbol).instrument.quote_currency)
        return position.rate if rate is None else rate

    def mark(self, position: PositionRow) -> int:
        """Return the price a position would close at: longs on the bid, shorts on the ask."""
        touch = self.touch(position.symbol)
        return position.mark if touch is None else touch.pays(-position.side)

    def fill_cap(self, spec: Spec) -> int:
        """Return the most steps one order fills per slice; 0 = no cap."""
        cap = self.terms.fill_cap
        return 0 if cap is None else max(1, int(cap / spec.instrument.lot_step))

    def stops_level(self, spec: Spec) -> int:
        return spec.instrument.stops_level_ticks

    def commission_per_step(self, spec: Spec) -> int:
        return spec.commission_per_step if self.terms.commission else 0


def _basis(basis: PriceBasis) -> int:
    return fills.ON_TRADES if basis is PriceBasis.TRADE else fills.ON_BID_ASK
