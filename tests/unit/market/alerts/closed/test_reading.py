from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from ordergate.market.alerts.closed.reading import MISSED_MAX, rule_of, wanted, words
from ordergate.model.errors import DataUnavailable, InvalidArgument
from ordergate.model.market import Timeframe
from support.bar_series import series

TEN = datetime.fromisoformat("2026-01-07T10:00:00Z")
H = timedelta(hours=1)
CLOSES = [100, 102, 101, 103, 99, 104]


def hours(closes: list[float], *, complete: bool = True) -> object:
    return series("2026-01-07T10:00", closes, timeframe=Timeframe.H1, complete=complete)


def said(text: str, *, since: datetime | None, complete: bool = True) -> list[tuple[int, object]]:
    found = words(text, hours(CLOSES, complete=complete), since=since, synthetic=True)  # type: ignore[arg-type]
    return [((word.ends - TEN) // H, word.holds) for word in found]


def test_each_closed_bar_after_the_last_look_says_its_own() -> None:
    assert said("close > 101", since=TEN + 3 * H) == [(4, True), (5, False), (6, True)]
    assert said("close > 101", since=TEN + 6 * H) == []


def test_without_a_last_look_the_newest_bar_alone_speaks() -> None:
    assert said("close > 101", since=None) == [(6, True)]


def test_the_running_bar_says_nothing() -> None:
    assert said("close > 101", since=TEN + 4 * H, complete=False) == [(5, False)]


def test_what_cannot_be_known_is_neither_true_nor_false() -> None:
    assert said("close / (close - 99) > 50", since=TEN + 4 * H) == [(5, None), (6, False)]


def test_a_history_that_is_too_short_says_so_with_its_numbers() -> None:
    with pytest.raises(DataUnavailable, match="insufficient_history: 6 closed H1 bars, 7 needed"):
        words("sma(7) > 1", hours(CLOSES), since=None, synthetic=False)  # type: ignore[arg-type]


def test_bars_before_the_history_a_rule_needs_are_passed_over() -> None:
    assert said("sma(5) > 101", since=TEN) == [(5, False), (6, True)]  # 505/5, 509/5


def test_a_word_carries_its_bar() -> None:
    (word,) = words("close > 0", hours(CLOSES), since=None, synthetic=True)  # type: ignore[arg-type]
    assert (word.close, word.ends, word.synthetic) == (Decimal(104), TEN + 6 * H, True)
    assert word.source


def test_only_so_many_missed_bars_are_gone_through() -> None:
    many = hours([100.0 + n % 3 for n in range(MISSED_MAX + 50)])
    found = words("close > 101", many, since=TEN, synthetic=False)  # type: ignore[arg-type]
    assert len(found) == MISSED_MAX


def test_what_is_asked_for_covers_the_longest_rule_and_the_missed_bars() -> None:
    longest = rule_of("ema(50) > close").required_history
    assert wanted(("close > 1", "ema(50) > close"), Timeframe.H1) == longest + MISSED_MAX - 1


def test_a_rule_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(InvalidArgument):
        rule_of("close >")
