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
    Flags = NDArray[numpy.int8]

LEVEL_SCALE: Final = 10_000
NEVER: Final = 2**30  # an event that does not come
_SIZE_CODES: Final = {
    SizeBy.LOTS: layout.BY_LOTS,
    SizeBy.RISK: layout.BY_RISK,
    SizeBy.NOTIONAL: layout.BY_NOTIONAL,
}


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """A spec and its market as columns; what runs with other signals can share."""

    spec: BacktestSpec
    tapes: tuple[Bars, ...]
    tape: layout.Tape
    finer: layout.Finer
    rolls: layout.Rolls
    terms: layout.Terms
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
    rate, rate_step = _rates(spec, market, tapes, ends)
    highest = [int(sides[5][events].max()) for events in rows]
    narrow = numpy.int32 if all(side.max() < 2**31 for side in sides) else numpy.int64
    due, due_step = _due(spec, rows, starts, ends)
    opened, open_step = _open_after(spec, tapes, owner, ends)
    dealt, dealt_step = _dealt(tapes, owner, starts, order)
    cap, cap_step = _caps(spec, tapes, order)
    columns = [numpy.ascontiguousarray(side.astype(narrow)) for side in sides]
    events = layout.Tape(
        bid_open=columns[0],
        bid_high=columns[1],
        bid_low=columns[2],
        bid_close=columns[3],
        ask_open=columns[4],
        ask_high=columns[5],
        ask_low=columns[6],
        ask_close=columns[7],
        symbol=owner if len(tapes) > 1 else numpy.zeros(1, dtype=numpy.int64),
        symbol_step=int(len(tapes) > 1),
        due=due,
        due_step=due_step,
        dealt=dealt,
        dealt_step=dealt_step,
        open_after=opened,
        open_step=open_step,
        slip=slips,
        slip_step=int(len(slips) > 1),
        cap=cap,
        cap_step=cap_step,
        rate=rate,
        rate_step=rate_step,
    )
    laid = Laid(
        spec=spec,
        tapes=tapes,
        tape=events,
        finer=_finer(spec, tapes, starts, ends),
        rolls=terms.rolls_of(spec, tapes, starts, ends),
        terms=terms.terms_of(spec, tapes, rated=rate_step),
        ends=ends,
        starts=starts,
        rows=rows,
        data_sha256=_digest(tapes),
    )
    terms.check_widths(spec, tapes, laid.terms, highest)
    return laid


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


def _rates(
    spec: BacktestSpec, market: MarketData, tapes: tuple[Bars, ...], ends: Ints
) -> tuple[Ints, int]:
    """Return the conversion of each symbol at each event: the last close known by its end."""
    currencies = [tape.instrument.quote_currency for tape in tapes]
    if all(currency == spec.account.currency for currency in currencies):
        return numpy.full(len(tapes), RATE_SCALE, dtype=numpy.int64), 0
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
        length = nanoseconds(moment(0) + series.timeframe.length)
        place = numpy.searchsorted(series.time + length, ends, side="right") - 1
        if len(place) and place[0] < 0:
            raise ticks.BadTape(
                f"the conversion of {currency} begins after the first bar",
                fix="Choose a later begin, or import older bars of the conversion.",
            )
        made.append(numpy.rint(series.close[place] * RATE_SCALE).astype(numpy.int64))
    return numpy.concatenate(made), 1


def _due(spec: BacktestSpec, rows: tuple[Ints, ...], starts: Ints, ends: Ints) -> tuple[Ints, int]:
    """Return the event at whose open an order decided at each event fills (rule 1)."""
    stale = spec.filling.stale_bars
    if len(rows) == 1 and spec.delay_ms == 0 and stale is None:
        return numpy.array([1 + spec.delay_bars], dtype=numpy.int64), 0
    due = numpy.full(len(starts), NEVER, dtype=numpy.int64)
    length = nanoseconds(moment(0) + spec.timeframe.length)
    for events in rows:
        ready = ends[events] + spec.delay_ms * 1_000_000
        place = numpy.searchsorted(starts[events], ready, side="left") + spec.delay_bars
        comes = place < len(events)
        found = events[numpy.minimum(place, len(events) - 1)]
        wanted = numpy.where(comes, found, NEVER)
        if stale is not None:
            late = starts[found] - ready > (stale + spec.delay_bars) * length
            wanted = numpy.where(comes & late, -1, wanted)
        due[events] = wanted
    return due, 1


def _open_after(
    spec: BacktestSpec, tapes: tuple[Bars, ...], owner: Ints, ends: Ints
) -> tuple[Flags, int]:
    if spec.filling.when_closed is WhenClosed.WAIT:
        return numpy.ones(1, dtype=numpy.int8), 0
    return _is_open(tapes, owner, ends)


def _dealt(tapes: tuple[Bars, ...], owner: Ints, starts: Ints, order: Ints) -> tuple[Flags, int]:
    """Say which bars fill: the market is open, and the bar is no repeated price without trades."""
    opened, _ = _is_open(tapes, owner, starts)
    still = [(tape.series.volume == 0) & (tape.series.high == tape.series.low) for tape in tapes]
    dealt = opened & ~numpy.concatenate(still)[order]
    if dealt.all():
        return numpy.ones(1, dtype=numpy.int8), 0
    return dealt.astype(numpy.int8), 1


def _is_open(tapes: tuple[Bars, ...], owner: Ints, at: Ints) -> tuple[Flags, int]:
    made = numpy.ones(len(at), dtype=numpy.int8)
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
        inside = (place >= 0) & (at[mine] < closes[numpy.maximum(place, 0)])
        made[mine] = inside
    return made, 1


def _caps(spec: BacktestSpec, tapes: tuple[Bars, ...], order: Ints) -> tuple[Ints, int]:
    share = spec.filling.fill_share
    if share is None:
        return numpy.full(1, -1, dtype=numpy.int64), 0
    made = []
    for tape in tapes:
        if not numpy.isfinite(tape.series.volume).all():
            raise BadSpec(
                f"{tape.series.source} has no volume to take a share of",
                fix="Leave fill_share away, or use bars with volume.",
            )
        units = float(share / (tape.instrument.contract_size * tape.instrument.lot_step))
        made.append(numpy.floor(tape.series.volume * units + ticks.NEAR).astype(numpy.int64))
    return numpy.concatenate(made)[order], 1


def _finer(spec: BacktestSpec, tapes: tuple[Bars, ...], starts: Ints, ends: Ints) -> layout.Finer:
    """Lay out the lower timeframe of a single symbol; with several there is none."""
    none = numpy.zeros(1, dtype=numpy.int64)
    tape = tapes[0]
    if len(tapes) > 1 or tape.finer is None or len(tape.finer) < 2:
        return layout.Finer(none, none, none, none, none, none, none, none, none)
    ticks.check_bars(tape.finer)
    sides = ticks.sides_of(tape.finer, tape.instrument.tick_size, spec.costs)
    edges = numpy.concatenate([starts, ends[-1:]])
    begin = numpy.searchsorted(tape.finer.time, edges).astype(numpy.int64)
    first, second = sides[:4], sides[4:]
    bid_open, bid_high, bid_low, bid_close = first
    ask_open, ask_high, ask_low, ask_close = second
    return layout.Finer(
        bid_open, bid_high, bid_low, bid_close, ask_open, ask_high, ask_low, ask_close, begin
    )


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
