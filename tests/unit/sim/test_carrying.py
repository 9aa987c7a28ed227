"""Margin on the worst price, and the stop-out: worst first, until the level holds."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from ordergate.research.backtest.spec import Account, Filling
from support.backtests import FREE, away, bars, dollars, ran, spec, word

CALM = (0, 5, -5, 0)


def test_a_stop_out_happens_on_the_low_and_not_on_the_close() -> None:
    # 1 lot at 1.00002: margin 3,333.40, half of it 1,666.70; balance 4,000
    account = Account(balance=Decimal(4_000))
    # equity falls to 1,666.70 at 2 - 2333.3 ticks: -2332 is above, -2334 below
    safe = [CALM, CALM, (0, 5, -2331, 0), CALM]
    assert ran(spec(account=account), bars(safe), word([1, 0, 0, 0])).stop_outs == 0
    fell = [CALM, CALM, (0, 5, -2332, 0), CALM]
    told = ran(spec(account=account), bars(fell), word([1, 0, 0, 0]))
    assert (told.stop_outs, told.trades.reason.tolist()) == (1, [4])
    assert away(told.trades.exit_price[0]) == -2332
    assert dollars(told, "net") == -2334


def test_a_short_is_stopped_out_on_the_high_of_the_ask_with_slippage() -> None:
    account = Account(balance=Decimal(4_000))
    costs = replace(FREE, slippage_points=Decimal(3))
    rows = [CALM, CALM, (0, 2400, -5, 0), CALM]
    told = ran(spec(account=account, costs=costs), bars(rows), word([-1, 0, 0, 0]))
    assert told.trades.reason.tolist() == [4]
    assert away(told.trades.exit_price[0]) == 2400 + 2 + 3


def test_the_worst_goes_first_and_the_rest_may_stay() -> None:
    # two positions, bought at 2 and at 502; the margin of both is 6,683.40
    rows = [CALM, (0, 505, -5, 500), (500, 505, 495, 500), (500, 505, -1400, 0), CALM]
    account = Account(balance=Decimal(7_000))
    asked = spec(account=account, filling=Filling(per_symbol=2))
    told = ran(asked, bars(rows), word([1, 1, 0, 0, 0]))
    # on -1400: 7,000 - 1,402 - 1,902 = 3,696 stays above 3,341.70: nothing
    assert told.stop_outs == 0
    rows[3] = (500, 505, -1700, 0)
    # 7,000 - 1,702 - 2,202 = 3,096 is below: the one from 502 goes, then 1,666.70 is enough
    told = ran(asked, bars(rows), word([1, 1, 0, 0, 0]))
    assert told.stop_outs == 1
    assert [away(p) for p in told.trades.entry_price] == [502, 2]
    assert told.trades.reason.tolist() == [4, 0]


def test_a_higher_leverage_needs_less() -> None:
    account = Account(balance=Decimal(1_100), leverage=100)
    assert ran(spec(account=account), bars([CALM] * 3), word([1, 0, 0])).open_trades == 1
    account = Account(balance=Decimal(1_000), leverage=100)
    assert ran(spec(account=account), bars([CALM] * 3), word([1, 0, 0])).open_trades == 0
