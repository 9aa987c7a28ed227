from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordergate.sim.rounding import ceiling, floor, half_away, scaled, to_grid

AMOUNTS = st.integers(-(10**18), 10**18)
PARTS = st.integers(1, 10**9)


@pytest.mark.parametrize(
    ("numerator", "denominator", "want"),
    [(5, 2, 3), (-5, 2, -3), (4, 3, 1), (-4, 3, -1), (0, 7, 0), (7, 7, 1), (1, 2, 1), (-1, 2, -1)],
)
def test_halves_go_away_from_zero(numerator: int, denominator: int, want: int) -> None:
    assert half_away(numerator, denominator) == want


def test_floor_and_ceiling_of_negative_numbers() -> None:
    assert floor(-7, 2) == -4
    assert ceiling(-7, 2) == -3
    assert floor(7, 2) == 3
    assert ceiling(7, 2) == 4


@given(AMOUNTS, PARTS)
def test_half_away_is_the_nearest_integer(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)
    got = half_away(numerator, denominator)
    assert abs(got - exact) <= Fraction(1, 2)
    assert half_away(-numerator, denominator) == -got


@given(AMOUNTS, st.integers(0, 10**9))
def test_scaling_in_parts_equals_scaling_at_once(amount: int, factor: int) -> None:
    assert scaled(amount, factor, 10**9) == half_away(amount * factor, 10**9)


@pytest.mark.parametrize(("amount", "want"), [(149, 100), (150, 200), (-150, -200), (-149, -100)])
def test_money_lands_on_the_account_s_smallest_unit(amount: int, want: int) -> None:
    assert to_grid(amount, 100) == want
