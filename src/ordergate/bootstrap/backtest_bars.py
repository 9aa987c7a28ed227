"""The bars of a backtest out of the store: its symbols, their finer bars, the conversions."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ordergate.adapters.instruments import KNOWN, fitted
from ordergate.adapters.storage.bar_files import BarFiles
from ordergate.model.errors import NotFound
from ordergate.model.holdings import Holding, SeriesKey
from ordergate.model.instruments import Instrument
from ordergate.model.market import Timeframe
from ordergate.model.series import Prices, Series
from ordergate.model.values import Symbol

if TYPE_CHECKING:
    from ordergate.research.backtest.spec import BacktestSpec
    from ordergate.research.backtest.tapes import MarketData, Tape

DIGITS_MAX: Final = 8
LOOKED_AT: Final = 2_000  # bars that tell how many digits the prices have
NEAR: Final = 1e-6  # of a unit of the last digit


def market_of(bars: BarFiles, spec: BacktestSpec) -> MarketData:
    """Read what a spec is tested on; raise NotFound with what there is, StoreDamaged."""
    from ordergate.research.backtest.tapes import MarketData

    tapes = tuple(_tape(bars, spec, symbol) for symbol in spec.symbols)
    account = spec.account.currency
    needed = {tape.instrument.quote_currency for tape in tapes} - {account}
    rates = {currency: _rate(bars, spec, currency) for currency in sorted(needed)}
    return MarketData(tapes, {name: series for name, series in rates.items() if series is not None})


def instrument_of(series: Series) -> Instrument:
    """Return what is known of a symbol, its tick as fine as its prices, or a careful guess."""
    symbol = series.symbol
    known = KNOWN.get(symbol)
    unit = _unit(series)
    if known is not None:
        unit = min(unit, known.tick_size)
    return fitted(symbol, unit)


def _tape(bars: BarFiles, spec: BacktestSpec, symbol: Symbol) -> Tape:
    from ordergate.research.backtest.tapes import Tape

    series = _read(bars, SeriesKey(spec.venue, symbol, spec.timeframe))
    if series is None:
        held = ", ".join(str(holding.key) for holding in bars.holdings()) or "nothing yet"
        raise NotFound(
            f"there are no bars of {symbol} {spec.timeframe} from {spec.venue}",
            fix=f"The store has {held}; `ordergate data import FILE` takes more.",
        )
    return Tape(instrument_of(series), series, _finer(bars, spec, symbol))


def _finer(bars: BarFiles, spec: BacktestSpec, symbol: Symbol) -> Series | None:
    """Return the next lower timeframe of the same venue; None where there is none."""
    lower = [one for one in Timeframe if one.length < spec.timeframe.length]
    for timeframe in sorted(lower, key=lambda one: one.length, reverse=True):
        found = _read(bars, SeriesKey(spec.venue, symbol, timeframe))
        if found is not None:
            return found
    return None


def _rate(bars: BarFiles, spec: BacktestSpec, currency: str) -> Series | None:
    """Return bars of a currency's price in the account's, of its own pair or of the inverse."""
    account = spec.account.currency
    for symbol, inverse in ((currency + account, False), (account + currency, True)):
        held = [one for one in bars.holdings(Symbol(symbol)) if one.key.venue == spec.venue]
        for holding in sorted(held, key=_coarseness, reverse=True):
            if holding.key.timeframe.length <= spec.timeframe.length:
                found = _read(bars, holding.key)
                if found is not None:
                    return _turned(found) if inverse else found
    return None


def _coarseness(holding: Holding) -> float:
    return holding.key.timeframe.length.total_seconds()


def _read(bars: BarFiles, key: SeriesKey) -> Series | None:
    holding = bars.holding(key)
    return None if holding is None else bars.read(key, limit=holding.rows)


def _turned(series: Series) -> Series:
    """Return 1 / price; the highest of one is the lowest of the other."""
    made = Prices(1 / series.open, 1 / series.low, 1 / series.high, 1 / series.close)
    return replace(series, open=made.open, high=made.high, low=made.low, close=made.close, ask=None)


def _unit(series: Series) -> Decimal:
    """Return one of the last digit that the newest prices have."""
    import numpy

    sides = [series.close[-LOOKED_AT:], series.open[-LOOKED_AT:]]
    if series.ask is not None:
        sides.append(series.ask.close[-LOOKED_AT:])
    prices = numpy.concatenate(sides)
    for digits in range(DIGITS_MAX):
        scaled = prices * 10.0**digits
        if (numpy.abs(scaled - numpy.rint(scaled)) < NEAR * numpy.maximum(1.0, scaled)).all():
            return Decimal(1).scaleb(-digits)
    return Decimal(1).scaleb(-DIGITS_MAX)
