"""Hand-computed money. One unit is 10^-8 of a currency; a cent is 1,000,000 units."""

from __future__ import annotations

import pytest

from ordergate.sim.costs import (
    RATE_SCALE,
    booked,
    commission,
    converted,
    cost_share,
    nights,
    profit,
    swap,
)

CENT = 1_000_000
EURUSD_TICK = 1_000_000  # 0.00001 x 1,000 units (0.01 lot) = 0.01 USD
USDJPY_TICK = 100_000_000  # 0.001 x 1,000 units = 1 JPY


def test_a_lot_of_eurusd_earns_ten_dollars_a_pip() -> None:
    cost = 100 * 139_111
    assert profit(1, cost, 139_121, 100, EURUSD_TICK) == 10_00 * CENT
    assert profit(-1, cost, 139_121, 100, EURUSD_TICK) == -10_00 * CENT


def test_yen_profit_is_converted_and_booked_to_the_cent() -> None:
    raw = profit(1, 100 * 150_000, 150_500, 100, USDJPY_TICK)  # 50,000 JPY
    rate = round(RATE_SCALE / 150.5)
    assert booked(raw, rate, CENT) == 332_23 * CENT  # 332.2259


def test_conversion_at_one_changes_nothing() -> None:
    assert converted(123_456_789, RATE_SCALE) == 123_456_789
    assert converted(-123_456_789, RATE_SCALE) == -123_456_789


@pytest.mark.parametrize(("amount", "want"), [(1_500_000, 2), (-1_500_000, -2), (1_499_999, 1)])
def test_half_a_cent_is_booked_away_from_zero(amount: int, want: int) -> None:
    assert booked(amount, RATE_SCALE, CENT) == want * CENT


def test_parts_of_a_position_add_up_to_its_cost() -> None:
    cost, steps = 1_000_001, 7
    first = cost_share(cost, steps, 3)
    assert first == 428_572
    assert first + cost_share(cost - first, steps - 3, 4) == cost


def test_commission_is_per_lot_step() -> None:
    assert commission(250, 3_500_000) == 875_000_000  # 2.50 lots at 3.50 a lot


def test_swap_is_per_lot_step_and_night() -> None:
    assert swap(100, -6_500_000, 3) == -19_50 * CENT


@pytest.mark.parametrize("triple", [2, 4])
def test_a_week_of_nights_sums_to_seven(triple: int) -> None:
    assert sum(nights(day, triple, 0) for day in range(7)) == 7
    assert nights(triple, triple, 0) == 3
    assert nights(5, triple, 0) == 0


def test_a_market_that_never_closes_pays_each_night_once() -> None:
    assert [nights(day, 2, 1) for day in range(7)] == [1] * 7
