"""A4: an approval for one act never authorises another."""

from __future__ import annotations

from support.gateway_process import GatewayProcess


def test_a_yes_to_one_ask_is_none_to_another(running: GatewayProcess) -> None:
    held = running.good("place_order", **running.order("0.02"))
    position = held["position_id"]
    widen = running.good("modify_order", position_id=position, stop_loss=None)
    place = running.good("place_order", **running.order("0.4"))
    draft = running.good("draft_order", **running.order("0.03"))
    assert {widen["status"], place["status"]} == {"approval_required"}
    with running.operator() as desk:

        def ticket(asked: str) -> str:
            shown = desk.get(f"/operator/approvals/{asked}").json()["data"]["ticket"]
            return str(shown["fingerprint"])

        def code(path: str, **fields: str) -> str:
            reply = desk.post(f"/operator/{path}", json=fields)
            assert reply.status_code >= 400, reply.text
            return str(reply.json()["error"]["code"])

        first, second = widen["approval_id"], place["approval_id"]
        for asked, other in ((first, second), (second, first)):
            said = code(f"approvals/{asked}/approve", fingerprint=ticket(other))
            assert said == "INVALID_APPROVAL"
        for path in (f"drafts/{first}/submit", f"drafts/{place['order_id']}/submit"):
            code(path)  # a yes is no submission
        code(f"halts/{first}/release", reason="a ticket is no halt")
        code(f"approvals/{draft['order_id']}/approve", fingerprint=ticket(first))

        yes = {"fingerprint": ticket(second)}
        said = desk.post(f"/operator/approvals/{second}/approve", json=yes)
        assert said.json()["data"]["status"] == "filled"
    ((stop,),) = running.venue(
        "select stop_loss from positions where number = ?", int(position[1:])
    )
    assert stop > 0, "the stop stands: that yes was for the order alone"
    assert running.good("get_order", order_id=draft["order_id"])["status"] == "draft"
    running.good("withdraw_order", order_id=widen["order_id"])


def test_a_ticket_is_no_argument_of_an_agents_call(running: GatewayProcess) -> None:
    asked = running.good("place_order", **running.order("0.45"))
    for name in ("approval_id", "approval_request_id", "approval_token", "approval_confirmed"):
        order = running.order("0.46") | {name: asked["approval_id"]}
        assert running.refusal("place_order", **order) == "INVALID_ARGUMENT"
    running.good("withdraw_order", order_id=asked["order_id"])
