from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy
import pytest

from ordergate.model.instruments import AssetClass, CalendarName
from ordergate.model.series import Prices, Series
from ordergate.research.backtest.spec import BadSpec, CostSpec
from ordergate.research.backtest.ticks import (
    BadTape,
    check_bars,
    nearest_ticks,
    sides_of,
    slippage_of,
    tick_value_of,
    ticks_of,
    weights_of,
)
from support.backtests import bars, eurusd, wider

CALM = (0, 5, -5, 0)
TICK = Decimal("0.00001")


def test_bids_round_down_asks_up_and_dust_of_floats_is_none() -> None:
    column = numpy.array([1.39111, 1.391114, 1.391116])
    assert ticks_of(column, TICK, up=False).tolist() == [139111, 139111, 139111]
    assert ticks_of(column, TICK, up=True).tolist() == [139111, 139112, 139112]
    assert nearest_ticks(numpy.array([1.391116, numpy.nan]), TICK).tolist() == [139112, 0]


def broken(**columns: list[float]) -> Series:
    series = bars([CALM] * 3)
    return replace(series, **{name: numpy.array(values) for name, values in columns.items()})


@pytest.mark.parametrize(
    ("series", "said"),
    [
        (bars([CALM]), "has 1 bars"),
        (broken(close=[1.0, float("nan"), 1.0]), "has no usable close"),
        (broken(close=[1.0, 0.0, 1.0]), "has no usable close"),
        (broken(high=[1.00005, 0.5, 1.00005]), "outside its own range"),
        (broken(time=[1, 3, 2]), "is not later"),
        (broken(time=[1, 2, 2]), "is not later"),
        (
            replace(bars([CALM] * 3), ask=bars([(-1, 5, -5, -1)] * 3)),
            "is crossed",
        ),
    ],
)
def test_bars_that_cannot_be_tested_on_are_named(series: Series, said: str) -> None:
    with pytest.raises(BadTape, match=said) as caught:
        check_bars(series)
    assert (caught.value.code, bool(caught.value.fix)) == ("DATA_UNAVAILABLE", True)


def test_a_spread_is_recorded_times_a_factor_and_never_below_the_floor() -> None:
    series = bars([CALM] * 2, asks=wider([CALM] * 2, 4))

    def spread(costs: CostSpec) -> int:
        sides = sides_of(series, TICK, costs)
        return int(sides[4][0] - sides[0][0])

    assert spread(CostSpec()) == 4
    assert spread(CostSpec(spread_factor=Decimal("1.3"))) == 6  # 5.2, up
    assert spread(CostSpec(spread_floor_points=Decimal(9))) == 9
    assert spread(CostSpec(scale=Decimal(2))) == 8


def test_bars_of_one_side_need_a_spread() -> None:
    with pytest.raises(BadSpec, match="one side"):
        sides_of(bars([CALM] * 2), TICK, CostSpec())
    made = sides_of(bars([CALM] * 2), TICK, CostSpec(spread_points=Decimal(7)))
    assert (made[4] - made[0]).tolist() == [7, 7]


def test_slippage_of_the_range_looks_at_bars_before_alone() -> None:
    calm = sides_of(bars([CALM] * 3), TICK, CostSpec(spread_points=Decimal(1)))
    wild = sides_of(bars([CALM, CALM, (0, 900, -900, 0)]), TICK, CostSpec(spread_points=Decimal(1)))
    costs = CostSpec(slippage_range=Decimal("0.5"))
    assert slippage_of(calm, costs).tolist() == slippage_of(wild, costs).tolist() == [0, 5, 5]


def test_weights_are_those_of_the_market_unless_given() -> None:
    fx = eurusd(calendar=CalendarName.FX)
    assert weights_of(fx, CostSpec()) == (1, 1, 3, 1, 1, 0, 0)
    index = replace(fx, asset_class=AssetClass.INDEX)
    assert weights_of(index, CostSpec()) == (1, 1, 1, 1, 3, 0, 0)
    assert weights_of(eurusd(), CostSpec()) == (1,) * 7
    assert weights_of(fx, CostSpec(swap=False)) == (0,) * 7


def test_a_tick_that_money_cannot_count_is_refused() -> None:
    assert tick_value_of(eurusd()) == 10**6
    with pytest.raises(BadSpec, match="less than money can count"):
        tick_value_of(eurusd(lot_step=Decimal("0.0000000001")))


def test_prices_of_both_sides_are_checked() -> None:
    series = bars([CALM] * 3, asks=wider([CALM] * 3, 2))
    check_bars(series)
    assert series.ask is not None
    holed = Prices(series.ask.open, series.ask.high, series.ask.low, series.ask.close * numpy.nan)
    with pytest.raises(BadTape, match="has no usable ask close"):
        check_bars(replace(series, ask=holed))
