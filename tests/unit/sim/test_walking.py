"""Rollovers, the mark to market and the order of work; hand-computed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ordergate.model.instruments import CalendarName
from ordergate.research.backtest.spec import BadSpec, CostSpec, Style
from support.backtests import FREE, HOUR, bars, dollars, ran, spec, styled, word

CALM = (0, 5, -5, 0)
SWAPPED = CostSpec(
    commission_per_lot=Decimal(0),
    spread_points=Decimal(2),
    swap_long_ticks=Decimal("-6.5"),
    swap_short_ticks=Decimal("2.1"),
)


def week(**costs: object) -> CostSpec:
    return replace(SWAPPED, **costs)  # type: ignore[arg-type]


def test_a_week_pays_seven_nights_three_of_them_on_wednesday() -> None:
    monday = datetime(2024, 1, 8, 12, tzinfo=UTC)
    hours = 24 * 7
    series = bars([CALM] * hours, begin=monday)
    told = ran(spec(costs=SWAPPED), series, word([1] + [0] * (hours - 1)), calendar=CalendarName.FX)
    # 6.5 ticks of one lot = 6.50 a night; the bars of the weekend are no market, the nights count
    assert dollars(told, "swap") == pytest.approx(-6.5 * 7)
    falls = [
        int(told.equity[row] - told.equity[row - 1]) // 10**6
        for row in range(2, hours)
        if told.equity[row] != told.equity[row - 1]
    ]
    # Monday, Tuesday, Wednesday, Thursday, Friday at 22:00 UTC
    assert falls == [-650, -650, -1950, -650, -650]
    at = [row for row in range(2, hours) if told.equity[row] != told.equity[row - 1]]
    assert [(series.time[row] // HOUR) % 24 for row in at] == [21, 21, 21, 21, 21]


def test_a_short_is_credited_and_weights_can_be_set() -> None:
    thursday = datetime(2024, 1, 11, 12, tzinfo=UTC)
    series = bars([CALM] * 36, begin=thursday)
    friday_three = week(swap_weights=(1, 1, 1, 1, 3, 0, 0))
    told = ran(spec(costs=friday_three), series, word([-1] + [0] * 35))
    # Thursday 1 x 2.10, Friday 3 x 2.10
    assert dollars(told, "swap") == pytest.approx(2.1 + 6.3)


def test_the_clock_change_moves_the_rollover() -> None:
    # on 10 March 2024 New York springs forward: 17:00 is 21:00 UTC from then on
    series = bars([CALM] * 48, begin=datetime(2024, 3, 10, 12, tzinfo=UTC))
    told = ran(spec(costs=SWAPPED), series, word([1] + [0] * 47))
    at = [row for row in range(2, 48) if told.equity[row] != told.equity[row - 1]]
    assert [(series.time[row] // HOUR + 1) % 24 for row in at] == [21, 21]


def test_equity_is_marked_at_every_bar_with_what_has_been_paid() -> None:
    rows = [CALM, (0, 5, -5, 4), (4, 9, -9, -8), CALM]
    costs = replace(FREE, commission_per_lot=Decimal("3.5"))
    told = ran(spec(costs=costs, strategy=styled(Style.TARGET)), bars(rows), word([1, 1, 1, 1]))
    equity = [(int(value) - told.start) / 10**8 for value in told.equity]
    # bought at 2 for 3.50; marked at the bid
    assert equity == [0, 4 - 2 - 3.5, -8 - 2 - 3.5, 0 - 2 - 3.5]
    assert told.drawdown / 10**8 == 13.5
    assert (told.balance - told.start) / 10**8 == -3.5


def test_open_trades_are_marked_and_not_closed() -> None:
    rows = [CALM, CALM, (10, 15, 8, 12)]
    told = ran(spec(), bars(rows), word([1, 0, 0]))
    assert (told.open_trades, told.trades.reason.tolist()) == (1, [0])
    assert told.closed_net == 0
    assert told.net == int(told.trades.net.sum()) == 10 * 10**8


def test_swap_weights_that_are_no_week_are_refused() -> None:
    with pytest.raises(BadSpec, match="sum to 7"):
        ran(
            spec(costs=week(swap_weights=(1, 1, 3, 1, 3, 0, 0))),
            bars([CALM] * 3),
            word([0, 0, 0]),
        )


def test_the_parts_of_a_trade_add_up_to_its_net() -> None:
    rows = [CALM, (3, 9, -1, 8), (12, 14, 2, 3), (1, 2, -20, -15), (-18, -10, -25, -20)]
    costs = replace(
        SWAPPED, slippage_points=Decimal(2), commission_per_lot=Decimal("3.5"), swap=True
    )
    asked = spec(costs=costs, strategy=styled(Style.TARGET))
    series = bars(rows * 12, begin=datetime(2024, 1, 9, 12, tzinfo=UTC))
    told = ran(asked, series, word([1, 1, -1, 2, -1] * 12))
    trades = told.trades
    made = trades.gross - trades.spread - trades.slippage - trades.delay
    assert (made - trades.commission + trades.swap).tolist() == trades.net.tolist()
    assert int(trades.net.sum()) == told.net
    assert len(trades) > 20
