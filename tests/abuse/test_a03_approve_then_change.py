"""A3: what was approved is what is sent; changed by one field, it is another order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from support.gateway_process import GatewayProcess

CHANGES: dict[str, dict[str, Any]] = {
    "stop_loss": {"stop_loss": "1.05"},
    "take_profit": {"take_profit": "1.5"},
    "quantity": {"quantity": "0.51"},
    "side": {"side": "sell"},
    "symbol": {"symbol": "GBPUSD"},
    "order_type": {"order_type": "limit", "limit_price": "1.1"},
    "time_in_force": {"time_in_force": "ioc"},
    "reduce_only": {"reduce_only": True},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_order_under_the_same_key_is_refused(
    running: GatewayProcess, change: str
) -> None:
    order = running.order("0.5", idempotency_key=f"a3-{change}")
    asked = running.good("place_order", **order)
    assert asked["status"] == "approval_required"
    assert running.refusal("place_order", **order | CHANGES[change]) == "IDEMPOTENCY_DIVERGED"
    now = running.good("get_order", order_id=asked["order_id"])
    assert Decimal(now["stop_loss"]) == Decimal(order["stop_loss"])
    assert now["quantity"] == "0.5"
    running.good("withdraw_order", order_id=asked["order_id"])


def test_a_waiting_order_cannot_be_modified_and_the_yes_sends_the_original(
    running: GatewayProcess,
) -> None:
    order = running.order("0.5")
    asked = running.good("place_order", **order)
    for change in ({"stop_loss": "1.05"}, {"quantity": "0.6"}, {"limit_price": "1.2"}):
        refused = running.refusal("modify_order", order_id=asked["order_id"], **change)
        assert refused == "ILLEGAL_STATE"
    ticket = asked["approval_id"]
    with running.operator() as desk:
        shown = desk.get(f"/operator/approvals/{ticket}").json()["data"]["ticket"]
        yes = {"fingerprint": shown["fingerprint"]}
        for extra in ({"quantity": "5"}, {"stop_loss": "1.0"}, {"venue": "live"}):
            said = desk.post(f"/operator/approvals/{ticket}/approve", json=yes | extra)
            assert said.status_code == 400  # the yes has no room for terms
        wrong = {"fingerprint": yes["fingerprint"][:-1] + "x"}
        said = desk.post(f"/operator/approvals/{ticket}/approve", json=wrong)
        assert said.json()["error"]["code"] == "INVALID_APPROVAL"
        done = desk.post(f"/operator/approvals/{ticket}/approve", json=yes).json()["data"]
    assert done["status"] == "filled"
    ((steps, stop),) = running.venue(
        "select steps, stop_loss from orders where tag = ?", done["attempt"]["tag"]
    )
    assert (steps, stop) == (50, round(float(order["stop_loss"]) * 100_000))
    running.good("close_position", position_id=done["attempt"]["position_id"])


def test_the_policy_changed_between_ask_and_yes_counts_at_the_yes(running: GatewayProcess) -> None:
    asked = running.good("place_order", **running.order("0.5", symbol="AUDUSD"))
    toml = running.config / "ordergate.toml"
    before = toml.read_text("utf-8")
    toml.write_text(before.replace("[limits]", '[limits]\nsymbols_deny = ["AUDUSD"]'), "utf-8")
    try:
        with running.operator() as desk:
            path = f"/operator/approvals/{asked['approval_id']}"
            yes = desk.get(path).json()["data"]["ticket"]["fingerprint"]
            said = desk.post(f"{path}/approve", json={"fingerprint": yes}).json()["data"]
    finally:
        toml.write_text(before, "utf-8")
    assert (said["status"], said["order"]["code"]) == ("blocked", "EXCEEDS_LOCAL_LIMIT")
    assert running.venue("select count(*) from orders where symbol = 'AUDUSD'") == [(0,)]
