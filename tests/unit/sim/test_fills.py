"""Hand-computed fills. Prices are ticks; bars are open, high, low, close."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordergate.sim.fills import (
    BUY,
    NOTHING,
    ON_BID_ASK,
    ON_TRADES,
    SELL,
    STOP_LOSS,
    TAKE_PROFIT,
    after_entry,
    arriving_limit,
    capped,
    executable,
    market_price,
    only_close,
    protective,
    ratchet,
    resting_limit,
    stop,
    stop_limit,
    trail_from,
    trailing_stop,
)

Bar = tuple[int, int, int, int]
BID: Bar = (100, 110, 90, 105)
ASK: Bar = (102, 112, 92, 107)


def mirrored(bar: Bar) -> Bar:
    """Return the bar turned upside down around 1000: buys become sells."""
    return (2000 - bar[0], 2000 - bar[2], 2000 - bar[1], 2000 - bar[3])


def at(price: int) -> Bar:
    return (price, price, price, price)


def test_buys_trade_at_the_ask_and_sells_at_the_bid() -> None:
    assert executable(BUY, BID, ASK) == ASK
    assert executable(SELL, BID, ASK) == BID


def test_a_market_order_pays_the_first_price_slipped_against_it() -> None:
    assert market_price(BUY, ASK, 3) == 105
    assert market_price(SELL, BID, 3) == 97


def test_an_order_placed_while_a_bar_ran_sees_only_its_close() -> None:
    assert only_close(BID) == at(105)


@pytest.mark.parametrize(
    ("side", "limit", "bar", "basis", "want"),
    [
        (BUY, 92, ASK, ON_BID_ASK, (1, 92)),  # executable: the ask came to the limit
        (BUY, 91, ASK, ON_BID_ASK, (0, 0)),
        (BUY, 92, ASK, ON_TRADES, (0, 0)),  # touched only: trade prices must penetrate
        (BUY, 93, ASK, ON_TRADES, (1, 93)),
        (SELL, 110, BID, ON_BID_ASK, (1, 110)),
        (SELL, 111, BID, ON_BID_ASK, (0, 0)),
        (SELL, 110, BID, ON_TRADES, (0, 0)),
        (SELL, 109, BID, ON_TRADES, (1, 109)),
        (BUY, 105, (95, 96, 90, 91), ON_BID_ASK, (1, 105)),  # gap through: still the limit
    ],
)
def test_a_resting_limit(
    side: int, limit: int, bar: Bar, basis: int, want: tuple[int, int]
) -> None:
    assert resting_limit(side, limit, bar, basis) == want


@pytest.mark.parametrize(
    ("side", "limit", "touch", "basis", "want"),
    [
        (BUY, 105, 102, ON_BID_ASK, (1, 102)),  # the better market price
        (BUY, 102, 102, ON_BID_ASK, (1, 102)),
        (BUY, 102, 102, ON_TRADES, (0, 0)),
        (BUY, 101, 102, ON_BID_ASK, (0, 0)),
        (SELL, 98, 100, ON_BID_ASK, (1, 100)),
        (SELL, 101, 100, ON_BID_ASK, (0, 0)),
    ],
)
def test_an_arriving_limit_takes_the_market_when_marketable(
    side: int, limit: int, touch: int, basis: int, want: tuple[int, int]
) -> None:
    assert arriving_limit(side, limit, touch, basis) == want


@pytest.mark.parametrize(
    ("side", "trigger", "bar", "slippage", "want"),
    [
        (BUY, 110, ASK, 0, (1, 110)),  # reached inside the bar
        (BUY, 110, ASK, 2, (1, 112)),
        (BUY, 113, ASK, 0, (0, 0)),
        (BUY, 101, ASK, 0, (1, 102)),  # opened beyond it: the open, not the stop
        (BUY, 101, ASK, 2, (1, 104)),
        (SELL, 95, BID, 0, (1, 95)),
        (SELL, 95, BID, 2, (1, 93)),
        (SELL, 103, BID, 0, (1, 100)),
        (SELL, 89, BID, 0, (0, 0)),
        (BUY, 100, at(100), 0, (1, 100)),
    ],
)
def test_a_stop(side: int, trigger: int, bar: Bar, slippage: int, want: tuple[int, int]) -> None:
    assert stop(side, trigger, bar, slippage) == want


@pytest.mark.parametrize(
    ("trigger", "limit", "bar", "want"),
    [
        (113, 115, ASK, (0, 0, 0)),  # not reached
        (110, 111, ASK, (1, 1, 110)),  # triggered inside, marketable at the trigger
        (101, 104, ASK, (1, 1, 102)),  # opened beyond the trigger, within the limit
        (101, 101, ASK, (1, 1, 101)),  # opened beyond the limit, came back to it
        (95, 91, ASK, (1, 0, 0)),  # opened beyond the limit, never came back
        (110, 106, ASK, (1, 0, 0)),  # the low may be older than the trigger; the close is above
        (110, 107, ASK, (1, 1, 107)),  # the close is certainly later
    ],
)
def test_a_buy_stop_limit(trigger: int, limit: int, bar: Bar, want: tuple[int, int, int]) -> None:
    assert stop_limit(BUY, trigger, limit, bar, ON_BID_ASK) == want
    triggered, filled, price = stop_limit(
        SELL, 2000 - trigger, 2000 - limit, mirrored(bar), ON_BID_ASK
    )
    assert (triggered, filled, 2000 - price if filled else 0) == want


@pytest.mark.parametrize(
    ("side", "price", "distance", "ppm", "want"),
    [
        (SELL, 1000, 15, 0, 985),
        (BUY, 1000, 15, 0, 1015),
        (SELL, 1000, 0, 10_000, 990),  # 1 %
        (BUY, 1000, 0, 10_000, 1010),
        (SELL, 1001, 0, 10_000, 990),  # 990.99: away from the market
        (BUY, 1001, 0, 10_000, 1012),  # 1011.01
    ],
)
def test_where_a_trailing_stop_starts(
    side: int, price: int, distance: int, ppm: int, want: int
) -> None:
    assert trail_from(side, price, distance, ppm) == want


def test_a_trailing_stop_never_moves_away_from_the_market() -> None:
    assert ratchet(SELL, 90, 85) == 90
    assert ratchet(SELL, 90, 95) == 95
    assert ratchet(BUY, 110, 115) == 110
    assert ratchet(BUY, 110, 105) == 105
    assert ratchet(SELL, 0, 42) == 42


@pytest.mark.parametrize(
    ("level", "bar", "want"),
    [
        (0, at(100), (0, 0, 90)),  # starts with the first price
        (90, at(105), (0, 0, 95)),
        (95, at(96), (0, 0, 95)),
        (95, at(94), (1, 94, 95)),  # a tick beyond it: that tick, not the stop
        (95, (96, 97, 93, 97), (1, 95, 95)),
        (85, (100, 101, 89, 95), (1, 90, 90)),  # the open ratchets before the low comes
        (85, (100, 120, 95, 112), (0, 0, 110)),
        (85, (100, 120, 95, 108), (1, 110, 110)),  # the close is later than the high
    ],
)
def test_a_trailing_sell_stop_ten_ticks_behind(
    level: int, bar: Bar, want: tuple[int, int, int]
) -> None:
    assert trailing_stop(SELL, level, 10, 0, bar, 0) == want


@pytest.mark.parametrize(
    ("stop_loss", "take_profit", "bar", "want"),
    [
        (90, 0, BID, (STOP_LOSS, 90, 0)),
        (89, 0, BID, (NOTHING, 0, 0)),
        (0, 110, BID, (TAKE_PROFIT, 110, 0)),
        (0, 111, BID, (NOTHING, 0, 0)),
        (95, 108, BID, (STOP_LOSS, 95, 1)),  # both inside: the stop first, ambiguous
        (95, 99, BID, (TAKE_PROFIT, 99, 0)),  # opened beyond the target: no doubt
        (101, 108, BID, (STOP_LOSS, 100, 0)),  # gap through the stop: the open
        (0, 0, BID, (NOTHING, 0, 0)),
    ],
)
def test_stop_and_target_of_a_long(
    stop_loss: int, take_profit: int, bar: Bar, want: tuple[int, int, int]
) -> None:
    assert protective(SELL, stop_loss, take_profit, bar, ON_BID_ASK, 0) == want


def test_slippage_moves_a_stop_and_never_a_target() -> None:
    assert protective(SELL, 95, 0, BID, ON_BID_ASK, 3) == (STOP_LOSS, 92, 0)
    assert protective(SELL, 0, 108, BID, ON_BID_ASK, 3) == (TAKE_PROFIT, 108, 0)
    assert protective(BUY, 110, 0, ASK, ON_BID_ASK, 3) == (STOP_LOSS, 113, 0)


def test_after_an_entry_by_limit_only_the_close_counts_as_a_gain() -> None:
    rest = after_entry(SELL, 95, 1, BID)
    assert protective(SELL, 0, 106, rest, ON_BID_ASK, 0) == (NOTHING, 0, 0)
    assert protective(SELL, 0, 105, rest, ON_BID_ASK, 0) == (TAKE_PROFIT, 105, 0)
    assert protective(SELL, 91, 0, rest, ON_BID_ASK, 0) == (STOP_LOSS, 91, 0)


def test_after_an_entry_by_stop_the_bar_s_best_price_is_later() -> None:
    rest = after_entry(SELL, 104, 0, BID)
    assert protective(SELL, 0, 109, rest, ON_BID_ASK, 0) == (TAKE_PROFIT, 109, 0)
    assert protective(SELL, 102, 109, rest, ON_BID_ASK, 0) == (STOP_LOSS, 102, 1)


@given(
    st.tuples(*[st.integers(500, 1500)] * 4).map(lambda p: (p[0], max(p), min(p), p[3])),
    st.integers(500, 1500),
    st.booleans(),
)
def test_shorts_are_longs_upside_down(bar: Bar, entry: int, by_limit: bool) -> None:
    long_rest = after_entry(SELL, entry, int(by_limit), bar)
    short_rest = after_entry(BUY, 2000 - entry, int(by_limit), mirrored(bar))
    assert mirrored(short_rest) == long_rest
    filled, price, level = trailing_stop(SELL, 0, 25, 0, bar, 1)
    other = trailing_stop(BUY, 0, 25, 0, mirrored(bar), 1)
    assert other == (filled, 2000 - price if filled else 0, 2000 - level)


def test_a_cap_limits_what_one_slice_fills() -> None:
    assert capped(100, 0) == 100
    assert capped(100, 30) == 30
    assert capped(20, 30) == 20
