"""What knows the future is caught, each leak by the check that must see it; ours all pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy
import pytest
import talib

from ordergate.market.features.frame import Frame
from ordergate.market.features.indicators import INDICATORS, call
from ordergate.market.signals.ensemble import ensemble
from ordergate.market.signals.rules import parse
from ordergate.market.signals.strategies import BLUEPRINTS, strategy
from ordergate.model.series import Series
from ordergate.research.validation.leakage import brief, check, lag, poison, poisoned, prefix
from ordergate.research.validation.subjects import of_features, of_indicator, of_rule, of_speaker
from support.series import walk

BARS = walk(1_500, seed=11)
WHOLE = BARS  # what a memory of the future would hold

Leak = Callable[[Series], dict[str, numpy.ndarray]]


def shifted(values: numpy.ndarray, by: int) -> numpy.ndarray:
    made = numpy.full(len(values), numpy.nan)
    if by < 0:
        made[:by] = values[-by:]
    else:
        made[by:] = values[: len(values) - by]
    return made


def next_change(series: Series) -> dict[str, numpy.ndarray]:
    """The sign of the coming bar: shift(-1)."""
    change = numpy.diff(series.close, append=series.close[-1:])
    return {"direction": numpy.sign(change)}


def scaled_by_the_whole(series: Series) -> dict[str, numpy.ndarray]:
    """Mean and scale of the whole column, fitted before the split."""
    return {"score": (series.close - series.close.mean()) / (series.close.std() or 1.0)}


def filled_backwards(series: Series) -> dict[str, numpy.ndarray]:
    """The warm-up filled with the first value that comes after it."""
    average = (
        talib.SMA(series.close, 20) if len(series) > 20 else numpy.full(len(series), numpy.nan)
    )
    known = average[~numpy.isnan(average)]
    return {"average": numpy.where(numpy.isnan(average), known[0] if len(known) else 0, average)}


def seeded_from_the_end(series: Series) -> dict[str, numpy.ndarray]:
    """An average that began with later bars."""
    return {"average": talib.EMA(series.close[::-1].copy(), 10)[::-1].copy()}


def centred(series: Series) -> dict[str, numpy.ndarray]:
    return {"average": shifted(talib.SMA(series.close, 5), -2)}


def higher_bar_before_its_close(series: Series) -> dict[str, numpy.ndarray]:
    """The close of each four bars shown from the first of them: the label on the left."""
    last = numpy.minimum(numpy.arange(len(series)) // 4 * 4 + 3, len(series) - 1)
    return {"higher": series.close[last]}


def turn_where_it_stood(series: Series) -> dict[str, numpy.ndarray]:
    """A swing point at its own bar, before the bars that made it one."""
    turns = of_features(series)["swing_high"]
    return {"turn": shifted(turns, -3)}


def ranked_in_the_whole(series: Series) -> dict[str, numpy.ndarray]:
    return {"rank": numpy.argsort(numpy.argsort(series.close)).astype(float)}


def remembered(series: Series) -> dict[str, numpy.ndarray]:
    """The future by heart: no cut and no poison changes what it says."""
    places = numpy.searchsorted(WHOLE.time, series.time)
    return {"direction": next_change(WHOLE)["direction"][places]}


LEAKS = (
    next_change,
    scaled_by_the_whole,
    filled_backwards,
    seeded_from_the_end,
    centred,
    higher_bar_before_its_close,
    turn_where_it_stood,
    ranked_in_the_whole,
)


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__)
def test_a_leak_is_caught_by_the_first_bars_alone(leak: Leak) -> None:
    verdict = prefix(leak, BARS, leak(BARS))
    assert not verdict.passed
    assert verdict.column in leak(BARS)
    assert verdict.bar is not None


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__)
def test_a_leak_is_caught_by_a_poisoned_future(leak: Leak) -> None:
    assert not poison(leak, BARS, leak(BARS)).passed


def test_what_knows_the_future_by_heart_is_caught_by_the_lag_alone() -> None:
    report = check("remembered", remembered, BARS)
    assert [(verdict.check, verdict.passed) for verdict in report.verdicts] == [
        ("prefix", True),
        ("poison", True),
        ("lag", False),
    ]
    assert not report.passed
    assert "gone a bar later" in report.verdicts[2].message


def test_a_shift_the_other_way_is_flagged_as_better_with_a_delay() -> None:
    ways = numpy.sign(numpy.diff(BARS.close, append=BARS.close[-1:]))
    late = numpy.concatenate([ways[1:], [0.0]])  # right about the bar after the next
    assert "only with a delay" in lag(late, BARS.close).message


def test_an_edge_that_lasts_passes_the_lag() -> None:
    trend = walk(1_500, seed=4, drift=2e-4)
    verdict = lag(numpy.ones(1_500), trend.close)
    assert verdict.passed
    assert "standard errors" in verdict.message


def test_few_signals_are_no_proof_of_anything() -> None:
    ways = numpy.zeros(len(BARS))
    ways[100:110] = 1
    assert lag(ways, BARS.close).passed


@pytest.mark.parametrize("name", [*(blueprint.name for blueprint in BLUEPRINTS), "ensemble"])
def test_every_strategy_passes_every_check(name: str) -> None:
    speaker = ensemble() if name == "ensemble" else strategy(name)
    report = check(name, of_speaker(speaker), BARS)
    assert report.signals > 10
    assert [verdict.check for verdict in report.verdicts] == ["prefix", "poison", "lag"]
    assert report.passed, report


@pytest.mark.parametrize("indicator", INDICATORS, ids=lambda indicator: indicator.name)
def test_every_indicator_passes(indicator: object) -> None:
    one = call(indicator.name)  # type: ignore[attr-defined]
    assert check(one.text, of_indicator(one), BARS).passed


@pytest.mark.parametrize(
    "text",
    [
        "close crosses above sma(20) and volume > sma(10, volume)[1]",
        "highest(high, 20) == high or change(ema(9), 3) / atr(14) > 1",
        "not vwap() > close",
    ],
)
def test_rules_and_features_pass(text: str) -> None:
    assert check(text, of_rule(parse(text)), BARS).passed
    assert check("features", of_features, BARS).passed


def test_every_bar_is_compared_and_the_first_that_differs_is_named() -> None:
    def last_bar_knows(series: Series) -> dict[str, numpy.ndarray]:
        made = numpy.zeros(len(series))
        made[700:701] = len(series)
        return {"count": made}

    verdict = prefix(last_bar_knows, BARS, last_bar_knows(BARS))
    assert verdict.column == "count"
    assert "bar 700" in verdict.message


def test_poison_leaves_the_past_alone_and_changes_all_that_follows() -> None:
    for kind in ("noise", "extreme", "missing"):
        made = poisoned(BARS, 900, kind)
        assert (made.close[:900] == BARS.close[:900]).all()
        assert not (made.close[900:] == BARS.close[900:]).any()
        assert len(made) == len(BARS)
    extreme = poisoned(BARS, 900, "extreme")
    assert extreme.close[900:].max() > 10 * BARS.close.max()
    assert (extreme.high >= extreme.low).all()
    silent = replace(BARS, volume=numpy.full(len(BARS), numpy.nan))
    assert numpy.isnan(poisoned(silent, 900, "noise").volume).all()
    assert Frame(extreme)


def test_the_same_seed_tries_the_same_places() -> None:
    subject = of_speaker(strategy("rule_baseline"))
    assert check("one", subject, BARS, seed=5) == check("one", subject, BARS, seed=5)


def test_too_few_bars_prove_nothing() -> None:
    with pytest.raises(ValueError, match="too few"):
        check("short", of_features, walk(30))


def test_a_few_questions_after_signals_find_what_looks_ahead() -> None:
    def seer(series: Series) -> dict[str, numpy.ndarray]:
        return {"direction": numpy.append(numpy.sign(numpy.diff(series.close)), 0.0)}

    asked = []

    def counted(series: Series) -> dict[str, numpy.ndarray]:
        asked.append(len(series))
        return seer(series)

    report = brief("seer", counted, BARS, tries=6)
    assert not report.passed
    assert len(asked) <= 1 + 6 + 2 * 3
    honest = brief("crossing", of_speaker(strategy("ma_crossover")), BARS, tries=6)
    assert honest.passed
    with pytest.raises(ValueError, match="too few"):
        brief("short", seer, walk(20), tries=6)
