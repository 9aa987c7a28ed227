"""A request and its market laid out for the bar loop: events, due bars, rollovers, terms."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy

from ordergate.market.features.sessions import moment, nanoseconds
from ordergate.model import hours
from ordergate.model.canonical import canonical
from ordergate.model.instruments import CalendarName
from ordergate.model.series import Prices, Series
from ordergate.research.backtest import terms, ticks
from ordergate.research.backtest.spec import (
    BacktestSpec,
    BadSpec,
    SizeBy,
    WhenClosed,
    checked,
)
from ordergate.research.backtest.tapes import MarketData
from ordergate.research.backtest.tapes import Tape as Bars
from ordergate.sim import layout
from ordergate.sim.costs import RATE_SCALE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[numpy.int64]
    Narrow = NDArray[numpy.int32]

LEVEL_SCALE: Final = 10_000
_SIZE_CODES: Final = {
    SizeBy.LOTS: layout.BY_LOTS,
    SizeBy.RISK: layout.BY_RISK,
    SizeBy.NOTIONAL: layout.BY_NOTIONAL,
}


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """A spec and its market as the tables of `sim.layout.Run`; runs of other signals share it."""

    spec: BacktestSpec
    tapes: tuple[Bars, ...]
    bid: Narrow
    ask: Narrow
    extra: Ints
    finer: Narrow
    rolls: Ints
    terms: Ints
    ends: Ints  # close of each event, nanoseconds
    starts: Ints
    rows: tuple[Ints, ...]  # the events of each symbol
    data_sha256: str

    def __len__(self) -> int:
        return len(self.ends)


def lay(spec: BacktestSpec, market: MarketData) -> Laid:
    """Lay out a request; raise BadSpec or BadTape before any work where it cannot run."""
    checked(spec)
    tapes = tuple(_sliced(spec, symbol, market) for symbol in spec.symbols)
    for tape in tapes:
        ticks.check_bars(tape.series)
    length = nanoseconds(moment(0) + spec.timeframe.length)
    starts = numpy.concatenate([tape.series.time for tape in tapes])
    owner = numpy.repeat(numpy.arange(len(tapes)), [len(tape.series) for tape in tapes])
    order = numpy.lexsort((owner, starts)) if len(tapes) > 1 else numpy.arange(len(starts))
    starts, owner = starts[order], owner[order]
    rows = tuple(numpy.flatnonzero(owner == number) for number in range(len(tapes)))
    ends = starts + length
    sides, slips = _columns(spec, tapes, order)
    highest = [int(sides[5][events].max()) for events in rows]
    if max(highest) >= 2**31:
        raise BadSpec("a price has too many ticks to count", fix="Use a coarser tick size.")
    finer, begin = _finer(spec, tapes, starts, ends)
    rate = _rates(spec, market, tapes, ends)
    columns = {
        layout.SLIP: slips,
        layout.CAP: _caps(spec, tapes, order),
        layout.DEALT: _dealt(tapes, owner, starts, order),
        layout.OPEN_AFTER: _open_after(spec, tapes, owner, ends),
        layout.SYMBOL: owner if len(tapes) > 1 else numpy.zeros(1, dtype=numpy.int64),
        layout.DUE: _due(spec, rows, starts, ends),
        layout.RATE: rate,
        layout.BEGIN: begin,
    }
    made = terms.terms_of(spec, tapes, rated=len(rate) > 1)
    terms.check_widths(spec, tapes, made, highest)
    made[layout.EVENTS] = len(ends)
    made[layout.FINER] = int(len(begin) > 1)
    return Laid(
        spec=spec,
        tapes=tapes,
        bid=terms.interleaved(sides[:4]),
        ask=terms.interleaved(sides[4:]),
        extra=terms.joined(columns, made),
        finer=finer,
        rolls=terms.rolls_of(spec, starts, ends),
        terms=made,
        ends=ends,
        starts=starts,
        rows=rows,
        data_sha256=_digest(tapes),
    )


def _sliced(spec: BacktestSpec, symbol: str, market: MarketData) -> Bars:
    for tape in market.tapes:
        if tape.instrument.symbol == symbol:
            series = _between(tape.series, spec.begin, spec.end)
            finer = None if tape.finer is None else _between(tape.finer, spec.begin, spec.end)
            return Bars(tape.instrument, series, finer)
    raise BadSpec(
        f"there are no bars of {symbol}", fix="`ordergate data list` names every stored series."
    )


def _between(series: Series, begin: datetime | None, end: datetime | None) -> Series:
    """Return the closed bars that start in [begin, end)."""
    times = series.time
    first = 0 if begin is None else int(numpy.searchsorted(times, nanoseconds(begin)))
    last = len(times) if end is None else int(numpy.searchsorted(times, nanoseconds(end)))
    if last == len(times) and not series.complete:
        last -= 1
    part = slice(first, max(first, last))

    def cut(prices: Prices | Series) -> tuple[NDArray[numpy.float64], ...]:
        return prices.open[part], prices.high[part], prices.low[part], prices.close[part]

    opened, high, low, close = cut(series)
    return Series(
        symbol=series.symbol,
        timeframe=series.timeframe,
        time=times[part],
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=series.volume[part],
        complete=True,
        source=series.source,
        ask=None if series.ask is None else Prices(*cut(series.ask)),
    )


def _columns(
    spec: BacktestSpec, tapes: tuple[Bars, ...], order: Ints
) -> tuple[tuple[Ints, ...], Ints]:
    each = [ticks.sides_of(tape.series, tape.instrument.tick_size, spec.costs) for tape in tapes]
    slips = [ticks.slippage_of(sides, spec.costs) for sides in each]
    if len(tapes) == 1:
        return each[0], slips[0]
    joined = tuple(numpy.concatenate(column)[order] for column in zip(*each, strict=True))
    if all(len(slip) == 1 for slip in slips):
        return joined, slips[0]
    return joined, numpy.concatenate(slips)[order]


def _rates(spec: BacktestSpec, market: MarketData, tapes: tuple[Bars, ...], ends: Ints) -> Ints:
    """Return the conversion of each symbol at each event: the last close known by its end.

    One number where every symbol is quoted in the account's currency.
    """
    currencies = [tape.instrument.quote_currency for tape in tapes]
    if all(currency == spec.account.currency for currency in currencies):
        return numpy.full(1, RATE_SCALE, dtype=numpy.int64)
    made: list[Ints] = []
    for currency in currencies:
        if currency == spec.account.currency:
            made.append(numpy.full(len(ends), RATE_SCALE, dtype=numpy.int64))
            continue
        series = market.rates.get(currency)
        if series is None:
            raise BadSpec(
                f"nothing converts {currency} into {spec.account.currency}",
                fix=f"Import bars of {currency}{spec.account.currency}, or change the account.",
            )
        ticks.check_bars(series)
        length = nanoseconds(moment(0) + series.timeframe.length)
        place = numpy.searchsorted(series.time + length, ends, side="right") - 1
        if place[0] < 0:
            raise ticks.BadTape(
                f"the conversion of {currency} begins after the first bar",
                fix="Choose a later begin, or import older bars of the conversion.",
            )
        made.append(numpy.rint(series.close[place] * RATE_SCALE).astype(numpy.int64))
    return numpy.concatenate(made)


def _due(spec: BacktestSpec, rows: tuple[Ints, ...], starts: Ints, ends: Ints) -> Ints:
    """Return the event at whose open an order decided at each event fills (rule 1).

    One number, how many events on, where it is the same for all; -1 = no price came in time.
    """
    stale = spec.filling.stale_bars
    if len(rows) == 1 and spec.delay_ms == 0 and stale is None:
        return numpy.array([1 + spec.delay_bars], dtype=numpy.int64)
    due = numpy.full(len(starts), terms.NEVER, dtype=numpy.int64)
    length = nanoseconds(moment(0) + spec.timeframe.length)
    for events in rows:
        ready = ends[events] + spec.delay_ms * 1_000_000
        place = numpy.searchsorted(starts[events], ready, side="left") + spec.delay_bars
        comes = place < len(events)
        found = events[numpy.minimum(place, len(events) - 1)]
        wanted = numpy.where(comes, found, terms.NEVER)
        if stale is not None:
            late = starts[found] - ready > (stale + spec.delay_bars) * length
            wanted = numpy.where(comes & late, -1, wanted)
        due[events] = wanted
    return due


def _open_after(spec: BacktestSpec, tapes: tuple[Bars, ...], owner: Ints, ends: Ints) -> Ints:
    if spec.filling.when_closed is WhenClosed.WAIT:
        return numpy.ones(1, dtype=numpy.int64)
    return _is_open(tapes, owner, ends)


def _dealt(tapes: tuple[Bars, ...], owner: Ints, starts: Ints, order: Ints) -> Ints:
    """Say which bars fill: the market is open, and the bar is no repeated price without trades."""
    opened = _is_open(tapes, owner, starts)
    still = [(tape.series.volume == 0) & (tape.series.high == tape.series.low) for tape in tapes]
    dealt = (opened == 1) & ~numpy.concatenate(still)[order]
    return numpy.ones(1, dtype=numpy.int64) if dealt.all() else dealt.astype(numpy.int64)


def _is_open(tapes: tuple[Bars, ...], owner: Ints, at: Ints) -> Ints:
    """Say (1 or 0) of each event whether its symbol's market is open at a moment of it."""
    if all(tape.instrument.calendar is CalendarName.ALWAYS for tape in tapes):
        return numpy.ones(1, dtype=numpy.int64)
    made = numpy.ones(len(at), dtype=numpy.int64)
    for number, tape in enumerate(tapes):
        calendar = tape.instrument.calendar
        if calendar is CalendarName.ALWAYS:
            continue
        mine = owner == number
        begin, end = moment(int(at.min())), moment(int(at.max()))
        windows = list(hours.windows_between(calendar, begin, end + timedelta(seconds=1)))
        opens = numpy.array([nanoseconds(window.opens) for window in windows], dtype=numpy.int64)
        closes = numpy.array([nanoseconds(window.closes) for window in windows], dtype=numpy.int64)
        place = numpy.searchsorted(opens, at[mine], side="right") - 1
        made[mine] = (place >= 0) & (at[mine] < closes[numpy.maximum(place, 0)])
    return made


