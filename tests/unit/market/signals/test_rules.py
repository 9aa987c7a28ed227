"""Rules over bars, by hand: what is not known is not true, and nothing looks ahead."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy
import pytest

from ordergate.market.features.frame import BadBars, Frame
from ordergate.market.signals.nodes import Reading
from ordergate.market.signals.rules import columns_of, parse, parse_value, walk
from ordergate.market.signals.words import RuleError
from support.series import of_bars, of_closes
from support.series import walk as made_walk

RIDE = of_closes([10, 11, 12, 11, 10, 9, 10, 11], reach=0.0)


def fires(text: str) -> list[int]:
    """Return the bars of the ride at which a rule is true."""
    return numpy.flatnonzero(parse(text).evaluate(RIDE)).tolist()


@pytest.mark.parametrize(
    ("text", "bars"),
    [
        ("close > 10", [1, 2, 3, 7]),
        ("close >= 10 and close != 12", [0, 1, 3, 4, 6, 7]),
        ("close == 12 or close <= 9", [2, 5]),
        ("not close > 10", [0, 4, 5, 6]),
        ("close > close[1]", [1, 2, 6, 7]),
        ("close[2] > close", [4, 5]),
        ("change(close, 2) == 2", [2, 7]),
        ("close crosses above 10.5", [1, 7]),
        ("close crosses below 10.5", [4]),
        ("close == highest(close, 3)", [2, 6, 7]),
        ("close == lowest(close, 3)", [3, 4, 5]),
        ("abs(close - 10) > 1", [2]),
        ("min(close, 11) == 11 and max(close, 11) == 11", [1, 3, 7]),
        ("-close > -10", [5]),
        ("(close - 8) / 2 == 1", [0, 4, 6]),
        ("sma(2) > close", [3, 4, 5]),
        ("hl2 * 2 - hlc3 > 100", []),
    ],
)
def test_a_rule_fires_where_it_holds(text: str, bars: list[int]) -> None:
    assert fires(text) == bars


def test_a_crossing_needs_the_bar_before() -> None:
    """From on the line to above it is a crossing; to stay above it is none."""
    series = of_closes([10, 10, 11, 12])
    assert parse("close crosses above 10").evaluate(series).tolist() == [False, False, True, False]


def test_what_is_not_known_is_not_true_and_neither_is_its_contrary() -> None:
    """A division by zero has no value: no comparison with it holds, nor the comparison's denial."""
    for text in ("close / 0 > 1", "not close / 0 > 1", "close / 0 == close / 0"):
        assert fires(text) == []
    assert fires("close / 0 > 1 or close > 11") == [2]
    assert fires("not (close / 0 > 1 and close > 11)") == [0, 1, 3, 4, 5, 6, 7]


def test_before_its_history_a_rule_is_false_though_a_value_is_there() -> None:
    rule = parse("ema(5) > 0")
    assert rule.required_history > 6
    holds = rule.evaluate(made_walk(rule.required_history + 3))
    assert numpy.flatnonzero(holds).tolist() == [rule.required_history - 1 + n for n in range(4)]


def test_the_answer_is_a_bool_for_each_bar() -> None:
    holds = parse("close > 1").evaluate(made_walk(40))
    assert holds.dtype == numpy.bool_
    assert len(holds) == 40
    assert len(parse("close > 1").evaluate(made_walk(0))) == 0


def test_values_are_computed_by_bar() -> None:
    made = parse_value("close - open").values(Frame(RIDE))
    assert made.tolist() == [0, 1, 1, -1, -1, -1, 1, 1]
    with pytest.raises(RuleError):
        parse_value("close > 1")


def test_values_before_the_history_are_not_trusted() -> None:
    formula = parse_value("ema(5)")
    frame = Frame(made_walk(200))
    trusted, values = formula.trusted(frame), formula.values(frame)
    known = formula.required_history - 1
    assert numpy.isnan(trusted[:known]).all()
    assert (trusted[known:] == values[known:]).all()
    assert not numpy.isnan(values[known - 1])


def test_volume_rules_need_volume() -> None:
    rule = parse("volume > 1.5 * sma(3, volume)")
    series = of_bars([(1, 1, 1, volume) for volume in (10, 10, 10, 30)])
    assert rule.evaluate(series).tolist() == [False, False, False, True]
    with pytest.raises(BadBars, match="no volume"):
        rule.evaluate(replace(series, volume=numpy.full(4, math.nan)))


def test_what_it_reads_can_be_told() -> None:
    rule = parse("ema(20) > sma(30) and close > donchian(20).upper[1] and ema(20) > 1")
    assert [call.text for call in rule.calls] == ["ema(20)", "sma(30)", "donchian(20)"]
    assert not rule.needs_session
    assert parse("close > vwap()").needs_session
    frame = Frame(made_walk(60))
    read = rule.read_at(frame, -1)
    assert list(read) == ["ema(20)", "sma(30)", "close", "donchian(20).upper"]
    assert read["close"] == frame.column("close")[-1]
    assert "ema(20)" not in rule.read_at(frame, 3)


def test_an_indicator_of_several_outputs_is_several_columns() -> None:
    assert [name for name, _ in columns_of("macd()")] == [
        "macd(12, 26, 9).line",
        "macd(12, 26, 9).signal",
        "macd(12, 26, 9).histogram",
    ]
    assert [name for name, _ in columns_of("ema(9)")] == ["ema(9)"]
    assert [name for name, _ in columns_of("rsi(14) < 30")] == ["rsi(14) < 30"]
    (_, formula), *_ = columns_of("ema(9)")
    assert all(isinstance(node, Reading) for node in walk(formula.node))


def test_a_condition_as_a_column_is_one_nought_or_unknown() -> None:
    ((_, formula),) = columns_of("close / (close - 10) > 0")
    values = formula.values(Frame(RIDE))
    assert values[1:4].tolist() == [1, 1, 1]
    assert math.isnan(values[0])
    assert values[5] == 0


@pytest.mark.parametrize("bars", [1, 2, 3, 7, 50, 199, 200])
def test_the_highest_and_lowest_of_a_window_are_those_of_its_values(bars: int) -> None:
    series = made_walk(200)
    frame = Frame(series)
    for word, best in (("highest", numpy.max), ("lowest", numpy.min)):
        made = parse_value(f"{word}(close, {bars})").values(frame)
        for n in range(200):
            window = series.close[max(0, n - bars + 1) : n + 1]
            wanted = best(window) if n >= bars - 1 else math.nan
            assert made[n] == wanted or (math.isnan(made[n]) and math.isnan(wanted))
    unknown = parse_value(f"highest(sma(20), {bars})").values(frame)
    assert numpy.isnan(unknown[: min(200, 18 + bars)]).all()
    assert not numpy.isnan(unknown[18 + bars :]).any()
