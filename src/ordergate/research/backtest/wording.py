"""What a strategy says of its bars, laid out as what the bar loop is to want."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy

from ordergate.market.features.frame import Frame
from ordergate.market.signals.ensemble import ENSEMBLE, ensemble
from ordergate.market.signals.proposal import Speaks
from ordergate.market.signals.strategies import Signals, custom, strategy
from ordergate.research.backtest import ticks
from ordergate.research.backtest.laying import Laid
from ordergate.research.backtest.spec import BadSpec, StrategyRef, Style
from ordergate.sim import layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ordergate.model.series import Numbers

CUSTOM = "custom"


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


def word_of(laid: Laid) -> layout.Word:
    """Return the spec's strategy on every symbol's bars, an event a row."""
    speaker = speaker_of(laid.spec.strategy)
    said = [speaker.on(Frame(replace(tape.series, ask=None))) for tape in laid.tapes]
    return laid_out(laid, said)


def laid_out(laid: Laid, said: list[Signals]) -> layout.Word:
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
    return plain_word(want, stop, target)


def plain_word(
    want: NDArray[numpy.int8], stop: NDArray[numpy.int64], target: NDArray[numpy.int64]
) -> layout.Word:
    """Return the columns of market entries."""
    none = numpy.zeros(1, dtype=numpy.int64)
    return layout.Word(
        want=want,
        stop=stop,
        stop_step=int(len(stop) > 1),
        target=target,
        target_step=int(len(target) > 1),
        kind=none,
        kind_step=0,
        price=none,
        price_step=0,
        until=none,
        until_step=0,
    )


def held(direction: Numbers) -> Signals:
    """Return signals without stops: what to hold at each close."""
    none = numpy.full(len(direction), numpy.nan)
    return Signals(direction=direction, entry=none, stop=none, target=none, confidence=none)
