"""The built-in strategies, and those of a caller's own rules: pure, bounded, on the right side."""

from __future__ import annotations

from typing import get_args

import numpy
import pytest

from ordergate.market.features.frame import BadBars, Frame
from ordergate.market.signals.strategies import (
    BLUEPRINTS,
    CONFIDENCE_LEAST,
    CONFIDENCE_MOST,
    BadStrategy,
    custom,
    strategy,
)
from ordergate.market.signals.words import RuleError
from ordergate.surfaces.catalogue.analysis_requests import StrategyName
from support.series import of_closes, walk

NAMES = [blueprint.name for blueprint in BLUEPRINTS]


@pytest.mark.parametrize("name", NAMES)
def test_terms_stand_on_the_right_side_and_only_where_there_is_a_signal(name: str) -> None:
    one = strategy(name)
    said = one.signals(walk(4_000, seed=5))
    way = said.direction
    fired = way != 0
    assert 10 < int(fired.sum()) < 4_000
    assert {-1.0, 1.0} <= set(way.tolist())
    assert (way[: one.required_history - 1] == 0).all()
    for column in (said.entry, said.stop, said.target, said.confidence):
        assert (numpy.isnan(column) == ~fired).all()
    gone, won = (said.entry - said.stop)[fired], (said.target - said.entry)[fired]
    assert (gone * way[fired] > 0).all()
    assert won / gone == pytest.approx(one.reward)
    sure = said.confidence[fired]
    assert ((sure >= CONFIDENCE_LEAST) & (sure <= CONFIDENCE_MOST)).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_market_upside_down_turns_the_signals_round(name: str) -> None:
    """Prices p become 2.2 - p, close to 1.1: what was a buy becomes a sell."""
    from dataclasses import replace

    series = walk(3_000, seed=2)
    turned = replace(
        series,
        open=2.2 - series.open,
        high=2.2 - series.low,
        low=2.2 - series.high,
        close=2.2 - series.close,
    )
    ways, other = (strategy(name).signals(one).direction for one in (series, turned))
    assert (ways == -other).mean() > 0.999  # ties at the last digit apart


def test_a_breakout_by_hand() -> None:
    """Three hundred quiet bars (ATR 1), then a close two above them all."""
    quiet = [100.0] * 300
    said = strategy("volatility_breakout").signals(of_closes([*quiet, 102.0], reach=0.5))
    assert said.direction[-1] == 1
    assert said.direction[:-1].tolist() == [0] * 300
    assert said.entry[-1] == 102
    # The last bar reaches from 99.5 to 102.5: a true range of 3 among thirteen of 1.
    assert said.stop[-1] == pytest.approx(102 - 1.5 * (13 * 1.0 + 3.0) / 14)


def test_a_volume_breakout_needs_volume() -> None:
    quiet = [100.0] * 300
    loud = of_closes([*quiet, 102.0], volumes=[10.0] * 300 + [16.0])
    soft = of_closes([*quiet, 102.0], volumes=[10.0] * 300 + [14.0])
    assert strategy("volume_breakout").signals(loud).direction[-1] == 1
    assert strategy("volume_breakout").signals(soft).direction[-1] == 0
    with pytest.raises(BadBars, match="no volume"):
        strategy("volume_breakout").signals(of_closes(quiet))


def test_what_it_reads_is_declared() -> None:
    assert strategy("volume_breakout").columns == ("close", "high", "low", "volume")
    assert strategy("ma_crossover").columns == ("close", "high", "low")
    for name in NAMES:
        series = walk(1_500)
        undeclared = {"open", "volume"} - set(strategy(name).columns)
        frame = Frame(series)
        strategy(name).on(frame)
        assert not undeclared & {column for call in frame._kept for column in call.columns}


def test_parameters_have_defaults_bounds_and_near_names() -> None:
    assert strategy("ma_crossover", {"fast": 10, "reward": 3}).parameters["fast"] == 10
    for given, words in (({"fast": 1}, "from 2 to 200"), ({"fast": 2.5}, "whole number")):
        with pytest.raises(BadStrategy, match=words):
            strategy("ma_crossover", given)
    with pytest.raises(BadStrategy, match="no such parameter") as refused:
        strategy("ma_crossover", {"fats": 3})
    assert refused.value.fix == "Did you mean fast?"
    with pytest.raises(BadStrategy) as unknown:
        strategy("ma_crosover")
    assert unknown.value.fix == "Did you mean ma_crossover?"


def test_the_doors_offer_exactly_what_there_is() -> None:
    assert set(get_args(StrategyName)) == {"ensemble", *NAMES}


def test_own_rules_are_a_strategy() -> None:
    one = custom(long="close > sma(20)", short="close < sma(20)", stop_atr=2, reward=1)
    said = one.signals(walk(600))
    fired = said.direction != 0
    assert fired[one.required_history :].all()
    assert set(said.confidence[fired].tolist()) == {0.5}
    only_long = custom(long="close > sma(20)", short=None).signals(walk(600))
    assert set(only_long.direction.tolist()) == {0.0, 1.0}


def test_own_rules_are_checked() -> None:
    with pytest.raises(BadStrategy, match="a rule to buy or a rule to sell"):
        custom(long=None, short=None)
    with pytest.raises(RuleError):
        custom(long="close >", short=None)
    with pytest.raises(BadStrategy, match="stop_atr"):
        custom(long="close > 1", short=None, stop_atr=0)


def test_rules_that_contradict_each_other_say_nothing() -> None:
    said = custom(long="close > 0", short="close > 0").signals(walk(400))
    assert not said.direction.any()


def test_reasons_and_readings_tell_what_held() -> None:
    one = custom(long="close > sma(20)", short="close < sma(20)")
    frame = Frame(walk(400))
    way = one.on(frame).direction[-1]
    (reason,) = one.reasons(frame)
    assert reason == ("custom buy: close > sma(20)" if way > 0 else "custom sell: close < sma(20)")
    assert set(one.readings(frame)) == {"close", "sma(20)"}


def test_a_stop_or_target_below_nought_is_no_signal() -> None:
    """ATR 1 at a price of 3: three ATRs down to the stop, or 1.5 x 2 to a seller's target."""
    cheap = of_closes([3.0] * 400, reach=0.5)
    assert not custom(long="close > 0", short=None, stop_atr=3).signals(cheap).direction.any()
    assert not custom(long=None, short="close > 0").signals(cheap).direction.any()
    assert custom(long="close > 0", short=None, stop_atr=1).signals(cheap).direction[-1] == 1
