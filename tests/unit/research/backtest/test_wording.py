from __future__ import annotations

import numpy
import pytest

from ordergate.market.signals.strategies import BadStrategy, Signals
from ordergate.research.backtest.spec import BadSpec, StrategyRef, Style
from ordergate.research.backtest.wording import laid_out, speaker_of
from ordergate.sim import layout
from support.backtests import bars, laid_on, spec

CALM = (0, 5, -5, 0)


def test_a_strategy_is_built_in_an_ensemble_or_rules() -> None:
    assert speaker_of(StrategyRef(name="ma_crossover", parameters={"fast": 5})).name
    assert speaker_of(StrategyRef(name="ensemble", votes={"rsi_reversal": 1.0})).name == "ensemble"
    rules = StrategyRef(name="custom", long_when="rsi(14) < 30", parameters={"reward": 3})
    assert speaker_of(rules).name == "custom"


@pytest.mark.parametrize(
    "ref",
    [
        StrategyRef(name="no_such"),
        StrategyRef(name="ma_crossover", parameters={"fats": 5}),
        StrategyRef(name="ma_crossover", parameters={"fast": 100_000}),
        StrategyRef(name="custom"),
    ],
)
def test_impossible_strategies_are_refused(ref: StrategyRef) -> None:
    with pytest.raises(BadStrategy):
        speaker_of(ref)


def test_own_rules_take_two_parameters() -> None:
    with pytest.raises(BadSpec, match="fast"):
        speaker_of(StrategyRef(name="custom", long_when="close > 1", parameters={"fast": 1}))


def test_signals_become_wishes_with_stops_in_ticks() -> None:
    none = numpy.nan
    said = Signals(
        direction=numpy.array([0.0, 1.0, -1.0]),
        entry=numpy.array([none, 1.0, 1.0]),
        stop=numpy.array([none, 0.999904, 1.0001]),
        target=numpy.array([none, 1.0003, 0.9998]),
        confidence=numpy.array([none, 0.5, 0.5]),
    )
    made = laid_out(laid_on(spec(), bars([CALM] * 3)), [said])
    assert made.want.tolist() == [layout.HOLD, layout.LONG, layout.SHORT]
    assert made.columns[layout.W_STOP].tolist() == [0, 99_990, 100_010]
    assert made.columns[layout.W_TARGET].tolist() == [0, 100_030, 99_980]
    held = spec(strategy=StrategyRef(name="rule_baseline", style=Style.TARGET))
    made = laid_out(laid_on(held, bars([CALM] * 3)), [said])
    assert made.want.tolist() == [layout.FLAT, layout.LONG, layout.SHORT]
