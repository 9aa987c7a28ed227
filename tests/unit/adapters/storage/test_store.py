"""What SQLite adds to the promises of the journal: durable, grouped, apart, append-only."""

from __future__ import annotations

import asyncio
import dataclasses
import queue
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from ordergate.adapters.storage import writer as writer_module
from ordergate.adapters.storage.connection import NotDurable, connect
from ordergate.adapters.storage.schema import bring_up
from ordergate.adapters.storage.session import SqlTx
from ordergate.adapters.storage.store import SqliteStore
from ordergate.adapters.storage.writer import Writer
from ordergate.model.errors import NotReady
from ordergate.model.principals import Kind
from ordergate.model.proofs import Method
from ordergate.model.records import OperatorRecord, SessionRecord, TokenRecord
from ordergate.ports.identity_store import IdentityStore
from ordergate.ports.journal import Journal, JournalUnwritable, OrderFilter, Stale
from support.journal_rows import a_halt, a_recent, an_attempt, an_order
from support.manual_clock import START
from support.sealed_log import fill_log


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gate.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore.open(path)
    yield store
    store.close_now()


def test_one_store_serves_both_ports(store: SqliteStore) -> None:
    journal: Journal = store
    identity: IdentityStore = store
    assert journal is identity


@pytest.mark.parametrize("writable", [True, False])
def test_every_connection_is_durable_or_refused(path: Path, writable: bool) -> None:
    connection = connect(path, writable=writable)
    said = [
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "query_only")
    ]
    assert said == ["wal", 2, 1, 5_000, 0 if writable else 1]
    connection.close()
    with pytest.raises(NotDurable):
        connect(Path(":memory:"), writable=writable)  # memory knows no WAL