def _caps(spec: BacktestSpec, tapes: tuple[Bars, ...], order: Ints) -> Ints:
    """Return the most steps an order fills on each bar; -1 alone = all of it."""
    share = spec.filling.fill_share
    if share is None:
        return numpy.full(1, -1, dtype=numpy.int64)
    made = []
    for tape in tapes:
        if not numpy.isfinite(tape.series.volume).all():
            raise BadSpec(
                f"{tape.series.source} has no volume to take a share of",
                fix="Leave fill_share away, or use bars with volume.",
            )
        units = float(share / (tape.instrument.contract_size * tape.instrument.lot_step))
        made.append(numpy.floor(tape.series.volume * units + ticks.NEAR).astype(numpy.int64))
    return numpy.concatenate(made)[order]


def _finer(
    spec: BacktestSpec, tapes: tuple[Bars, ...], starts: Ints, ends: Ints
) -> tuple[Narrow, Ints]:
    """Lay out the lower timeframe of a single symbol, and where each event's bars of it begin."""
    tape = tapes[0]
    if len(tapes) > 1 or tape.finer is None or len(tape.finer) < 2:
        return numpy.zeros(1, dtype=numpy.int32), numpy.zeros(1, dtype=numpy.int64)
    ticks.check_bars(tape.finer)
    sides = ticks.sides_of(tape.finer, tape.instrument.tick_size, spec.costs)
    edges = numpy.concatenate([starts, ends[-1:]])
    return terms.interleaved(sides), numpy.searchsorted(tape.finer.time, edges).astype(numpy.int64)


def _digest(tapes: tuple[Bars, ...]) -> str:
    found = hashlib.sha256()
    for tape in tapes:
        found.update(canonical(tape.instrument).encode())
        for series in filter(None, (tape.series, tape.finer)):
            columns = [series.time, series.open, series.high, series.low, series.close]
            if series.ask is not None:
                columns += [series.ask.open, series.ask.high, series.ask.low, series.ask.close]
            for column in (*columns, series.volume):
                found.update(numpy.ascontiguousarray(column).data)
    return found.hexdigest()
