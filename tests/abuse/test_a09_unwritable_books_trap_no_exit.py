"""A9: the books cannot be written: nothing that adds risk is sent, and every exit goes out once."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from abuse.test_a10_a_damaged_state_lets_exits_out import a_day, everything_gets_out
from support.full_place import can_mount, fill_up, small_disk
from support.gateway_process import ROOMY, GatewayProcess, gateway

pytestmark = pytest.mark.slow

WITHIN_S = 30.0
CLOSES = "select count(*) from attempts where action = 'close'"


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def ready(running: GatewayProcess) -> dict[str, object]:
    reply = httpx.get(f"{running.rest}/readyz", timeout=5, trust_env=False)
    body: dict[str, object] = reply.json()
    return body


def is_taken_in(running: GatewayProcess) -> bool:
    return bool(running.book("select 1 from audit where kind = 'emergency.imported'"))


def once_and_sealed(running: GatewayProcess, sent: list[tuple[str]]) -> None:
    """See what went out in the books, by its tag, sent no second time, under a halt of openings."""
    assert running.venue("select tag from orders") == sent
    closes = "select tag from attempts where action = 'close' and state = 'filled'"
    until(lambda: len(running.book(closes)) == running.book(CLOSES)[0][0])
    assert set(running.book(closes)) <= set(sent)
    assert running.book("select state from orders where key = 'out'") == [("done",)]
    assert running.refusal("place_order", **running.order()) == "HALTED"
    assert running.verified() == 0
    proof = running.command("audit", "verify", "--json")
    assert proof.returncode == 0, proof.stdout


@pytest.mark.skipif(not can_mount(), reason="only root mounts a small disk")
@pytest.mark.parametrize("restart", [False, True], ids=["while running", "at the next start"])
def test_on_a_full_disk_exits_go_out_once_and_are_sealed_when_there_is_room(
    tmp_path: Path, restart: bool
) -> None:
    running = GatewayProcess(tmp_path / "gate", ROOMY)
    running.settle_in()
    with small_disk(tmp_path / "disk") as disk:
        (disk / "gate.db").touch(0o600)
        (running.data / "gate.db").symlink_to(disk / "gate.db")
        try:
            running.start()
            a_day(running)
            stuffing = fill_up(disk)
            until(lambda: running.call("place_order", **running.order())["ok"] is False)
            assert running.refusal("place_order", **running.order()) == "NOT_READY"
            held = [p["position_id"] for p in running.good("get_positions")["positions"]]
            for position_id in held[1:]:  # filled while the disk was filling up
                running.good("close_position", position_id=position_id)
            everything_gets_out(running)
            sent = running.venue("select tag from orders")
            assert ready(running)["ok"] is False
            if restart:
                running.kill()
            stuffing.unlink()
            if restart:
                running.start()
            until(lambda: is_taken_in(running))
            until(lambda: ready(running)["ok"] is True)
            once_and_sealed(running, sent)
        finally:
            running.close()


def test_while_another_program_holds_the_database_exits_go_out_once(tmp_path: Path) -> None:
    with gateway(tmp_path, ROOMY) as running:
        running.good("place_order", **running.order("0.03"))
        (position,) = running.good("get_positions")["positions"]
        part = {"position_id": position["position_id"], "quantity": "0.01"}
        before = running.good("close_position", **part, idempotency_key="before")
        holder = sqlite3.connect(running.data / "gate.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        try:
            assert running.refusal("place_order", **running.order()) == "NOT_READY"
            assert (
                running.good("close_position", **part, idempotency_key="out")["status"] == "filled"
            )
            sent = running.venue("select tag from orders")
            assert len(sent) == 3
            again = running.good("close_position", **part, idempotency_key="before")
            assert (again["order_id"], again["replayed"]) == (before["order_id"], True)
        finally:
            holder.close()
        until(lambda: is_taken_in(running))
        once_and_sealed(running, sent)


def test_the_emergency_journal_lies_where_the_operator_puts_it(tmp_path: Path) -> None:
    other = tmp_path / "other-disk.journal"
    with gateway(tmp_path / "gate", {"journal": {"emergency_path": str(other)}}) as running:
        assert other.stat().st_size >= 1_048_576
        assert not (running.data / "emergency.journal").exists()
        shown = json.loads(running.command("config", "show", "--json").stdout)
        assert str(other) in json.dumps(shown)
