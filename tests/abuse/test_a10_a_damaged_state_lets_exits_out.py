"""A10: deleted, edited or truncated, the books open nothing new and let every exit out."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.gateway_process import READY_S, ROOMY, GatewayProcess, gateway, read_note

pytestmark = pytest.mark.slow

Edit = Callable[[Path], None]


def sql(*statements: str) -> Edit:
    """Return what runs statements on a database, its triggers out of the way."""

    def edit(path: Path) -> None:
        with sqlite3.connect(path) as file:
            triggers = file.execute("select name from sqlite_master where type = 'trigger'")
            for (name,) in triggers.fetchall():
                file.execute(f"drop trigger {name}")
            for statement in statements:
                file.execute(statement)
        file.close()

    return edit


def deleted(path: Path) -> None:
    path.unlink()


def overwritten(path: Path) -> None:
    path.write_bytes(b"nothing of a database" * 500)


def cut_in_half(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


TAIL = "(select max(seq) - 1 from audit)"
DAMAGE: tuple[tuple[str, Edit, str], ...] = (
    ("deleted", deleted, "gone"),
    ("emptied", emptied, "gone"),
    ("overwritten", overwritten, ""),
    ("cut in half", cut_in_half, ""),
    (
        "a record edited",
        sql("update audit set body = replace(body, 'version', 'versiom') where seq = 5"),
        "record 5",
    ),
    ("records taken out", sql("delete from audit where seq in (4, 5)"), "record 4"),
    ("the tail cut off", sql(f"delete from audit where seq > {TAIL}"), "signed head"),
    ("the head forged", sql("update audit_head set size = size + 1"), "signature"),
    (
        "a switch released",
        sql("update halts set released_at = engaged_at, released_by = 'x'"),
        "halt",
    ),
    (
        "an order edited",
        sql("update orders set state = 'done' where state = 'active'"),
        "record tells",
    ),
)


@contextmanager
def exits_only(running: GatewayProcess) -> Iterator[dict[str, Any]]:
    """Start a gateway that will not be ready; yield what /readyz says."""
    child = running.begin()
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and child.poll() is None:
        note = read_note(running.data)
        if note.get("pid") == child.pid and note.get("rest_url"):
            reply = httpx.get(f"{note['rest_url']}/readyz", timeout=5, trust_env=False)
            if reply.status_code == 200 or reply.json()["error"]["details"].get("exits_only"):
                running.note = note
                yield reply.json()
                return
        time.sleep(0.05)
    raise AssertionError(f"exit code {child.poll()}\n{running.errors[-2000:]}")


def a_day(running: GatewayProcess) -> None:
    """Leave a position, a resting order and an engaged switch behind."""
    running.good("place_order", **running.order("0.02"))
    terms = running.order()
    resting = {"order_type": "limit", "limit_price": terms["stop_loss"]}
    lower = format(Decimal(terms["stop_loss"]) - Decimal("0.01"), "f")
    running.good("place_order", **{**terms, **resting, "stop_loss": lower})
    running.good("engage_kill_switch", scope="symbol", target="GBPUSD", reason="test")


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[GatewayProcess, Path]:
    """Return a stopped gateway that has lived a day, and a copy of its directories."""
    root = tmp_path_factory.mktemp("a-day")
    with gateway(root / "gate", ROOMY, operator=True) as running:
        a_day(running)
        assert running.stop()[0] == 0
    shutil.copytree(running.root, root / "copy")
    return running, root / "copy"


@pytest.fixture
def stopped(lived: tuple[GatewayProcess, Path]) -> Iterator[GatewayProcess]:
    """Return the stopped gateway as it was after its day, at its own place: the anchor knows it."""
    running, copy = lived
    shutil.rmtree(running.root)
    shutil.copytree(copy, running.root)
    yield running
    running.close()


def everything_gets_out(running: GatewayProcess) -> None:
    """Tighten, close in two parts, and cancel: each once, and once only."""
    sent = len(running.venue("select number from orders"))
    (position,) = running.good("get_positions")["positions"]
    where = {"position_id": position["position_id"]}
    nearer = format(Decimal(position["stop_loss"]) + Decimal("0.001"), "f")
    assert running.good("modify_order", **where, stop_loss=nearer)["status"] == "applied"
    farther = format(Decimal(position["stop_loss"]) - Decimal("0.001"), "f")
    assert running.refusal("modify_order", **where, stop_loss=farther) == "NOT_READY"
    part = {**where, "quantity": "0.01", "idempotency_key": "out"}
    closed = running.good("close_position", **part)
    assert closed["status"] == "filled"
    again = running.good("close_position", **part)
    assert (again["order_id"], again["replayed"]) == (closed["order_id"], True)
    assert running.good("close_position", **where)["status"] == "filled"
    assert running.good("get_positions")["positions"] == []
    (resting,) = running.good("get_account", section="orders")["open_orders"]
    gone = running.good("cancel_order", venue_order_id=resting["venue_order_id"])
    assert gone["status"] == "applied"
    assert running.good("get_account", section="orders")["open_orders"] == []
    assert len(running.venue("select number from orders")) == sent + 2


@pytest.mark.parametrize(
    ("edit", "says"), [(edit, says) for _, edit, says in DAMAGE], ids=[name for name, *_ in DAMAGE]
)
def test_a_damaged_state_opens_nothing_and_traps_nothing(
    stopped: GatewayProcess, edit: Edit, says: str
) -> None:
    running = stopped
    edit(running.data / "gate.db")
    before = (running.data / "gate.db").read_bytes() if edit is not deleted else b""
    proof = running.command("audit", "verify", "--json")
    assert proof.returncode != 0
    found = json.loads(proof.stdout)["error"]
    assert says in found["message"], found
    try:
        with exits_only(running) as ready:
            assert ready["error"]["code"] == "NOT_READY"
            assert says in ready["error"]["message"]
            assert running.refusal("place_order", **running.order()) == "NOT_READY"
            everything_gets_out(running)
    finally:
        running.close()
    if edit is not deleted:
        assert (running.data / "gate.db").read_bytes() == before, "evidence is left as it lies"


@pytest.mark.slow
def test_a_record_given_up_is_begun_anew_with_the_switch_on_and_what_went_out_is_taken_in(
    stopped: GatewayProcess,
) -> None:
    running = stopped
    whole = running.command("audit", "set-aside", "--reason", "just so", "--json")
    assert "whole" in json.loads(whole.stdout)["error"]["message"]
    deleted(running.data / "gate.db")
    try:
        with exits_only(running):
            everything_gets_out(running)
            sent = running.venue("select tag from orders")
            assert running.stop()[0] == 0
        done = running.command("audit", "set-aside", "--reason", "the disk was lost", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        running.start()
        assert running.refusal("place_order", **running.order()) == "KILL_SWITCH_ACTIVE"
        assert running.verified() == 0
        deadline = time.monotonic() + READY_S
        while True:
            known = running.book("select tag from attempts where action in ('place', 'close')")
            if set(sent) <= set(known) or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        assert set(sent) <= set(known)
        assert running.venue("select tag from orders") == sent
        ours = running.book("select state from orders where key = 'out'")
        assert ours == [("done",)]
    finally:
        running.close()