def test_the_stores_own_connections_keep_the_promise(store: SqliteStore) -> None:
    def pragmas(tx: SqlTx) -> list[object]:
        return [
            tx._one(f"PRAGMA {name}")[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]

    assert store.write_now(pragmas) == ["wal", 2, 1, 5_000]
    assert store.read_now(pragmas) == ["wal", 2, 1, 5_000]


def test_a_restart_keeps_everything(path: Path) -> None:
    first = SqliteStore.open(path)
    first.write_now(lambda tx: (tx.add_order(an_order(0)), fill_log(tx, 300)))
    first.close_now()
    second = SqliteStore.open(path)
    try:
        assert second.read_now(lambda tx: tx.order("order-000000")) == an_order(0)
        head = second.read_now(lambda tx: tx.audit_head())
        assert head is not None
        assert head.size == 300
    finally:
        second.close_now()


def test_what_was_acknowledged_is_in_the_file_without_a_close(
    path: Path, store: SqliteStore
) -> None:
    store.write_now(lambda tx: tx.put_fact("epoch", "1"))
    copy = path.with_name("copy.db")
    copy.write_bytes(path.read_bytes())
    copy.with_name("copy.db-wal").write_bytes(path.with_name("gate.db-wal").read_bytes())
    other = SqliteStore.open(copy)
    assert other.read_now(lambda tx: tx.fact("epoch")) == "1"
    other.close_now()


def test_a_closed_store_says_it_is_not_ready(path: Path) -> None:
    async def late() -> None:
        store = SqliteStore.open(path)
        await store.close()
        await store.close()
        with pytest.raises(NotReady):
            await store.write(lambda tx: tx.put_fact("a", "b"))
        with pytest.raises(NotReady):
            await store.read(lambda tx: tx.fact("a"))

    asyncio.run(late())


def test_closing_finishes_what_waits(path: Path) -> None:
    async def close_at_once() -> None:
        store = SqliteStore.open(path)
        writes = [
            asyncio.ensure_future(store.write(lambda tx, n=n: tx.put_fact(str(n), "x")))
            for n in range(200)
        ]
        await asyncio.sleep(0)
        await store.close()
        await asyncio.gather(*writes)

    asyncio.run(close_at_once())
    again = SqliteStore.open(path)
    assert again.read_now(lambda tx: tx.fact("199")) == "x"
    again.close_now()


@pytest.mark.parametrize("table", ["audit", "checkpoints"])
def test_the_sealed_log_takes_no_change(path: Path, store: SqliteStore, table: str) -> None:
    store.write_now(lambda tx: fill_log(tx, 256))
    outside = sqlite3.connect(path)
    for act in (f"DELETE FROM {table}", f"UPDATE {table} SET rowid = 1000"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            outside.execute(act)
    outside.close()


def test_a_reader_cannot_write(store: SqliteStore) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        store.read_now(lambda tx: tx.put_fact("a", "b"))
    assert store.read_now(lambda tx: tx.fact("a")) is None


def test_a_read_sees_one_moment_while_others_write(store: SqliteStore) -> None:
    store.write_now(lambda tx: tx.put_fact("n", "before"))
    started, written = threading.Event(), threading.Event()

    def slow(tx: SqlTx) -> tuple[str | None, str | None]:
        first = tx.fact("n")
        started.set()
        assert written.wait(5)
        return first, tx.fact("n")

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(store.read_now, slow)
        assert started.wait(5)
        store.write_now(lambda tx: tx.put_fact("n", "after"))
        written.set()
        assert reading.result(5) == ("before", "before")
    assert store.read_now(lambda tx: tx.fact("n")) == "after"


def test_sixty_four_threads_lose_nothing(store: SqliteStore) -> None:
    def work(tx: SqlTx) -> None:
        tx.put_fact("n", str(int(tx.fact("n") or "0") + 1))
        fill_log(tx, 1)

    with ThreadPoolExecutor(64) as pool:
        list(pool.map(lambda _: store.write_now(work), range(256)))
    assert store.read_now(lambda tx: tx.fact("n")) == "256"
    rows = store.read_now(lambda tx: tx.audit_rows(after=0, limit=999))
    assert [row.seq for row in rows] == list(range(1, 257))


def test_a_failing_work_spoils_no_other_of_its_commit(path: Path, store: SqliteStore) -> None:
    """All but the first share one commit, because they wait while the first one runs."""
    entered, go = threading.Event(), threading.Event()

    def hold(tx: SqlTx) -> int:
        entered.set()
        assert go.wait(5)
        return 0

    def work(n: int) -> object:
        def run(tx: SqlTx) -> int:
            tx.put_fact(str(n), "x")
            if n % 3 == 0:
                raise ValueError(n)
            return n

        return run

    async def together() -> list[object]:
        first = asyncio.ensure_future(store.write(hold))
        await asyncio.to_thread(entered.wait, 5)
        rest = [asyncio.ensure_future(store.write(work(n))) for n in range(40)]
        await asyncio.sleep(0)
        go.set()
        await first
        return await asyncio.gather(*rest, return_exceptions=True)

    for n, came in enumerate(asyncio.run(together())):
        if n % 3 == 0:
            assert isinstance(came, ValueError)
        else:
            assert came == n
        kept = store.read_now(lambda tx, n=n: tx.fact(str(n)))
        assert kept == (None if n % 3 == 0 else "x")


def full_disk(path: Path) -> Writer:
    """Return a writer whose file may not grow by more than a few pages: SQLITE_FULL for real."""
    connection = connect(path, writable=True)
    bring_up(connection)
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    return Writer(connection)


def test_a_full_disk_fails_the_work_and_leaves_nothing_of_it(path: Path) -> None:
    writer = full_disk(path)
    writer.submit(lambda tx: tx.put_fact("small", "1")).result(5)
    with pytest.raises(JournalUnwritable, match="SQLITE_FULL"):
        writer.submit(lambda tx: tx.put_fact("large", "x" * 100_000)).result(5)
    assert writer.submit(lambda tx: (tx.fact("small"), tx.fact("large"))).result(5) == ("1", None)
    # The books are usable again as soon as there is room.
    writer.submit(lambda tx: tx.put_fact("small", "2")).result(5)
    writer.stop()


def test_all_that_shared_a_failed_commit_fail(path: Path) -> None:
    writer = full_disk(path)
    entered, go = threading.Event(), threading.Event()
    first = writer.submit(lambda tx: (entered.set(), go.wait(5)))
    assert entered.wait(5)
    small = writer.submit(lambda tx: tx.put_fact("small", "1"))
    large = writer.submit(lambda tx: tx.put_fact("large", "x" * 100_000))
    go.set()
    first.result(5)
    for future in (small, large):
        with pytest.raises(JournalUnwritable):
            future.result(5)
    assert writer.submit(lambda tx: tx.fact("small")).result(5) is None
    writer.stop()


def test_a_lock_held_by_a_stranger_is_unwritable(path: Path) -> None:
    connection = connect(path, writable=True)
    bring_up(connection)
    connection.execute("PRAGMA busy_timeout = 10")
    writer = Writer(connection)
    stranger = sqlite3.connect(path, isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalUnwritable, match="SQLITE_BUSY"):
        writer.submit(lambda tx: tx.put_fact("a", "b")).result(5)
    stranger.execute("ROLLBACK")
    stranger.close()
    writer.submit(lambda tx: tx.put_fact("a", "b")).result(5)
    writer.stop()


def test_a_cancelled_caller_harms_nobody(store: SqliteStore) -> None:
    entered, go = threading.Event(), threading.Event()

    def hold(tx: SqlTx) -> None:
        entered.set()
        assert go.wait(5)
        tx.put_fact("running", "done")

    async def cancel_both() -> None:
        running = asyncio.ensure_future(store.write(hold))
        await asyncio.to_thread(entered.wait, 5)
        waiting = asyncio.ensure_future(store.write(lambda tx: tx.put_fact("waiting", "done")))
        await asyncio.sleep(0)
        running.cancel()
        waiting.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)
        assert running.cancelled()
        assert waiting.cancelled()
        go.set()
        await store.write(lambda tx: tx.put_fact("after", "done"))

    asyncio.run(cancel_both())
    kept = [store.read_now(lambda tx, n=n: tx.fact(n)) for n in ("running", "waiting", "after")]
    assert kept == ["done", None, "done"]


def test_a_queue_without_room_refuses(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "WAITING_MAX", 3)
    entered, go = threading.Event(), threading.Event()
    waiting: queue.SimpleQueue[Future[object]] = queue.SimpleQueue()
    waiting.put(store._writer.submit(lambda tx: (entered.set(), go.wait(5))))
    assert entered.wait(5)
    for _ in range(3):
        waiting.put(store._writer.submit(lambda tx: None))
    with pytest.raises(NotReady):
        store.write_now(lambda tx: None)
    go.set()
    while not waiting.empty():
        waiting.get().result(5)
    store.write_now(lambda tx: None)


def test_old_claims_are_forgotten_and_new_ones_are_not(store: SqliteStore) -> None:
    def work(tx: SqlTx) -> None:
        for n in range(40):
            tx.add_recent(a_recent(n))
        for n in range(5):
            later = START + timedelta(days=1, seconds=39)
            tx.add_recent(dataclasses.replace(a_recent(n), claimed_at=later))

    store.write_now(work)
    principal = a_recent(0).principal

    def left(after: int) -> int:
        since = START + timedelta(seconds=after)
        return store.read_now(lambda tx: tx.recent_requests(principal, since=since))

    assert (left(0), left(39)) == (6, 5)


def test_a_released_halt_is_released_for_good(store: SqliteStore) -> None:
    released = dataclasses.replace(a_halt(0), released_by="operator", released_at=START)
    store.write_now(lambda tx: (tx.add_halt(a_halt(0)), tx.put_halt(released)))
    with pytest.raises(Stale):
        store.write_now(lambda tx: tx.put_halt(a_halt(0)))
    assert store.read_now(lambda tx: tx.halts()) == []


def test_a_key_that_stands_for_another_order_cannot_be_taken_over(store: SqliteStore) -> None:
    theirs = an_order(1, principal="operator", key="key-0")
    store.write_now(lambda tx: (tx.add_order(an_order(0)), tx.add_order(theirs)))
    grabbed = dataclasses.replace(an_order(0), ver=2, principal="operator", intent_hash="c" * 64)
    with pytest.raises(Stale):
        store.write_now(lambda tx: tx.put_order(grabbed))
    assert store.read_now(lambda tx: tx.orders(OrderFilter(), limit=9)) == [theirs, an_order(0)]


def test_an_attempt_needs_its_order_and_its_integer_tag_is_unique(store: SqliteStore) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        store.write_now(lambda tx: tx.add_attempt(an_attempt(0)))
    store.write_now(lambda tx: [tx.add_order(an_order(n)) for n in range(2)])
    store.write_now(lambda tx: tx.add_attempt(an_attempt(0)))
    with pytest.raises(Stale):
        same = dataclasses.replace(an_attempt(1), magic=an_attempt(0).magic)
        store.write_now(lambda tx: tx.add_attempt(same))


def test_credentials_are_kept_used_and_revoked_once(store: SqliteStore) -> None:
    token = TokenRecord(
        token_id="t1",
        principal="local-agent",
        kind=Kind.AGENT,
        name="desk",
        digest="d" * 64,
        created_at=START,
        expires_at=START + timedelta(days=90),
    )
    operator = OperatorRecord(
        principal="op-1", name="Ada", password_hash="$argon2id$", created_at=START
    )
    session = SessionRecord(
        session_id="i" * 32,
        digest="s" * 64,
        principal="op-1",
        csrf="c",
        created_at=START,
        last_seen_at=START,
        method=Method.TOTP,
        factor_at=START,
        address="::1",
    )
    later = START + timedelta(minutes=5)

    def work(tx: SqlTx) -> list[bool]:
        tx.add_token(token)
        tx.add_operator(operator)
        tx.add_session(session)
        tx.touch_token("t1", at=later)
        tx.touch_session(session.digest, at=later)
        return [
            tx.revoke_token("t1", at=later),
            tx.revoke_token("t1", at=START),
            tx.revoke_token("unknown", at=later),
            tx.revoke_session(session.digest, at=later),
            tx.revoke_session(session.digest, at=START),
        ]

    assert store.write_now(work) == [True, False, False, True, False]
    used = dataclasses.replace(token, last_used_at=later, revoked_at=later)
    assert store.read_now(lambda tx: tx.tokens()) == [used]
    assert store.read_now(lambda tx: tx.token("t1")) == used
    assert store.read_now(lambda tx: tx.operators()) == [operator]
    seen = dataclasses.replace(session, last_seen_at=later, revoked_at=later)
    assert store.read_now(lambda tx: tx.session(session.digest)) == seen
    for taken in (lambda tx: tx.add_token(token), lambda tx: tx.add_operator(operator)):
        with pytest.raises(Stale):
            store.write_now(taken)
