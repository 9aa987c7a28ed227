"""A34: an older copy of the books put back: stopped, every credential void, nothing sent again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import httpx
import pytest

from support.gateway_process import ROOMY, GatewayProcess, gateway


def copy_books(running: GatewayProcess, to: Path) -> None:
    to.mkdir(exist_ok=True)
    for file in running.data.glob("gate.db*"):
        shutil.copy2(file, to)


def put_back(running: GatewayProcess, kept: Path) -> None:
    for file in running.data.glob("gate.db*"):
        file.unlink()
    for file in kept.iterdir():
        shutil.copy2(file, running.data)


@pytest.mark.slow
def test_a_restored_copy_starts_stopped_with_every_credential_void_and_adopts_by_tag(
    tmp_path: Path,
) -> None:
    with gateway(tmp_path / "gate", ROOMY, operator=True) as running:
        running.good("place_order", **running.order())
        waits = running.good("place_order", **running.order("0.5"))
        assert waits["status"] == "approval_required"
        with running.operator() as signed_in:
            cookie = signed_in.headers["Cookie"]
        assert running.stop()[0] == 0
        copy_books(running, tmp_path / "copy")
        running.start()
        lost = running.good("place_order", **running.order("0.03"), idempotency_key="lost")
        assert lost["status"] == "filled"
        assert running.stop()[0] == 0
        sent = running.venue("select tag from orders")

        put_back(running, tmp_path / "copy")
        proof = running.command("audit", "verify", "--json")
        assert json.loads(proof.stdout)["error"]["details"]["verdict"] == "cut"
        running.start()

        assert running.refusal("get_status") == "UNAUTHENTICATED"
        old = httpx.get(
            running.console.replace("ordergate.localhost", "127.0.0.1") + "/operator/halts",
            headers={"Cookie": cookie, "Host": running.console.removeprefix("http://")},
            trust_env=False,
        )
        assert old.status_code in (303, 401), old.text
        assert running.book("select state from tickets") == [("withdrawn",)]
        halts = running.book("select kind, scope from halts where released_at is null")
        assert ("kill", "global") in halts
        (found,) = running.book(
            "select a.incident from attempts a join orders o on o.order_id = a.order_id"
            " where o.key like 'found-%'"
        )
        assert found == ("found",)
        assert {tag for (tag,) in running.book("select tag from attempts")} == {t for (t,) in sent}
        with running.operator() as desk:
            made = desk.post("/operator/tokens", json={"kind": "agent", "name": "fresh", "days": 1})
            assert made.status_code == 200, made.text
            token = made.json()["data"]["token"]
        running.http.headers["Authorization"] = f"Bearer {token}"
        assert running.refusal("place_order", **running.order()) == "KILL_SWITCH_ACTIVE"
        assert running.venue("select tag from orders") == sent
        for position in running.good("get_positions")["positions"]:
            closed = running.good("close_position", position_id=position["position_id"])
            assert closed["status"] == "filled"
        assert running.verified() == 0
        epochs = [epoch for (epoch,) in running.book("select distinct epoch from attempts")]
        assert max(epochs) >= 3, "an epoch that was lost is not used again"
        assert running.stop()[0] == 0
        running.start()  # the anchor is of the new history now
        assert running.stop()[0] == 0
