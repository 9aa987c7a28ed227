"""How much history a tree needs, and what lies below each of its nodes."""

from __future__ import annotations

import pytest

from ordergate.market.signals.grammar import read
from ordergate.market.signals.nodes import Compared, Joined, history, is_condition, parts


@pytest.mark.parametrize(
    ("text", "bars"),
    [
        ("1", 1),
        ("close", 1),
        ("close[3]", 4),
        ("sma(20)", 20),
        ("sma(20)[2] - close", 22),
        ("highest(sma(20), 5)", 24),
        ("lowest(close, 5)", 5),
        ("change(close, 5)", 6),
        ("max(sma(10), sma(30))", 30),
        ("-sma(7)", 7),
        ("sma(10) crosses above sma(30)", 31),
        ("not close > sma(12)", 12),
        ("close > 1 or sma(9) > 1 and sma(8) > 1", 9),
    ],
)
def test_the_history_is_that_of_its_oldest_part(text: str, bars: int) -> None:
    assert history(read(text)) == bars


def test_conditions_are_comparisons_and_what_joins_them() -> None:
    both = read("close > 1 and not open > 2")
    assert is_condition(both)
    assert isinstance(both, Joined)
    assert [type(part) for part in parts(both)] == [Compared, Joined]
    assert not is_condition(read("close + 1"))
    assert parts(read("5")) == ()


def test_a_reading_says_how_it_is_written() -> None:
    line = parts(read("macd(5, 9, 3).line > ema(9, volume)"))
    assert [part.text for part in line] == ["macd(5, 9, 3).line", "ema(9, volume)"]  # type: ignore[union-attr]
