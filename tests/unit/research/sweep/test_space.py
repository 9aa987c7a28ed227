from __future__ import annotations

import pytest

from ordergate.model.market import Timeframe
from ordergate.model.values import Symbol
from ordergate.research.backtest.spec import BacktestSpec, StrategyRef
from ordergate.research.sweep.space import (
    TRIALS_MAX,
    Axis,
    BadSweep,
    axis,
    combinations,
    grid,
    read_axis,
    require_known,
    require_trials,
    sample,
    steps,
    with_parameters,
)


def spec(ref: StrategyRef) -> BacktestSpec:
    return BacktestSpec(symbols=(Symbol("EURUSD"),), timeframe=Timeframe.H1, strategy=ref)


def test_axes_are_read_as_they_are_typed() -> None:
    assert read_axis("fast=5:25:5") == Axis("fast", (5, 10, 15, 20, 25))
    assert read_axis("fast = 5,10, 20") == Axis("fast", (5, 10, 20))
    assert read_axis("move=0.1:0.5:0.1").values == (0.1, 0.2, 0.3, 0.4, 0.5)
    assert steps("one", 3, 3, 1).values == (3,)


@pytest.mark.parametrize(
    "wrong",
    ["fast", "fast=", "fast=a,b", "fast=5:1:1", "fast=1:5:0", "5=1,2", "fast=1,1", "fast=nan"],
)
def test_what_is_no_axis_is_refused_with_an_example(wrong: str) -> None:
    with pytest.raises(BadSweep) as refused:
        read_axis(wrong)
    assert refused.value.fix


def test_a_grid_by_hand_the_last_axis_fastest() -> None:
    assert grid([axis("a", [1, 2]), axis("b", [5, 6])]) == (
        {"a": 1, "b": 5},
        {"a": 1, "b": 6},
        {"a": 2, "b": 5},
        {"a": 2, "b": 6},
    )


def test_a_thousand_million_combinations_are_refused_before_any_is_made() -> None:
    axes = [steps(name, 1, 1000, 1) for name in ("a", "b", "c")]
    with pytest.raises(BadSweep, match="1,000,000,000 combinations") as refused:
        grid(axes)
    assert refused.value.details == {"combinations": 10**9, "limit": TRIALS_MAX}
    assert "random" in refused.value.fix
    assert refused.value.code.value == "INVALID_ARGUMENT"


def test_chance_takes_different_ones_and_the_same_for_the_same_seed() -> None:
    axes = [steps(name, 1, 1000, 1) for name in ("a", "b", "c")]
    found = sample(axes, 200, seed=4)
    assert len({tuple(one.values()) for one in found}) == 200
    assert found == sample(axes, 200, seed=4)
    assert found != sample(axes, 200, seed=5)
    assert all(1 <= value <= 1000 for one in found for value in one.values())
    few = [axis("a", [1, 2]), axis("b", [5, 6])]
    assert sample(few, 100, seed=1) == grid(few)
    assert len(sample(few, 3, seed=1)) == 3


def test_senseless_numbers_of_axes_and_trials_are_refused() -> None:
    with pytest.raises(BadSweep):
        combinations([])
    with pytest.raises(BadSweep):
        combinations([axis("a", [1]), axis("a", [2])])
    with pytest.raises(BadSweep):
        require_trials(0)
    with pytest.raises(BadSweep, match="10,001"):
        require_trials(10_001)
    with pytest.raises(BadSweep, match="1000001 values"):
        steps("a", 0, 1_000_000, 1)


def test_parameters_take_the_place_of_a_blueprints_own() -> None:
    made = with_parameters(
        spec(StrategyRef(name="ma_crossover", parameters={"fast": 5})), {"slow": 9}
    )
    assert made.strategy.parameters == {"fast": 5, "slow": 9}


def test_a_rule_has_places_for_parameters() -> None:
    ref = StrategyRef(
        name="custom", long_when="ema({fast}) > ema({slow})", parameters={"reward": 2}
    )
    made = with_parameters(spec(ref), {"fast": 5, "slow": 20, "stop_atr": 1.5})
    assert made.strategy.long_when == "ema(5) > ema(20)"
    assert made.strategy.parameters == {"reward": 2, "stop_atr": 1.5}


def test_an_axis_that_means_nothing_to_the_strategy_is_refused() -> None:
    require_known(StrategyRef(name="ma_crossover"), [axis("fast", [5])])
    require_known(
        StrategyRef(name="custom", long_when="rsi({n}) < 30"),
        [axis("n", [5]), axis("stop_atr", [1])],
    )
    with pytest.raises(BadSweep, match="oversold is no parameter") as refused:
        require_known(StrategyRef(name="ma_crossover"), [axis("oversold", [5])])
    assert "fast" in refused.value.fix
    require_known(StrategyRef(name="mine", program="mine.py"), [axis("anything", [5])])
