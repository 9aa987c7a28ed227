"""A5, live: an ask that was open across a restart can no longer be answered; exits go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.live_process import live_process


@pytest.mark.slow
@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_restart_disarms_and_ends_every_open_ask(tmp_path: Path, end: str) -> None:
    with live_process(tmp_path) as one:
        assert one.refusal("place_order", **one.order()) == "LIVE_NOT_ARMED"
        assert one.arm().status_code == 200
        first = one.good("place_order", **one.order())
        assert (first["status"], first["mode"]) == ("approval_required", "live")
        assert first["warning"] == "LIVE: this account trades real money."
        ticket = first["approval"]["approval_id"]
        unsigned = one.approve(ticket, signed=False)
        assert unsigned.json()["error"]["code"] == "INVALID_APPROVAL"
        assert one.approve(ticket).status_code == 200
        assert one.good("get_order", order_id=first["order_id"])["status"] == "filled"
        waiting = one.good("place_order", **one.order("0.02"))

        if end == "stop":
            assert one.stop()[0] == 0
        else:
            one.kill()
        one.start()

        assert one.standing()["armed"] is False
        assert one.good("get_order", order_id=waiting["order_id"])["status"] == "expired"
        late = one.approve(waiting["approval"]["approval_id"])
        assert (late.status_code, late.json()["error"]["code"]) == (409, "APPROVAL_EXPIRED")
        assert one.refusal("place_order", **one.order("0.03")) == "LIVE_NOT_ARMED"
        (held,) = one.good("get_positions")["positions"]
        assert (held["mode"], held["warning"]) == ("live", first["warning"])
        assert one.good("close_position", symbol="EURUSD")["status"] == "filled"
        assert one.good("get_positions")["positions"] == []
        assert one.verified() == 0
