"""Orders over time: bars and ticks, triggers, caps, ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ordergate.adapters.venues.paper.terms import PaperTerms
from ordergate.model.market import PriceBasis, Slice
from ordergate.model.orders import OrderType, Side, TimeInForce
from ordergate.model.outcomes import VenueStatus
from ordergate.model.values import Symbol
from support.paper import PaperBench

D = Decimal
SPREAD = D("0.00010")


@pytest.fixture
def bench(tmp_path: Path) -> PaperBench:
    made = PaperBench(tmp_path)
    made.quote()
    return made


def bar(
    bench: PaperBench,
    prices: str,
    *,
    start: datetime | None = None,
    minutes: int = 1,
    basis: PriceBasis = PriceBasis.BID_ASK,
) -> None:
    """Feed a bar of bids "open high low close"; asks lie a pip above, on trade prices upon them."""
    begin = start or bench.market.venue_now()
    o, h, l, c = (D(price) for price in prices.split())  # noqa: E741
    up = SPREAD if basis is PriceBasis.BID_ASK else D(0)
    bench.market.feed(
        Slice(
            Symbol("EURUSD"),
            begin,
            begin + timedelta(minutes=minutes),
            *(o, h, l, c),
            *(o + up, h + up, l + up, c + up),
            basis,
        )
    )


def reasons(bench: PaperBench) -> list[tuple[str, Decimal]]:
    return [(fill.reason, fill.price) for fill in bench.history().fills]


def test_a_gap_through_a_stop_fills_at_the_next_price(bench: PaperBench) -> None:
    bench.buy("0.10", stop_loss="1.09900")
    bench.quote(bid="1.09500", ask="1.09510")
    assert reasons(bench)[-1] == ("stop_loss", D("1.095"))


def test_a_stop_inside_a_bar_fills_at_the_stop(bench: PaperBench) -> None:
    bench.buy("0.10", stop_loss="1.09900")
    bar(bench, "1.10000 1.10100 1.09800 1.10050")
    assert reasons(bench)[-1] == ("stop_loss", D("1.099"))


def test_stop_and_target_in_one_bar_is_the_stop(bench: PaperBench) -> None:
    bench.buy("0.10", stop_loss="1.09900", take_profit="1.10050")
    bar(bench, "1.10000 1.10100 1.09800 1.10050")
    assert reasons(bench)[-1] == ("stop_loss", D("1.099"))


def test_a_resting_order_does_not_see_prices_from_before_it(bench: PaperBench) -> None:
    start = bench.market.venue_now()
    bench.market.advance(seconds=30)
    bench.buy("0.10", kind="limit", limit_price="1.09000")
    bar(bench, "1.10000 1.10000 1.08000 1.09500", start=start)
    assert reasons(bench) == []
    bar(bench, "1.09500 1.09500 1.08000 1.09500")
    assert reasons(bench) == [("order", D("1.09"))]


def test_a_tick_older_than_the_order_does_not_fill_it(bench: PaperBench) -> None:
    before = bench.market.venue_now()
    bench.market.advance(seconds=30)
    bench.buy("0.10", kind="limit", limit_price="1.09000")
    bar(bench, "1.08 1.08 1.08 1.08", start=before, minutes=0)
    assert reasons(bench) == []


def test_a_limit_on_trade_prices_must_be_penetrated(bench: PaperBench) -> None:
    bench.buy("0.10", kind="limit", limit_price="1.09000")
    bar(bench, "1.10000 1.10000 1.09000 1.09500", basis=PriceBasis.TRADE)
    assert reasons(bench) == []
    bar(bench, "1.09500 1.09500 1.08999 1.09500", basis=PriceBasis.TRADE)
    assert reasons(bench) == [("order", D("1.09"))]


def test_a_stop_is_alive_in_the_bar_of_the_entry(bench: PaperBench) -> None:
    bench.buy(
        "0.10", kind="limit", limit_price="1.09000", stop_loss="1.08500", take_profit="1.0950"
    )
    bar(bench, "1.10000 1.10000 1.08400 1.09000")
    assert reasons(bench) == [("order", D("1.09")), ("stop_loss", D("1.085"))]


def test_a_target_that_may_be_older_than_the_entry_does_not_count(bench: PaperBench) -> None:
    bench.buy("0.10", kind="limit", limit_price="1.09000", take_profit="1.09500")
    bar(bench, "1.10000 1.10000 1.08900 1.09200")
    assert reasons(bench) == [("order", D("1.09"))]


def test_a_marketable_limit_takes_the_better_price(bench: PaperBench) -> None:
    answer = bench.buy("0.10", kind="limit", limit_price="1.20000")
    assert (answer.status, answer.average_price) == (VenueStatus.FILLED, D("1.1001"))


def test_a_stop_limit_becomes_a_limit_that_rests(bench: PaperBench) -> None:
    order = bench.buy("0.10", kind="stop_limit", stop_price="1.10500", limit_price="1.10510")
    bench.quote(bid="1.10590", ask="1.10600")
    assert bench.snapshot().open_orders[0].status is VenueStatus.WORKING
    bench.restart()
    bench.quote(bid="1.10490", ask="1.10500")
    (fill,) = bench.history().fills
    assert (fill.venue_order_id, fill.price) == (order.venue_order_id, D("1.1051"))


@pytest.mark.parametrize(
    "trail", [{"trail_amount": "0.00100"}, {"trail_percent": "0.0909"}], ids=["amount", "percent"]
)
def test_a_trailing_stop_follows_up_and_never_down(
    bench: PaperBench, trail: dict[str, str]
) -> None:
    bench.buy("0.10")
    bench.sell("0.10", kind="trailing_stop", reduce_only=True, **trail)
    levels = []
    for bid in ("1.10000", "1.10200", "1.10150", "1.10300"):
        bench.quote(bid=bid, ask=str(D(bid) + SPREAD))
        levels.append(bench.snapshot().open_orders[0].stop_price)
    assert levels[1] == levels[2]
    assert levels == sorted(levels)  # type: ignore[type-var]
    bench.quote(bid="1.10000", ask="1.10010")
    assert reasons(bench)[-1] == ("trailing_stop", D("1.1"))
    assert bench.snapshot().positions == ()


def test_slippage_is_adverse_for_market_and_stop_and_absent_for_limits(tmp_path: Path) -> None:
    bench = PaperBench(tmp_path, terms=PaperTerms(slippage_ticks=3))
    bench.quote()
    bench.buy("0.10", stop_loss="1.09900")
    bench.buy("0.10", kind="limit", limit_price="1.09950")
    bench.quote(bid="1.09890", ask="1.09900")
    assert reasons(bench) == [
        ("order", D("1.10013")),
        ("stop_loss", D("1.09887")),
        ("order", D("1.0995")),
    ]


class TestPartialFills:
    @pytest.fixture
    def bench(self, tmp_path: Path) -> PaperBench:
        made = PaperBench(tmp_path, terms=PaperTerms(fill_cap=D("0.10")))
        made.quote()
        return made

    def test_a_market_order_fills_slice_by_slice_into_one_position(self, bench: PaperBench) -> None:
        answer = bench.buy("0.25")
        assert (answer.status, answer.filled_quantity) == (VenueStatus.PARTIAL, D("0.10"))
        bench.quote(bid="1.10010", ask="1.10020")
        bench.quote(bid="1.10010", ask="1.10020")
        (position,) = bench.snapshot().positions
        assert (position.quantity, position.open_price) == (D("0.25"), D("1.10016"))
        (state,) = bench.history().orders
        assert (state.status, state.average_price) == (VenueStatus.FILLED, D("1.10016"))

    def test_ioc_cancels_the_rest_and_fok_takes_all_or_nothing(self, bench: PaperBench) -> None:
        ioc = bench.buy("0.25", time_in_force=TimeInForce.IOC)
        assert (ioc.status, ioc.filled_quantity) == (VenueStatus.CANCELED, D("0.10"))
        fok = bench.buy("0.25", time_in_force=TimeInForce.FOK)
        assert (fok.status, fok.filled_quantity) == (VenueStatus.CANCELED, D(0))
        assert bench.buy("0.10", time_in_force=TimeInForce.FOK).status is VenueStatus.FILLED

    def test_a_partial_fill_of_one_oco_leg_cancels_the_other(self, bench: PaperBench) -> None:
        bench.buy("0.30", kind="limit", limit_price="1.09000", oco_group="g")
        bench.buy("0.30", kind="stop", stop_price="1.11000", oco_group="g")
        bench.quote(bid="1.08990", ask="1.09000")
        (left,) = bench.snapshot().open_orders
        assert (left.order_type, left.status) == (OrderType.LIMIT, VenueStatus.PARTIAL)

    def test_an_exit_ends_when_its_position_is_gone(self, bench: PaperBench) -> None:
        bench.buy("0.10", stop_loss="1.09500")
        bench.sell("0.10", kind="limit", limit_price="1.12000", reduce_only=True)
        position = bench.snapshot().positions[0].position_id
        bench.submit(
            bench.orders.place(
                "sell", "0.10", kind="limit", limit_price="1.13000", position_id=position
            )
        )
        bench.quote(bid="1.09000", ask="1.09010")
        bench.quote(bid="1.14000", ask="1.14010")
        assert bench.snapshot().positions == ()
        ended = [(o.status, o.code) for o in bench.history().orders if o.code]
        assert ended == [(VenueStatus.CANCELED, "POSITION_CLOSED")] * 2


def test_an_ioc_limit_away_from_the_market_ends_at_once(bench: PaperBench) -> None:
    answer = bench.buy("0.10", kind="limit", limit_price="1.09", time_in_force=TimeInForce.IOC)
    assert (answer.status, answer.filled_quantity) == (VenueStatus.CANCELED, D(0))
    assert bench.snapshot().open_orders == ()


def test_day_ends_at_the_venue_s_day_and_gtd_at_its_time(bench: PaperBench) -> None:
    now = bench.market.venue_now()  # 14:00 UTC = 09:00 New York
    day = bench.buy("0.10", kind="limit", limit_price="1.09", time_in_force=TimeInForce.DAY)
    gtd = bench.buy(
        "0.10",
        kind="limit",
        limit_price="1.09",
        time_in_force=TimeInForce.GTD,
        good_till=now + timedelta(hours=1),
    )
    bench.market.advance(hours=1)
    bench.quote(bid="1.08000", ask="1.08010")
    states = {o.venue_order_id: o for o in bench.history().orders}
    assert states[gtd.venue_order_id].status is VenueStatus.EXPIRED
    assert states[gtd.venue_order_id].done_at == now + timedelta(hours=1)
    assert states[day.venue_order_id].status is VenueStatus.FILLED


def test_time_alone_expires_an_order(bench: PaperBench) -> None:
    order = bench.buy("0.10", kind="limit", limit_price="1.09", time_in_force=TimeInForce.DAY)
    bench.market.advance(hours=7, minutes=59)
    assert len(bench.snapshot().open_orders) == 1
    bench.market.advance(minutes=1)
    assert bench.snapshot().open_orders == ()
    bench.crash()
    (state,) = bench.history().orders
    assert (state.venue_order_id, state.status) == (order.venue_order_id, VenueStatus.EXPIRED)


def test_a_limit_modified_through_the_market_executes(bench: PaperBench) -> None:
    order = bench.buy("0.10", kind="limit", limit_price="1.09000")
    answer = bench.modify(venue_order_id=order.venue_order_id, limit_price="1.10050")
    assert (answer.status, answer.average_price) == (VenueStatus.FILLED, D("1.1001"))


def test_a_crossed_quote_fills_nothing(bench: PaperBench) -> None:
    bench.buy("0.10", kind="limit", limit_price="1.09000")
    bench.quote(bid="1.09500", ask="1.08000")
    assert reasons(bench) == []


def test_hedging_keeps_both_sides_and_netting_one(bench: PaperBench) -> None:
    bench.buy("0.10")
    bench.sell("0.20")
    assert [p.side for p in bench.snapshot().positions] == [Side.BUY, Side.SELL]
    bench.market.set("AAPL", "200.00", "200.02")
    bench.buy("10", "AAPL", stop_loss="150.00")
    bench.market.set("AAPL", "210.00", "210.02")
    bench.buy("5", "AAPL")
    netted = bench.snapshot().positions[-1]
    assert (netted.quantity, netted.stop_loss) == (D(15), D(150))
    assert netted.open_price == D("203.35333")  # (10 x 200.02 + 5 x 210.02) / 15
    flipped = bench.sell("20", "AAPL")
    assert [(f.effect.value, f.quantity) for f in flipped.fills] == [
        ("closing", 15),
        ("opening", 5),
    ]
    last = bench.snapshot().positions[-1]
    assert (last.side, last.quantity, last.stop_loss) == (Side.SELL, D(5), None)
