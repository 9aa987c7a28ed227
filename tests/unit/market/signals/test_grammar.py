"""The rule language: what it reads, and where it says no, what it expected and what is near."""

from __future__ import annotations

import pytest

from ordergate.market.signals.grammar import (
    CALLS_MAX,
    DEPTH_MAX,
    indicator_alone,
    read,
    read_condition,
    read_value,
)
from ordergate.market.signals.nodes import Applied, Before, Column, Compared, Joined, Number
from ordergate.market.signals.words import RuleError


def refusal(text: str) -> RuleError:
    with pytest.raises(RuleError) as refused:
        read_condition(text)
    return refused.value


def test_products_bind_before_sums_and_sums_before_comparisons() -> None:
    assert read("1 + 2 * 3 > 4") == Compared(
        ">", Applied("+", (Number(1), Applied("*", (Number(2), Number(3))))), Number(4)
    )


def test_subtraction_and_division_go_from_left_to_right() -> None:
    assert read("8 - 4 - 2") == Applied("-", (Applied("-", (Number(8), Number(4))), Number(2)))
    assert read("8 / 4 / 2") == Applied("/", (Applied("/", (Number(8), Number(4))), Number(2)))


def test_not_binds_before_and_and_and_before_or() -> None:
    a, b, c = (Compared(">", Column(name), Number(1)) for name in ("open", "high", "low"))
    assert read("not open > 1 and high > 1 or low > 1") == Joined(
        "or", (Joined("and", (Joined("not", (a,)), b)), c)
    )


def test_brackets_bind_first() -> None:
    assert read("(1 + 2) * 3") == Applied("*", (Applied("+", (Number(1), Number(2))), Number(3)))


def test_a_bar_before_and_a_sign() -> None:
    assert read("-close[2]") == Applied("negative", (Before(Column("close"), 2),))


def test_case_and_spaces_do_not_matter() -> None:
    assert read("EMA( 20 )>CLOSE") == read("ema(20) > close")


def test_arguments_by_name_and_defaults() -> None:
    assert read("ema(period=20)") == read("ema()")
    assert read("macd(12, signal=9).line") == read("macd().line")
    assert read("sma(20, volume)") == read("sma(volume)")
    assert read("bbands().upper") == read("bollinger(20, 2).upper")


@pytest.mark.parametrize(
    ("text", "place", "expected", "fix"),
    [
        ("emma(20) > 1", 1, "a column, an indicator or a function", "Did you mean ema?"),
        ("clse > 1", 1, "a column, an indicator or a function", "Did you mean close?"),
        ("rsi > 70", 5, "( after rsi", "Write rsi(14[, column])."),
        ("ema(20) >", 10, "a number, a column or an indicator", ""),
        ("", 1, "a number, a column or an indicator", ""),
        ("ema(20 > 3", 8, ", or )", ""),
        ("macd() > 0", 8, ".line or .signal or .histogram after macd(...)", ""),
        ("macd().sigal > 0", 8, ".line or .signal or .histogram", "Did you mean signal?"),
        ("ema(20).value2 > 0", 9, ".value", "Did you mean value?"),
        ("ema(20) > 3 and 5", 17, "a comparison", "Compare it: rsi(14) < 70 and close > 1."),
        ("5 and close > 1", 1, "a comparison", "Compare it: rsi(14) < 70 and close > 1."),
        ("close > 1 > 0", 11, "and, or or the end", "Write a < b and b < c."),
        ("close = 2", 7, "a comparison", "Write == to compare."),
        ("close crosses open", 15, "above or below after crosses", ""),
        ("ema(20)) > 3", 8, "and, or, a comparison or the end", ""),
        ("close > 1 adn open > 1", 11, "and, or, a comparison or the end", "Did you mean and?"),
        ("close[0] > 1", 7, "how many bars before, such as 1, from 1 to 500", ""),
        ("close[1.5] > 1", 7, "how many bars before, such as 1, from 1 to 500", ""),
        ("highest(close, open) > 1", 16, "a whole number of bars, from 1 to 500", ""),
        ("max(close) > 1", 10, ", and the next argument of max", ""),
        ("(close > 1) + 1 > 2", 1, "a value", "Join conditions by and, or."),
        ("ema(20, perod=3) > 1", 9, "an argument of ema", "Did you mean period?"),
        ("ema(-5) > 1", 5, "an argument of ema", "Write ema(20[, column])."),
    ],
)
def test_a_refusal_says_where_and_what_was_expected(
    text: str, place: int, expected: str, fix: str
) -> None:
    error = refusal(text)
    assert error.details["position"] == place
    assert error.details["expected"] == expected
    assert error.fix == fix


def test_arguments_that_do_not_fit_are_said_by_the_indicators_own_words() -> None:
    error = refusal("close > ema(1)")
    assert error.details["position"] == 9
    assert "period must be a whole number from 2 to 500" in error.message
    assert error.fix == "Write ema(20[, column])."


def test_what_is_no_condition_is_no_rule_and_what_is_one_is_no_value() -> None:
    assert refusal("ema(20)").details["expected"] == "a comparison"
    with pytest.raises(RuleError):
        read_value("close > 1")
    assert read_value("close - open")


@pytest.mark.parametrize(
    "text", ["(" * 17 + "close" + ")" * 17, "not " * 17 + "close > 1", "-" * 17 + "1"]
)
def test_depth_is_bounded(text: str) -> None:
    with pytest.raises(RuleError, match=f"at most {DEPTH_MAX} levels"):
        read(text)


def test_a_chain_as_long_as_a_text_can_be_is_read_or_refused_never_a_crash() -> None:
    for text in ("1+" * 249 + "1", "-" * 499 + "1", "(" * 499, "not " * 124 + "x", "1[1]" * 100):
        with pytest.raises(RuleError):
            read_condition(text)


def test_parts_and_indicators_are_bounded() -> None:
    with pytest.raises(RuleError, match="at most 128 parts"):
        read("+".join(["1"] * 130))
    many = " + ".join(["obv()"] * (CALLS_MAX + 1))
    with pytest.raises(RuleError, match=f"at most {CALLS_MAX} indicators"):
        read(many)


def test_history_is_bounded() -> None:
    error = refusal("adx(500) > 20")
    assert error.details["expected"] == "a rule that needs at most 5000 bars of history"


def test_an_indicator_that_stands_alone_is_seen() -> None:
    whole = indicator_alone("macd(12, 26, 9)")
    assert whole is not None
    assert whole.text == "macd(12, 26, 9)"
    for text in ("macd().line", "ema(20) + 1", "close", "abs(close)"):
        assert indicator_alone(text) is None


@pytest.mark.parametrize(
    "text",
    ["__import__('os')", "close.__class__", "ema(20).__class__", "lambda: 1", "open('x')", "[1]"],
)
def test_nothing_of_python_is_read(text: str) -> None:
    with pytest.raises(RuleError):
        read_condition(text)
