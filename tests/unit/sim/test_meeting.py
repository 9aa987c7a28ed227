"""What one bar does to the books: hand-computed, prices in ticks away from 1.00000, one lot."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from ordergate.model.market import Timeframe
from ordergate.research.backtest.spec import CostSpec, Filling, InOneBar, Style
from ordergate.sim import layout
from support.backtests import FREE, away, bars, dollars, ran, spec, styled, wider, word

CALM = (0, 5, -5, 0)


def test_a_market_order_fills_at_the_next_open_and_pays_the_spread_on_both_sides() -> None:
    rows = [CALM, (7, 9, 3, 4), (20, 25, 18, 22), (30, 31, 29, 30)]
    told = ran(
        spec(strategy=styled(Style.TARGET)),
        bars(rows, asks=wider(rows, 3)),
        word([1, 2, 0, 0]),
    )
    # decided at the close of bar 0, bought at the ask of bar 1: 7 + 3; sold at the bid of bar 2: 20
    assert (away(told.trades.entry_price[0]), away(told.trades.exit_price[0])) == (10, 20)
    assert dollars(told, "net") == 10
    assert dollars(told, "spread") == 3  # half of it on each side
    # middle of the first decision 1.5, of the second 5.5, of the fills 8.5 and 21.5
    assert dollars(told, "delay") == (8.5 - 1.5) - (21.5 - 5.5)
    assert dollars(told, "gross") == 5.5 - 1.5


def test_a_short_sells_at_the_bid_and_is_stopped_on_the_ask() -> None:
    rows = [CALM, (0, 6, -4, 2), CALM]
    asks = wider(rows, 3)
    stopped = ran(spec(), bars(rows, asks=asks), word([-1, 0, 0], stop=[9, 0, 0]))
    # the ask's high is 9, the bid's 6: sold at 0, bought back at 9
    assert away(stopped.trades.entry_price[0]) == 0
    assert (away(stopped.trades.exit_price[0]), stopped.trades.reason[0]) == (9, 1)
    safe = ran(spec(), bars(rows, asks=asks), word([-1, 0, 0], stop=[10, 0, 0]))
    assert safe.open_trades == 1


def test_a_stop_is_alive_in_the_bar_of_the_entry() -> None:
    rows = [CALM, (0, 4, -12, 3), CALM]
    told = ran(spec(), bars(rows, asks=wider(rows, 2)), word([1, 0, 0], stop=[-10, 0, 0]))
    assert away(told.trades.exit_price[0]) == -10
    assert told.trades.entry_time[0] + 3_600_000_000_000 == told.trades.exit_time[0]
    assert dollars(told, "net") == -12


def test_a_gap_through_a_stop_fills_at_the_open_and_slips() -> None:
    rows = [CALM, CALM, (-40, -30, -45, -35), CALM]
    costs = replace(FREE, slippage_points=Decimal(3))
    told = ran(spec(costs=costs), bars(rows), word([1, 0, 0, 0], stop=[-10, 0, 0, 0]))
    # bought at 0 + 2 + 3, the stop at -10 is jumped: the bid opens at -40, slipped to -43
    assert (away(told.trades.entry_price[0]), away(told.trades.exit_price[0])) == (5, -43)
    assert dollars(told, "net") == -48
    assert dollars(told, "slippage") == 6


def test_a_target_fills_at_its_own_price_through_a_gap_too() -> None:
    rows = [CALM, CALM, (40, 45, 30, 35), CALM]
    told = ran(spec(), bars(rows, asks=wider(rows, 2)), word([1, 0, 0, 0], target=[20, 0, 0, 0]))
    assert (away(told.trades.exit_price[0]), told.trades.reason[0]) == (20, 2)


def test_on_trade_prices_a_target_needs_penetration_by_a_tick() -> None:
    touched = [CALM, (0, 20, -5, 0), CALM]
    passed = [CALM, (0, 21, -5, 0), CALM]
    asked = word([1, 0, 0], target=[20, 0, 0])
    assert ran(spec(), bars(touched), asked).open_trades == 1
    assert ran(spec(), bars(passed), asked).trades.reason[0] == 2
    both_sides = bars(touched, asks=wider(touched, 2))
    assert ran(spec(), both_sides, asked).trades.reason[0] == 2


def test_a_bar_that_holds_stop_and_target_takes_the_stop_and_tells_the_band() -> None:
    rows = [CALM, CALM, (0, 15, -15, 0), CALM]
    asked = word([1, 0, 0, 0], stop=[-10, 0, 0, 0], target=[10, 0, 0, 0])
    told = ran(spec(), bars(rows), asked)
    assert (away(told.trades.exit_price[0]), told.trades.ambiguous[0]) == (-10, 1)
    assert told.ambiguous == 1
    start = told.start
    assert [(end - start) // 10**8 for end in told.band] == [-12, 8]
    other = ran(spec(filling=Filling(in_one_bar=InOneBar.TARGET)), bars(rows), asked)
    assert away(other.trades.exit_price[0]) == 10
    assert other.band == told.band


@pytest.mark.parametrize(
    ("first", "price", "reason"), [((0, 12, -2, 8), 10, 2), ((0, 3, -12, -9), -10, 1)]
)
def test_finer_bars_tell_what_came_first(
    first: tuple[int, int, int, int], price: int, reason: int
) -> None:
    rows = [CALM, CALM, (0, 15, -15, 0), CALM]
    last = (first[3], 15, -15, 0)
    finer = bars([CALM] * 8 + [first, last] + [CALM] * 6, timeframe=Timeframe.M15)
    told = ran(
        spec(),
        bars(rows),
        word([1, 0, 0, 0], stop=[-10, 0, 0, 0], target=[10, 0, 0, 0]),
        finer=finer,
    )
    assert (away(told.trades.exit_price[0]), told.trades.reason[0]) == (price, reason)
    assert (told.ambiguous, told.trades.ambiguous[0]) == (0, 0)


def test_a_limit_waits_for_its_price_and_lapses() -> None:
    rows = [CALM, (0, 5, -9, 0), (0, 5, -12, 0), CALM]
    asks = wider(rows, 2)
    kind = {layout.W_KIND: [1], layout.W_PRICE: [100_000 - 10], layout.W_UNTIL: [5]}
    told = ran(spec(), bars(rows, asks=asks), word([1, 0, 0, 0], more=kind))
    # the ask comes down to -10 in bar 2 alone
    assert away(told.trades.entry_price[0]) == -10
    assert told.trades.entry_time[0] == told.time[1]
    kind[layout.W_UNTIL] = [0]  # for the first bar only
    assert len(ran(spec(), bars(rows, asks=asks), word([1, 0, 0, 0], more=kind)).trades) == 0


def test_a_limit_on_trade_prices_needs_penetration() -> None:
    kind = {layout.W_KIND: [1], layout.W_PRICE: [100_000 - 3], layout.W_UNTIL: [5]}
    rows = [CALM, CALM, CALM]  # the ask's low is -5 + 2 = -3: touched, not passed
    assert len(ran(spec(), bars(rows), word([1, 0, 0], more=kind)).trades) == 0
    deeper = [CALM, (0, 5, -6, 0), CALM]
    assert len(ran(spec(), bars(deeper), word([1, 0, 0], more=kind)).trades) == 1


def test_a_stop_entry_fills_at_its_trigger_or_at_a_worse_open() -> None:
    kind = {layout.W_KIND: [2], layout.W_PRICE: [100_000 + 10], layout.W_UNTIL: [5]}
    inside = [CALM, (0, 9, -5, 0), CALM]
    told = ran(spec(), bars(inside, asks=wider(inside, 2)), word([1, 0, 0], more=kind))
    assert away(told.trades.entry_price[0]) == 10
    gap = [CALM, (30, 35, 25, 30), CALM]
    told = ran(spec(), bars(gap, asks=wider(gap, 2)), word([1, 0, 0], more=kind))
    assert away(told.trades.entry_price[0]) == 32


def test_a_target_does_not_count_before_a_limit_entry_of_its_bar() -> None:
    kind = {layout.W_KIND: [1], layout.W_PRICE: [100_000 - 10], layout.W_UNTIL: [5]}
    rows = [CALM, (0, 30, -20, -5), CALM]
    told = ran(
        spec(),
        bars(rows, asks=wider(rows, 2)),
        word([1, 0, 0], target=[20, 0, 0], more=kind),
    )
    assert told.open_trades == 1


def test_an_order_takes_no_more_than_its_share_of_the_volume() -> None:
    rows = [CALM] * 5
    filling = Filling(fill_share=Decimal("0.5"))
    # half of 60,000 units = 30 of the 100 steps on each bar
    told = ran(
        spec(filling=filling, strategy=styled(Style.TARGET)),
        bars(rows, volume=[60_000.0] * 5),
        word([1, 1, 1, 1, 1]),
    )
    assert told.trades.steps.tolist() == [100]
    short = ran(
        spec(filling=filling, strategy=styled(Style.TARGET)),
        bars(rows[:3], volume=[60_000.0] * 3),
        word([1, 1, 1]),
    )
    assert short.trades.steps.tolist() == [60]


def test_a_repeated_price_without_trades_fills_nothing() -> None:
    rows = [CALM, (0, 0, 0, 0), (4, 5, 3, 4), CALM]
    told = ran(spec(), bars(rows, volume=[10.0, 0.0, 10.0, 10.0]), word([1, 0, 0, 0]))
    assert away(told.trades.entry_price[0]) == 4 + 2


def test_slippage_is_fixed_and_in_parts_of_price_and_range() -> None:
    rows = [(0, 10, -10, 0)] * 4
    fixed = CostSpec(
        commission_per_lot=Decimal(0),
        swap=False,
        spread_points=Decimal(2),
        slippage_points=Decimal(1),
        slippage_ppm=Decimal(20),  # of 100,000 ticks: 2
        slippage_range=Decimal("0.25"),  # of 20: 5
    )
    told = ran(spec(costs=fixed), bars(rows), word([1, 0, 0, 0]))
    assert away(told.trades.entry_price[0]) == 2 + 1 + 2 + 5
