"""A whole gateway with its books in PostgreSQL: it trades, dies, goes on, and is never two."""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from support import oracle_verify
from support.gateway_process import READY_S, GatewayProcess, read_note
from support.postgres import copied, fresh_database

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def database() -> Iterator[str]:
    with fresh_database() as url:
        yield url


@pytest.fixture
def running(tmp_path: Path, database: str) -> Iterator[GatewayProcess]:
    one = GatewayProcess(tmp_path / "gate")
    one.settle_in()
    keep_books_in(one, database)
    one.make_operator()
    yield one.start()
    one.close()


def keep_books_in(running: GatewayProcess, database: str) -> None:
    private = running.config / ".env"
    private.write_text(f"ORDERGATE_JOURNAL__DATABASE_URL={database}\n", encoding="utf-8")
    private.chmod(0o600)


def proven(running: GatewayProcess) -> int:
    """Return the second verifier's verdict on what the operator exports."""
    file = running.root / "export.jsonl"
    with running.operator() as operator:
        file.write_text(operator.post("/operator/audit/export").text, "utf-8")
    public = (running.config / "audit.pub").read_text("ascii").strip()
    return oracle_verify.verdict(file, public)[0]


def exits_only(running: GatewayProcess, says: str) -> None:
    """Start on books that prove nothing: it answers, opens nothing, and lets a position out."""
    running.begin()
    deadline = time.monotonic() + READY_S
    while not (note := read_note(running.data)).get("rest_url") and time.monotonic() < deadline:
        time.sleep(0.1)
    running.note = note
    ready = httpx.get(running.rest + "/readyz", trust_env=False).json()
    assert says in ready["error"]["message"]
    assert running.refusal("place_order", **running.order()) == "NOT_READY"
    (position,) = running.good("get_positions")["positions"]
    closed = running.good("close_position", position_id=position["position_id"])
    assert closed["status"] == "filled"
    running.stop()


def test_it_trades_dies_and_goes_on(running: GatewayProcess) -> None:
    first = running.good("place_order", **running.order("0.02"))
    assert first["status"] == "filled"
    assert not (running.data / "gate.db").exists()
    running.kill()
    running.start()
    orders = running.good("list_orders", scope="all", limit=10)["orders"]
    assert [one["order_id"] for one in orders] == [first["order_id"]]
    assert proven(running) == oracle_verify.OK
    assert running.command("audit", "verify").returncode == 0
    assert running.command("audit", "rejudge", first["order_id"]).returncode == 0
    shown = running.command("config", "show").stdout
    assert "journal.database_url" in shown
    assert "postgresql://" not in shown


def test_a_second_gateway_is_told_who_serves_already(
    running: GatewayProcess, tmp_path: Path
) -> None:
    second = GatewayProcess(tmp_path / "second")
    shutil.copytree(running.config, second.config)
    second.data.mkdir(parents=True)
    child = second.begin()
    assert child.wait(READY_S) != 0
    assert f"{running.note['pid']}" in second.errors + (second.root / "stdout.1").read_text()
    assert running.good("place_order", **running.order())["status"] == "filled"


def test_what_was_changed_behind_its_back_opens_nothing_and_traps_nothing(
    running: GatewayProcess, database: str
) -> None:
    assert running.good("place_order", **running.order())["status"] == "filled"
    running.stop()
    with psycopg.connect(database) as behind:
        behind.execute("SET session_replication_role = replica")
        behind.execute("UPDATE audit SET body = replace(body, 'EURUSD', 'XAUUSD') WHERE seq > 3")
    proof = running.command("audit", "verify", "--json")
    assert json.loads(proof.stdout)["error"]["details"]["verdict"] == "tampered"
    exits_only(running, "tampered")


def test_a_server_that_is_away_opens_nothing_and_traps_nothing(running: GatewayProcess) -> None:
    assert running.good("place_order", **running.order())["status"] == "filled"
    running.stop()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    keep_books_in(running, f"postgresql://postgres@127.0.0.1:{port}/away")
    exits_only(running, "away")


def test_a_restored_copy_starts_with_the_kill_switch_on(
    running: GatewayProcess, database: str
) -> None:
    running.good("place_order", **running.order())
    running.stop()
    with copied(database) as older:
        running.start()
        running.good("place_order", **running.order("0.03"))
        running.stop()
        keep_books_in(running, older)
        running.start()
        assert running.refusal("get_status") == "UNAUTHENTICATED"
        with psycopg.connect(older) as books:
            halts = books.execute("SELECT kind, scope FROM halts WHERE released_at IS NULL")
            assert ("kill", "global") in halts.fetchall()
        running.close()
