"""A35: an ask answered after the price moved out of its band asks anew; nothing is sent."""

from __future__ import annotations

from pathlib import Path

from support.operator_line import OperatorLine, with_operator_line


def test_the_yes_is_not_redeemed_at_another_price(tmp_path: Path) -> None:
    async def scene(line: OperatorLine) -> None:
        view = await line.large_order()
        await line.operator_signs_in()
        line.gate.market.set("EURUSD", "1.09500", "1.09510")
        reply = await line.approve(view)
        error = reply.json()["error"]
        assert (reply.status_code, error["code"]) == (409, "NEEDS_REAPPROVAL")
        assert await line.positions() == 0

        new = await line.http.get(f"/operator/approvals/{error['details']['ticket_id']}")
        asked = new.json()["data"]
        assert asked["ticket"]["reference_price"] == "1.0951"
        reply = await line.http.post(
            f"/operator/approvals/{asked['ticket_id']}/approve",
            json={"fingerprint": asked["ticket"]["fingerprint"], "code": line.codes.pop()},
        )
        assert reply.json()["data"]["status"] == "filled"
        assert await line.positions() == 1

    with_operator_line(tmp_path, scene)
