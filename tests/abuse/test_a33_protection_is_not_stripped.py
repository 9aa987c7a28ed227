"""A33: a position's stop is not taken away or moved away without the operator, by any call."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from support.gateway_process import GatewayProcess


@pytest.fixture
def position(running: GatewayProcess) -> Iterator[dict[str, str]]:
    held = running.good("place_order", **running.order("0.02"))
    yield {
        "id": held["position_id"],
        "stop": held["stop_loss"],
        "tag_order": held["venue_order_id"],
    }
    running.good("close_position", position_id=held["position_id"])


def stop_at_venue(running: GatewayProcess, position: dict[str, str]) -> Decimal:
    question = "select stop_loss from positions where number = ?"
    ((ticks,),) = running.venue(question, int(position["id"][1:]))
    return Decimal(ticks) / 100_000


def test_removed_or_moved_away_it_waits_for_the_operator(
    running: GatewayProcess, position: dict[str, str]
) -> None:
    away = format(Decimal(position["stop"]) - Decimal("0.01"), "f")
    for wanted in (None, away):
        asked = running.good("modify_order", position_id=position["id"], stop_loss=wanted)
        assert asked["status"] == "approval_required"
        assert stop_at_venue(running, position) == Decimal(position["stop"])
        running.good("withdraw_order", order_id=asked["order_id"])


def test_the_leg_cannot_be_cancelled_as_if_it_were_an_order(
    running: GatewayProcess, position: dict[str, str]
) -> None:
    for leg in (position["tag_order"], position["id"], f"{position['id']}-SL", "SL"):
        cancelled = running.call("cancel_order", venue_order_id=leg)
        assert not cancelled["ok"], leg
    for resting in running.good("get_account", section="orders")["open_orders"]:
        running.call("cancel_order", venue_order_id=resting["venue_order_id"])
    assert stop_at_venue(running, position) == Decimal(position["stop"])


def test_brought_nearer_it_needs_nobody_and_cannot_go_back(
    running: GatewayProcess, position: dict[str, str]
) -> None:
    nearer = format(Decimal(position["stop"]) + Decimal("0.001"), "f")
    moved = running.good("modify_order", position_id=position["id"], stop_loss=nearer)
    assert moved["status"] == "applied"
    back = running.good("modify_order", position_id=position["id"], stop_loss=position["stop"])
    assert back["status"] == "approval_required"
    assert stop_at_venue(running, position) == Decimal(nearer)
    running.good("withdraw_order", order_id=back["order_id"])


def test_it_stays_while_the_kill_switch_is_on(running: GatewayProcess) -> None:
    held = running.good("place_order", **running.order("1", symbol="XAUUSD", quantity="0.01"))
    position = {"id": held["position_id"], "stop": held["stop_loss"]}
    halt = running.good("engage_kill_switch", scope="symbol", target="XAUUSD", reason="A33")
    try:
        assert (
            running.refusal("modify_order", position_id=position["id"], stop_loss=None)
            == "KILL_SWITCH_ACTIVE"
        )
        question = "select stop_loss from positions where number = ?"
        assert running.venue(question, int(position["id"][1:]))[0][0] > 0
        closed = running.good("close_position", position_id=position["id"])
        assert closed["status"] == "filled"
    finally:
        with running.operator() as desk:
            path = f"/operator/halts/{halt['halt_id']}/release"
            assert desk.post(path, json={"reason": "A33 is done"}).status_code == 200
