"""Wishes become orders: sizes, refusals, what waits; hand-computed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from ordergate.model.instruments import CalendarName
from ordergate.research.backtest.spec import (
    Account,
    Filling,
    SizeBy,
    Sizing,
    Style,
    WhenClosed,
)
from ordergate.sim import layout
from support.backtests import away, bars, ran, spec, styled, utc_friday, word

CALM = (0, 5, -5, 0)


def test_risk_sizes_round_down_from_the_distance_to_the_stop() -> None:
    # 1 % of 100,000 = 1,000; entered at the ask 2, stopped at -47: 49 ticks = 0.49 a step
    sizing = Sizing(by=SizeBy.RISK, amount=Decimal(1))
    told = ran(spec(sizing=sizing), bars([CALM] * 3), word([1, 0, 0], stop=[-47, 0, 0]))
    assert told.trades.steps[0] == 2040  # 1,000 / 0.49 = 2040.8
    bare = ran(spec(sizing=sizing), bars([CALM] * 3), word([1, 0, 0]))
    assert (len(bare.trades), bare.refused) == (0, {"STOP_REQUIRED": 1})


def test_notional_sizes_are_money_over_price() -> None:
    # 50,000 / (1.00002 x 1,000 units) = 49.999 steps
    sizing = Sizing(by=SizeBy.NOTIONAL, amount=Decimal(50_000))
    told = ran(spec(sizing=sizing), bars([CALM] * 3), word([1, 0, 0]))
    assert told.trades.steps[0] == 49


def test_a_size_below_the_least_is_refused_and_never_rounded_up() -> None:
    sizing = Sizing(by=SizeBy.NOTIONAL, amount=Decimal(900))
    told = ran(spec(sizing=sizing), bars([CALM] * 3), word([1, 0, 0]))
    assert (len(told.trades), told.refused) == (0, {"INVALID_VOLUME": 1})
    most = Sizing(by=SizeBy.NOTIONAL, amount=Decimal(10**6))
    told = ran(spec(sizing=most), bars([CALM] * 3), word([1, 0, 0]), lot_max=Decimal(2))
    assert told.trades.steps[0] == 200


def test_stops_nearer_than_the_stops_level_or_on_the_wrong_side_are_refused() -> None:
    series = bars([CALM] * 3)
    near = word([1, 0, 0], stop=[-9, 0, 0])
    assert ran(spec(), series, near, stops_level_ticks=10).refused == {"INVALID_STOPS": 1}
    far = word([1, 0, 0], stop=[-10, 0, 0])
    assert ran(spec(), series, far, stops_level_ticks=10).refused == {}
    wrong = word([-1, 0, 0], stop=[-10, 0, 0])
    assert ran(spec(), series, wrong).refused == {"INVALID_STOPS": 1}
    target = word([1, 0, 0], target=[0, 0, 0])
    assert ran(spec(), series, word([1, 0, 0], target=[-1, 0, 0])).refused
    assert ran(spec(), series, target).refused == {}  # 0 = none


def test_a_stop_entry_behind_the_market_is_refused() -> None:
    kind = {layout.W_KIND: [2], layout.W_PRICE: [100_000 + 2], layout.W_UNTIL: [5]}
    told = ran(spec(), bars([CALM] * 3), word([1, 0, 0], more=kind))
    assert told.refused == {"INVALID_PRICE": 1}  # the ask is 2 already


def test_what_the_margin_does_not_carry_is_refused() -> None:
    # 1 lot at 1.00002 and 1:30 needs 3,333.40
    poor = Account(balance=Decimal("3333.39"))
    told = ran(spec(account=poor), bars([CALM] * 3), word([1, 0, 0]))
    assert told.refused == {"INSUFFICIENT_MARGIN": 1}
    enough = Account(balance=Decimal("3333.40"))
    assert ran(spec(account=enough), bars([CALM] * 3), word([1, 0, 0])).refused == {}


def test_a_closed_market_refuses_or_makes_the_order_wait() -> None:
    # the bar from 16:00 to 17:00 New York on a Friday is the last of the week
    series = bars([CALM, CALM, CALM], begin=utc_friday(20))
    friday = {"calendar": CalendarName.FX}
    refused = ran(spec(), series, word([0, 1, 0]), **friday)
    assert refused.refused == {"MARKET_CLOSED": 1}
    waits = spec(filling=Filling(when_closed=WhenClosed.WAIT))
    told = ran(waits, series, word([0, 1, 0]), **friday)
    # the bar after the close is no market: nothing fills on it
    assert (told.refused, len(told.trades)) == ({}, 0)


def test_one_position_of_a_symbol_at_a_time_unless_told_otherwise() -> None:
    series = bars([CALM] * 5)
    assert ran(spec(), series, word([1, 1, 1, 0, 0])).open_trades == 1
    two = spec(filling=Filling(per_symbol=2))
    assert ran(two, series, word([1, 1, 1, 0, 0])).open_trades == 2


def test_an_opposite_wish_turns_only_where_the_style_says_so() -> None:
    rows = [CALM, CALM, (10, 15, 8, 10), (20, 25, 18, 20)]
    asked = word([1, -1, 0, 0])
    stays = ran(spec(), bars(rows), asked)
    assert (stays.open_trades, len(stays.trades)) == (1, 1)
    turns = ran(spec(strategy=styled(Style.REVERSE)), bars(rows), asked)
    assert turns.trades.side.tolist() == [1, -1]
    assert [away(price) for price in turns.trades.entry_price] == [2, 10]
    assert away(turns.trades.exit_price[0]) == 10


def test_a_delay_in_bars_and_in_milliseconds_moves_the_fill() -> None:
    rows = [CALM, (1, 5, -5, 0), (2, 5, -5, 0), (3, 5, -5, 0)]
    asked = word([1, 0, 0, 0])

    def entry(**changes: int) -> int:
        return away(ran(spec(**changes), bars(rows), asked).trades.entry_price[0]) - 2

    assert entry() == 1
    assert entry(delay_bars=1) == 2
    assert entry(delay_ms=1) == 2  # the next bar opens at the very decision: too early
    assert entry(delay_ms=3_600_000) == 2
    assert entry(delay_ms=3_600_001) == 3


def test_an_order_without_a_price_in_time_is_refused_as_stale() -> None:
    series = bars([CALM] * 4)
    gap = series.time.copy()
    gap[2:] += 10 * 3_600_000_000_000
    holed = replace(series, time=gap)
    asked = spec(filling=Filling(stale_bars=2))
    told = ran(asked, holed, word([0, 1, 0, 0]))
    assert told.refused == {"DATA_UNAVAILABLE": 1}
    assert ran(asked, holed, word([1, 0, 0, 0])).refused == {}
