from __future__ import annotations

import numpy
import pytest

from ordergate.market.bars.jumps import jumps
from ordergate.model.instruments import CalendarName


def found(before: float, after: float, calendar: CalendarName | None) -> list[str]:
    made = jumps(
        numpy.array([0, 1]), numpy.array([before, after]), numpy.array([before, after]), calendar
    )
    return [jump.split for jump in made]


@pytest.mark.parametrize(
    ("before", "after", "split"),
    [
        (645.57, 92.69, "7:1"),  # AAPL 2014-06-09
        (499.23, 127.67, "4:1"),  # AAPL 2020-08-31
        (10.0, 100.0, "1:10"),
        (150.0, 100.0, "3:2"),
        (100.0, 11.3, ""),  # no split's ratio; a wrong price
    ],
)
def test_a_change_of_scale_is_found_and_a_split_named(
    before: float, after: float, split: str
) -> None:
    assert found(before, after, CalendarName.XNYS) == [split]


def test_what_prices_do_is_no_jump() -> None:
    assert found(100.0, 75.0, CalendarName.XNYS) == []
    assert found(100.0, 139.0, CalendarName.XNYS) == []


def test_a_coin_is_never_split() -> None:
    assert found(130.0, 191.99, CalendarName.ALWAYS) == [""]
    assert found(100.0, 50.0, None) == ["2:1"]


def test_one_bar_cannot_jump() -> None:
    assert jumps(numpy.array([0]), numpy.array([1.0]), numpy.array([1.0]), None) == ()
