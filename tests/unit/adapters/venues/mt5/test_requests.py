"""Requests, field by field, as the package takes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ordergate.adapters.venues.mt5 import codes, requests
from ordergate.adapters.venues.mt5.requests import Scene
from ordergate.model.orders import OrderType, Side, TimeInForce, VenueModify, VenueOrder
from ordergate.model.outcomes import VenueRefusal
from ordergate.model.values import AccountId, PositionId, Symbol, Tag, VenueOrderId
from ordergate.testing.mt5 import showing
from ordergate.testing.mt5.server import Server
from ordergate.testing.mt5.structures import TradeOrder, TradePosition

D = Decimal
TILL = datetime(2026, 1, 7, 15, tzinfo=UTC)


def scene(**more: Any) -> Scene:
    server = Server()
    server.tick("EURUSD", 1.085, 1.0851, 0)
    spec = server.specs["EURUSD"]
    info = showing.symbol(server, spec, selected=True)._replace(**more)
    tick = showing.tick(spec, server.ticks["EURUSD"])
    return Scene(info=info, tick=tick, ahead=timedelta(hours=2))


def order(kind: str = "market", side: str = "buy", **more: Any) -> VenueOrder:
    return VenueOrder(
        tag=Tag("G0000000000001"),
        magic=77,
        account=AccountId("mt5-1"),
        symbol=Symbol("EURUSD"),
        side=Side(side),
        order_type=OrderType(kind),
        quantity=D("0.10"),
        **more,
    )


def change(**more: Any) -> VenueModify:
    return VenueModify(
        tag=Tag("G0000000000002"), account=AccountId("mt5-1"), symbol=Symbol("EURUSD"), **more
    )


def test_a_market_order() -> None:
    made = requests.place(order(stop_loss=D("1.08"), take_profit=D("1.09")), scene())
    assert made == {
        "action": codes.ACTION_DEAL,
        "symbol": "EURUSD",
        "volume": 0.1,
        "type": codes.BUY,
        "price": 1.0851,
        "sl": 1.08,
        "tp": 1.09,
        "deviation": 10,
        "type_filling": codes.FILLING_FOK,
        "type_time": codes.TIME_GTC,
        "magic": 77,
        "comment": "G0000000000001",
    }


def test_a_stop_limit_order_with_an_expiry() -> None:
    made = requests.place(
        order(
            "stop_limit",
            stop_price=D("1.09"),
            limit_price=D("1.0895"),
            time_in_force=TimeInForce.GTD,
            good_till=TILL,
        ),
        scene(),
    )
    assert (made["action"], made["type"]) == (codes.ACTION_PENDING, codes.BUY_STOP_LIMIT)
    assert (made["price"], made["stoplimit"]) == (1.09, 1.0895)
    assert made["type_time"] == codes.TIME_SPECIFIED
    assert made["expiration"] == int(TILL.timestamp()) + 7200  # broker time
    assert made["type_filling"] == codes.FILLING_RETURN


def test_a_close_names_its_position() -> None:
    held = TradePosition(ticket=5, symbol="EURUSD", volume=0.15, type=codes.BUY)
    made = requests.close(order(side="sell", position_id=PositionId("5")), scene(), held)
    assert (made["position"], made["type"], made["price"]) == (5, codes.SELL, 1.085)
    assert "sl" not in made
    residue = TradePosition(ticket=5, symbol="EURUSD", volume=0.005, type=codes.BUY)
    whole = order(side="sell", position_id=PositionId("5"))
    with pytest.raises(VenueRefusal, match="INVALID_CLOSE_VOLUME"):
        requests.close(whole, scene(), residue)


def test_a_close_may_say_what_it_must_not_be_worse_than() -> None:
    held = TradePosition(ticket=5, symbol="EURUSD", volume=0.15, type=codes.BUY)
    now = {"position_id": PositionId("5"), "time_in_force": TimeInForce.IOC}
    at = order("limit", "sell", limit_price=D("1.0850"), **now)
    assert requests.close(at, scene(), held)["type"] == codes.SELL
    worse = order("limit", "sell", limit_price=D("1.0851"), **now)
    with pytest.raises(VenueRefusal, match="PRICE_CHANGED"):
        requests.close(worse, scene(), held)


def test_what_is_left_unset_is_sent_as_it_stands() -> None:
    held = TradePosition(ticket=5, symbol="EURUSD", volume=0.1, type=0, sl=1.08, tp=1.09)
    moved = requests.protect(
        change(position_id=PositionId("5"), stop_loss=D("1.081")), held, scene()
    )
    assert (moved["sl"], moved["tp"], moved["position"]) == (1.081, 1.09, 5)
    removed = requests.protect(change(position_id=PositionId("5"), take_profit=None), held, scene())
    assert (removed["sl"], removed["tp"]) == (1.08, 0.0)
    resting = TradeOrder(
        ticket=9,
        symbol="EURUSD",
        type=codes.BUY_STOP_LIMIT,
        price_open=1.09,
        price_stoplimit=1.0895,
        sl=1.08,
        tp=1.1,
        type_time=codes.TIME_SPECIFIED,
        time_expiration=4711,
    )
    made = requests.replace_terms(
        change(venue_order_id=VenueOrderId("9"), stop_price=D("1.0905")), resting, scene()
    )
    assert (made["price"], made["stoplimit"], made["sl"], made["tp"]) == (1.0905, 1.0895, 1.08, 1.1)
    assert (made["type_time"], made["expiration"]) == (codes.TIME_SPECIFIED, 4711)


@pytest.mark.parametrize(
    ("mask", "execution", "wanted", "modes"),
    [
        (3, 2, TimeInForce.GTC, (0, 1)),
        (1, 2, TimeInForce.GTC, (0,)),
        (2, 2, TimeInForce.FOK, ()),
        (3, 2, TimeInForce.IOC, (1,)),
        (0, 3, TimeInForce.GTC, (2,)),
        (0, 2, TimeInForce.GTC, ()),
    ],
)
def test_filling_modes_come_from_the_mask(
    mask: int, execution: int, wanted: TimeInForce, modes: tuple[int, ...]
) -> None:
    info = scene(filling_mode=mask, trade_exemode=execution).info
    assert requests.fillings(info, wanted) == modes


@pytest.mark.parametrize(
    ("asked", "more", "word"),
    [
        (order("trailing_stop", trail_amount=D(1)), {}, "NOT_OFFERED"),
        (order("limit", limit_price=D("1.08"), time_in_force=TimeInForce.IOC), {}, "NOT_OFFERED"),
        (order("limit", limit_price=D("1.08")), {"order_mode": 1}, "INVALID_ORDER"),
        (
            order("limit", limit_price=D("1.08"), time_in_force=TimeInForce.DAY),
            {"expiration_mode": 1},
            "INVALID_EXPIRATION",
        ),
        (order(stop_loss=D("1.08491")), {"trade_stops_level": 10}, "INVALID_STOPS"),
        (order(stop_loss=D("1.084905")), {}, "INVALID_PRICE"),
        (order(time_in_force=TimeInForce.FOK), {"filling_mode": 2}, "NOT_OFFERED"),
    ],
)
def test_what_cannot_be_sent_is_refused_before(
    asked: VenueOrder, more: dict[str, Any], word: str
) -> None:
    with pytest.raises(VenueRefusal, match=word):
        requests.place(asked, scene(**more))


def test_whether_a_change_stands() -> None:
    held = TradePosition(ticket=5, symbol="EURUSD", sl=1.081, tp=0.0)
    asked = change(position_id=PositionId("5"), stop_loss=D("1.08100"), take_profit=None)
    assert requests.stands_as_asked(asked, held, scene())
    assert not requests.stands_as_asked(asked, held._replace(sl=1.0811), scene())
    assert not requests.stands_as_asked(asked, held._replace(tp=1.09), scene())
