"""What a strategy says of its bars, laid out as what the bar loop is to want."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy

from ordergate.market.features.frame import Frame
from ordergate.market.signals.ensemble import ENSEMBLE, ensemble
from ordergate.market.signals.proposal import Speaks
from ordergate.market.signals.strategies import Signals, custom, strategy
from ordergate.research.backtest import terms, ticks
from ordergate.research.backtest.laying import Laid
from ordergate.research.backtest.spec import BadSpec, StrategyRef, Style
from ordergate.sim import layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[numpy.int64]

CUSTOM: Final = "custom"
COLUMNS: Final = (
    layout.W_STOP,
    layout.W_TARGET,
    layout.W_KIND,
    layout.W_PRICE,
    layout.W_UNTIL,
)


@dataclass(frozen=True, slots=True, eq=False)
class Word:
    """What is wanted at each event's close, and on which terms, by the columns of `sim.layout`.

    A column of one number holds for every event; one that is not named is 0.
    """

    want: NDArray[numpy.int8]
    columns: Mapping[int, Ints] = field(default_factory=dict)


def speaker_of(ref: StrategyRef) -> Speaks:
    """Return the strategy that is meant; raise BadStrategy, RuleError or BadSpec."""
    if ref.program is not None:
        raise BadSpec("a program says its signals in a process of its own", fix="Ask for them.")
    if ref.name == ENSEMBLE:
        return ensemble(ref.votes or None)
    if ref.name == CUSTOM or ref.long_when is not None or ref.short_when is not None:
        given = dict(ref.parameters)
        made = custom(
            long=ref.long_when,
            short=ref.short_when,
            stop_atr=given.pop("stop_atr", 1.5),
            reward=given.pop("reward", 2.0),
        )
        if given:
            raise BadSpec(
                f"own rules take no parameter {sorted(given)[0]!r}", fix="stop_atr and reward."
            )
        return made
    return strategy(ref.name, ref.parameters)


def word_of(laid: Laid) -> Word:
    """Return the spec's strategy on every symbol's bars, an event a row."""
    speaker = speaker_of(laid.spec.strategy)
    said = [speaker.on(Frame(replace(tape.series, ask=None))) for tape in laid.tapes]
    return laid_out(laid, said)


def laid_out(laid: Laid, said: list[Signals]) -> Word:
    """Return signals, one of each symbol, as the loop's columns (market entries)."""
    count, held = len(laid), laid.spec.strategy.style is Style.TARGET
    want = numpy.zeros(count, dtype=numpy.int8)
    stop = numpy.zeros(1 if held else count, dtype=numpy.int64)
    target = numpy.zeros(1 if held else count, dtype=numpy.int64)
    for events, tape, signals in zip(laid.rows, laid.tapes, said, strict=True):
        way = numpy.nan_to_num(signals.direction).astype(numpy.int8)
        if held:
            way = numpy.where(way == 0, numpy.int8(layout.FLAT), way)
        else:
            tick = tape.instrument.tick_size
            stop[events] = ticks.nearest_ticks(signals.stop, tick)
            target[events] = ticks.nearest_ticks(signals.target, tick)
        want[events] = way
    return Word(want, {layout.W_STOP: stop, layout.W_TARGET: target})


def tables_of(laid: Laid, word: Word) -> tuple[Ints, Ints]:
    """Return a strategy's columns as one table, and the terms that say where each begins."""
    none = numpy.zeros(1, dtype=numpy.int64)
    made = laid.terms.copy()
    columns = {name: word.columns.get(name, none) for name in COLUMNS}
    return terms.joined(columns, made), made
