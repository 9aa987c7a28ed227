"""Commissions, roundings and conversions of a deal; hand-computed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from ordergate.model.market import Timeframe
from ordergate.model.values import Symbol
from ordergate.research.backtest.engine import run_laid
from ordergate.research.backtest.laying import lay
from ordergate.research.backtest.spec import Account, BadSpec, SizeBy, Sizing, Style
from ordergate.research.backtest.tapes import MarketData, Tape
from support.backtests import FREE, bars, dollars, eurusd, ran, spec, styled, word

CALM = (0, 5, -5, 0)
ROUND_TRIP = word([1, 2, 0, 0])


def test_commission_is_taken_by_lot_by_share_and_by_rate_on_each_side() -> None:
    series, held = bars([CALM] * 4), styled(Style.TARGET)
    by_lot = replace(FREE, commission_per_lot=Decimal("3.5"))
    told = ran(spec(costs=by_lot, strategy=held), series, ROUND_TRIP)
    assert dollars(told, "commission") == 7
    by_share = replace(FREE, commission_per_share=Decimal("0.00005"))
    told = ran(spec(costs=by_share, strategy=held), series, ROUND_TRIP)
    assert dollars(told, "commission") == 10  # 100,000 units, twice
    by_rate = replace(FREE, commission_rate=Decimal("0.00002"))
    told = ran(spec(costs=by_rate, strategy=held), series, ROUND_TRIP)
    # 100,002 x 0.00002 = 2.00004 -> 2.00; 100,000 x 0.00002 = 2.00
    assert dollars(told, "commission") == 4
    least = replace(by_rate, commission_min=Decimal("2.5"))
    told = ran(spec(costs=least, strategy=held), series, ROUND_TRIP)
    assert dollars(told, "commission") == 5


@pytest.mark.parametrize(("fee", "booked"), [("0.124", 0.12), ("0.125", 0.13), ("0.126", 0.13)])
def test_a_deal_is_rounded_half_away_to_the_digits_of_the_account(fee: str, booked: float) -> None:
    costs = replace(FREE, commission_per_lot=Decimal(fee))
    told = ran(spec(costs=costs), bars([CALM] * 3), word([1, 0, 0]))
    assert dollars(told, "commission") == booked
    finer = Account(money_digits=3)
    told = ran(spec(costs=costs, account=finer), bars([CALM] * 3), word([1, 0, 0]))
    assert dollars(told, "commission") == float(fee)


def test_costs_scale_for_a_stress_test() -> None:
    costs = replace(FREE, commission_per_lot=Decimal(4), scale=Decimal("1.5"))
    told = ran(spec(costs=costs, strategy=styled(Style.TARGET)), bars([CALM] * 4), ROUND_TRIP)
    assert (dollars(told, "commission"), dollars(told, "spread")) == (12, 3)
    nothing = replace(costs, scale=Decimal(0))
    told = ran(spec(costs=nothing, strategy=styled(Style.TARGET)), bars([CALM] * 4), ROUND_TRIP)
    assert dollars(told, "net") == 0


def test_profit_in_another_currency_is_converted_at_the_rate_of_the_deal() -> None:
    rows = [CALM, CALM, (100, 105, 95, 100), CALM]
    tape = Tape(replace(eurusd(), quote_currency="CHF"), bars(rows))
    rates = bars([(10_000, 10_000, 10_000, 10_000)] * 2 + [(20_000, 20_000, 20_000, 20_000)] * 2)
    rate = replace(rates, symbol=Symbol("CHFUSD"), timeframe=Timeframe.H1)
    asked = spec(strategy=styled(Style.TARGET))
    told = run_laid(lay(asked, MarketData((tape,), {"CHF": rate})), ROUND_TRIP)
    # 98 francs; the rate known when bar 2 ends is that bar's close, 1.20
    assert dollars(told, "net") == pytest.approx(98 * 1.2)
    with pytest.raises(BadSpec, match="nothing converts CHF into USD"):
        lay(asked, MarketData((tape,)))


def test_several_symbols_share_one_account() -> None:
    rows = [CALM, CALM, (100, 105, 95, 100), CALM]
    one, other = eurusd(), eurusd(symbol=Symbol("GBPUSD"))
    tapes = (Tape(one, bars(rows)), Tape(other, bars(rows, symbol="GBPUSD")))
    asked = spec(symbols=(Symbol("EURUSD"), Symbol("GBPUSD")), strategy=styled(Style.TARGET))
    # events alternate: both buy on bar 0; EURUSD leaves on bar 1
    told = run_laid(lay(asked, MarketData(tapes)), word([1, 1, 2, 1, 2, 1, 2, 1]))
    assert told.trades.symbol.tolist() == [0, 1]
    assert told.trades.reason.tolist() == [3, 0]
    assert [dollars(told, "net", row) for row in (0, 1)] == [98, -2]
    # one margin for both: 6,666.80
    poor = replace(asked, account=Account(balance=Decimal(6_666)))
    told = run_laid(lay(poor, MarketData(tapes)), word([1, 1, 2, 1, 2, 1, 2, 1]))
    assert told.refused["INSUFFICIENT_MARGIN"] >= 1


def test_a_size_that_cannot_be_counted_exactly_is_refused_before_the_run() -> None:
    huge = Sizing(by=SizeBy.LOTS, amount=Decimal(10**9))
    with pytest.raises(BadSpec, match="too large"):
        ran(spec(sizing=huge), bars([CALM] * 3), word([1, 0, 0]), lot_max=Decimal(10**9))
