"""Hand-computed money: profit, conversion, commission, swap, the day, margin, stop-out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ordergate.adapters.venues.paper.terms import PaperTerms
from ordergate.model.market import Slice
from ordergate.model.values import Symbol
from support.manual_market import STANDARD, ManualMarket
from support.paper import PaperBench

D = Decimal


@pytest.fixture
def bench(tmp_path: Path) -> PaperBench:
    made = PaperBench(tmp_path)
    made.quote()
    return made


def test_a_long_is_marked_on_the_bid_and_a_short_on_the_ask(bench: PaperBench) -> None:
    bench.buy("1.00")
    bench.sell("0.50")
    long, short = bench.snapshot().positions
    assert (long.open_pnl, short.open_pnl) == (D("-10"), D("-5"))
    assert (long.current_price, short.current_price) == (D("1.1"), D("1.1001"))


def test_equity_is_balance_and_open_profit(bench: PaperBench) -> None:
    bench.buy("1.00")
    bench.quote(bid="1.10510", ask="1.10520")
    account = bench.snapshot().account
    assert (account.balance, account.open_pnl) == (D(100_000), D(500))
    assert account.equity == D(100_500)
    assert account.margin_used == D("3667")  # 100,000 x 1.10010 / 30
    assert account.margin_free == D("96833")


def test_a_realised_result_is_converted_at_the_moment_s_rate(bench: PaperBench) -> None:
    bench.quote("USDJPY", "150.000", "150.010")
    position = bench.buy("1.00", "USDJPY").position_id
    bench.quote("USDJPY", "150.500", "150.510")
    (fill,) = bench.close(position, "1.00").fills
    assert fill.realised == D("325.57")  # 490 ticks = 49,000 JPY, at 150.505
    assert bench.snapshot().account.realised_today == fill.realised


def test_a_missing_conversion_refuses_the_opening(bench: PaperBench) -> None:
    bench.quote("EURJPY", "165.000", "165.010")
    bench.market.forget("EURUSD")
    order = bench.orders.place("buy", "0.10", "EURJPY")
    assert bench.refused(order) == "NO_PRICES"


def test_commission_is_charged_per_lot_and_side(tmp_path: Path) -> None:
    instruments = [replace(i, commission_per_lot=D("3.50")) for i in STANDARD]
    bench = PaperBench(tmp_path, market=ManualMarket(instruments=instruments))
    bench.quote()
    position = bench.buy("0.50").position_id
    assert bench.snapshot().account.balance == D("99998.25")
    (fill,) = bench.close(position, "0.50").fills
    assert (fill.commission, fill.realised) == (D("1.75"), D("-5"))
    assert bench.snapshot().account.balance == D("99991.50")
    assert bench.snapshot().account.realised_today == D("-8.50")


@pytest.mark.parametrize(
    ("days", "credit"),
    [(1, "-19.5"), (2, "-26"), (3, "-32.5"), (4, "-32.5"), (5, "-32.5"), (7, "-45.5")],
)
def test_swap_at_five_in_new_york_wednesday_counts_three(
    bench: PaperBench, days: int, credit: str
) -> None:
    bench.buy("1.00")  # a Wednesday, -6.5 ticks a night and lot
    bench.market.advance(days=days)
    (position,) = bench.snapshot().positions
    assert position.swap == D(credit)
    assert bench.snapshot().account.balance == D(100_000) + D(credit)


def test_swap_can_be_off(tmp_path: Path) -> None:
    bench = PaperBench(tmp_path, terms=PaperTerms(swap=False))
    bench.quote()
    bench.buy("1.00")
    bench.market.advance(days=7)
    assert bench.snapshot().account.balance == D(100_000)


def test_the_day_begins_with_the_equity_of_its_start(bench: PaperBench) -> None:
    position = bench.buy("1.00").position_id
    bench.quote(bid="1.10510", ask="1.10520")
    assert bench.snapshot().account.day == date(2026, 1, 7)
    bench.market.set("EURUSD", "1.10510", "1.10520", datetime(2026, 1, 7, 22, tzinfo=UTC))
    account = bench.snapshot().account
    assert account.day == date(2026, 1, 8)
    assert account.day_start_equity == D("100480.5")  # 500 profit, 19.50 swap of the day before
    assert account.realised_today == D(0)
    bench.close(position, "1.00")
    assert bench.snapshot().account.realised_today == D(500)
    bench.crash()
    assert bench.snapshot().account.day_start_equity == D("100480.5")


def test_hedged_positions_need_the_margin_of_the_larger_leg(bench: PaperBench) -> None:
    bench.buy("1.00")
    bench.sell("0.60")
    assert bench.snapshot().account.margin_used == D("3667")


def test_an_order_needs_margin_at_the_moment_it_fills(tmp_path: Path) -> None:
    bench = PaperBench(tmp_path, terms=PaperTerms(balance=D(5_000)))
    bench.quote()
    bench.buy("1.00", kind="limit", limit_price="1.09000")
    bench.buy("1.00")
    bench.quote(bid="1.08990", ask="1.09000")
    ended = [order.code for order in bench.history().orders if order.code]
    assert ended == ["INSUFFICIENT_MARGIN"]
    assert len(bench.snapshot().positions) == 1


def test_stop_out_closes_the_worst_first_until_the_margin_suffices(tmp_path: Path) -> None:
    bench = PaperBench(tmp_path, terms=PaperTerms(balance=D(5_000)))
    bench.quote()
    bench.quote("GBPUSD", "1.30000", "1.30010")
    bench.buy("0.20", "GBPUSD")  # margin 866.74
    bench.buy("1.00")  # margin 3,667
    bench.buy("0.10", kind="limit", limit_price="1.00000")
    bench.quote(bid="1.07300", ask="1.07310")  # -2,710: equity 2,288 over 4,533.74 = 50.5 %
    assert len(bench.snapshot().positions) == 2
    bench.quote(bid="1.07270", ask="1.07280")  # 2,258 over 4,533.74 = 49.8 %
    (left,) = bench.snapshot().positions
    assert left.symbol == "GBPUSD"
    fill = bench.history().fills[-1]
    assert (fill.reason, fill.price, fill.realised) == ("stop_out", D("1.0727"), D("-2740"))
    assert bench.snapshot().open_orders == ()


def test_a_bar_stops_out_on_its_worst_price(tmp_path: Path) -> None:
    bench = PaperBench(tmp_path, terms=PaperTerms(balance=D(5_000)))
    bench.quote()
    bench.buy("1.00")
    now = bench.market.venue_now()
    bids = [D("1.1"), D("1.1"), D("1.068"), D("1.1")]
    asks = [bid + D("0.0001") for bid in bids]
    bench.market.feed(Slice(Symbol("EURUSD"), now, now, *bids, *asks))
    assert bench.history().fills[-1].reason == "stop_out"


def test_a_position_without_a_quote_is_valued_at_its_last_mark(bench: PaperBench) -> None:
    bench.buy("1.00")
    bench.quote(bid="1.10510", ask="1.10520")
    bench.restart()
    bench.market.forget("EURUSD")
    snapshot = bench.snapshot()
    assert snapshot.positions[0].current_price is None
    assert snapshot.positions[0].open_pnl is None
    assert snapshot.account.equity == D(100_500)
