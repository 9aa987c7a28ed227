"""The promises of ports.journal, kept by every implementation of it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ordergate.adapters.storage.connection import SqliteFile
from ordergate.adapters.storage.link import Database
from ordergate.adapters.storage.postgres import Postgres
from ordergate.adapters.storage.store import SqlStore
from ordergate.audit.checkpoint import Verdict, verify_log
from ordergate.model.accounts import CashKind, CashLine
from ordergate.model.orders import Action, AttemptState, Lane, OrderState, Side
from ordergate.model.outcomes import FillEffect
from ordergate.model.principals import Kind
from ordergate.model.records import (
    ExternalKind,
    ExternalRecord,
    TicketState,
    Tightening,
    UnderlyingRecord,
    Usage,
)
from ordergate.ports.journal import Journal, JournalTx, OrderFilter, Stale
from support.exit_scenes import a_guard
from support.journal_rows import (
    ACCOUNT,
    AGENT,
    DAY,
    a_fill,
    a_halt,
    a_recent,
    a_reservation,
    a_ticket,
    an_attempt,
    an_order,
    every_intent,
)
from support.judging import baseline
from support.manual_clock import START
from support.memory_journal import Duplicate, MemoryJournal
from support.postgres import empty, fresh_database
from support.sealed_log import fill_log, verify

TAKEN = (Stale, Duplicate)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A PostgreSQL database for all of these tests, one after another."""
    with fresh_database() as url:
        SqlStore.over(Postgres(url)).close_now()
        yield url


@pytest.fixture(params=["sqlite", "postgres", "memory"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    if request.param == "memory":
        yield MemoryJournal()
        return
    database: Database = SqliteFile(tmp_path / "gate.db")
    if request.param == "postgres":
        url = request.getfixturevalue("server")
        empty(url)
        database = Postgres(url)
    store = SqlStore.over(database)
    yield store
    store.close_now()


def write(journal: Journal, work: Callable[[JournalTx], Any]) -> Any:
    return asyncio.run(journal.write(work))  # type: ignore[arg-type]


def read(journal: Journal, work: Callable[[JournalTx], Any]) -> Any:
    return asyncio.run(journal.read(work))  # type: ignore[arg-type]


def seed_orders(journal: Journal, count: int) -> None:
    def work(tx: JournalTx) -> None:
        for n in range(count):
            tx.add_order(an_order(n))

    write(journal, work)


def seed_attempts(journal: Journal, *attempts: Any) -> None:
    def work(tx: JournalTx) -> None:
        for attempt in attempts:
            tx.add_attempt(attempt)

    write(journal, work)


def test_an_order_comes_back_as_it_was_written(journal: Journal) -> None:
    for n, intent in enumerate(every_intent()):
        order = an_order(
            n,
            intent=intent,
            lane=Lane.OPEN,
            drafted_by="agent-2",
            code="STOP_REQUIRED",
            decision_json='{"a":1}',
            ticket_id="ticket-1",
            attempts=3,
            expires_at=START + timedelta(hours=3),
        )
        write(journal, lambda tx, order=order: tx.add_order(order))
        assert read(journal, lambda tx, order=order: tx.order(order.order_id)) == order


def test_what_is_not_there_is_none(journal: Journal) -> None:
    def look(tx: JournalTx) -> tuple[object, ...]:
        return (
            tx.order("x"),
            tx.order_for_key(AGENT, "x"),
            tx.attempt("x"),
            tx.ticket("x"),
            tx.reservation("x"),
            tx.fact("x"),
            tx.attempt_for_venue_order(ACCOUNT, "x"),
            tx.attempt_for_position(ACCOUNT, "x"),
            tx.audit_head(),
            tx.last_checkpoint(),
        )

    assert set(read(journal, look)) == {None}


def test_a_key_is_spent_for_ever(journal: Journal) -> None:
    seed_orders(journal, 1)
    other = an_order(1, key="key-0")
    with pytest.raises(TAKEN):
        write(journal, lambda tx: tx.add_order(other))
    assert read(journal, lambda tx: tx.order(other.order_id)) is None
    found = read(journal, lambda tx: tx.order_for_key(AGENT, "key-0"))
    assert found == an_order(0)
    # Another principal's key of the same name is another key.
    mine = dataclasses.replace(other, principal="operator")
    write(journal, lambda tx: tx.add_order(mine))
    assert read(journal, lambda tx: tx.order_for_key("operator", "key-0")) == mine


def test_an_order_moves_only_from_the_version_that_was_read(journal: Journal) -> None:
    seed_orders(journal, 1)
    moved = dataclasses.replace(an_order(0), ver=2, state=OrderState.APPROVED, lane=Lane.OPEN)
    write(journal, lambda tx: tx.put_order(moved))
    assert read(journal, lambda tx: tx.order(moved.order_id)) == moved
    for ver in (1, 2, 4):
        late = dataclasses.replace(moved, ver=ver, state=OrderState.KILLED)
        with pytest.raises(Stale):
            write(journal, lambda tx, late=late: tx.put_order(late))
    with pytest.raises(Stale):
        write(journal, lambda tx: tx.put_order(an_order(7, ver=2)))
    assert read(journal, lambda tx: tx.order(moved.order_id)) == moved


def test_a_draft_may_change_hands(journal: Journal) -> None:
    seed_orders(journal, 1)
    submitted = dataclasses.replace(
        an_order(0),
        ver=2,
        principal="operator",
        principal_kind=Kind.OPERATOR,
        drafted_by=AGENT,
        intent_hash="b" * 64,
    )
    write(journal, lambda tx: tx.put_order(submitted))
    assert read(journal, lambda tx: tx.order(submitted.order_id)) == submitted
    assert read(journal, lambda tx: tx.order_for_key(AGENT, "key-0")) == submitted


def test_orders_page_from_the_newest_without_gaps(journal: Journal) -> None:
    states = [OrderState.DONE, OrderState.ACTIVE, OrderState.DENIED]

    def work(tx: JournalTx) -> None:
        for n in range(30):
            same_moment = START + timedelta(seconds=n // 4)
            tx.add_order(
                an_order(
                    n,
                    state=states[n % 3],
                    principal=AGENT if n % 2 else "other",
                    symbol="EURUSD" if n % 5 else "AAPL",
                    created_at=same_moment,
                )
            )

    write(journal, work)
    everything = read(journal, lambda tx: tx.orders(OrderFilter(), limit=100))
    assert [order.order_id for order in everything] == [f"order-{n:06}" for n in range(29, -1, -1)]
    for where in (
        OrderFilter(),
        OrderFilter(principal=AGENT),
        OrderFilter(states=frozenset({OrderState.DONE, OrderState.ACTIVE})),
        OrderFilter(symbol="AAPL"),
        OrderFilter(principal=AGENT, states=frozenset({OrderState.DENIED}), symbol="EURUSD"),
    ):
        expected = [
            order
            for order in everything
            if where.principal in (None, order.principal)
            and (where.states is None or order.state in where.states)
            and where.symbol in (None, order.symbol)
        ]
        assert paged(journal, where) == expected
    assert paged(journal, OrderFilter(states=frozenset())) == []


def paged(journal: Journal, where: OrderFilter) -> list[Any]:
    seen: list[Any] = []
    for _ in range(20):
        page = read(journal, lambda tx, where=where: tx.orders(where, limit=4))
        seen += page
        if len(page) < 4:
            return seen
        where = dataclasses.replace(where, before=(page[-1].created_at, page[-1].order_id))
    raise AssertionError("paging does not end")


def test_an_attempt_comes_back_and_moves_by_version(journal: Journal) -> None:
    seed_orders(journal, 1)
    attempt = an_attempt(0)
    seed_attempts(journal, attempt)
    assert read(journal, lambda tx: tx.attempt(attempt.attempt_id)) == attempt
    moved = dataclasses.replace(
        attempt,
        ver=2,
        state=AttemptState.FILLED,
        venue_order_id="v-1",
        position_id="p-1",
        filled_quantity=Decimal("0.10"),
        average_price=Decimal("1.08511"),
        cancel_pending=True,
        code="10009",
        incident="late fill",
        updated_at=START,
        ended_at=START,
    )
    write(journal, lambda tx: tx.put_attempt(moved))
    assert read(journal, lambda tx: tx.attempts("order-000000")) == [moved]
    with pytest.raises(Stale):
        write(journal, lambda tx: tx.put_attempt(moved))


@pytest.mark.parametrize("same", ["attempt_id", "tag", "n"])
def test_an_attempt_shares_no_identity(journal: Journal, same: str) -> None:
    seed_orders(journal, 2)
    first = an_attempt(0)
    seed_attempts(journal, first)
    second = dataclasses.replace(an_attempt(1), order_id=first.order_id, n=2)
    second = dataclasses.replace(second, **{same: getattr(first, same)})
    with pytest.raises(TAKEN):
        seed_attempts(journal, second)


def test_the_openers_of_a_position_are_whose_orders_filled_into_it(journal: Journal) -> None:
    people = [("agent-1", None), ("operator", "agent-2"), ("agent-3", None), ("agent-4", None)]
    for n, (principal, drafter) in enumerate(people):
        order = an_order(n, principal=principal, drafted_by=drafter, key=f"key-{n}")
        write(journal, lambda tx, order=order: tx.add_order(order))
    seed_attempts(
        journal,
        an_attempt(0, position_id="p-0"),
        an_attempt(1, position_id="p-0"),
        an_attempt(2, position_id="p-1"),
        an_attempt(3, position_id="p-0", opening=False),
    )
    openers = {"agent-1", "operator", "agent-2"}
    assert read(journal, lambda tx: tx.openers_of(ACCOUNT, "p-0")) == openers
    assert read(journal, lambda tx: tx.openers_of("other", "p-0")) == frozenset()
    assert read(journal, lambda tx: tx.openers_of(ACCOUNT, "p-9")) == frozenset()


def test_attempts_are_found_by_everything_evidence_may_name(journal: Journal) -> None:
    seed_orders(journal, 6)
    placed = an_attempt(0, state=AttemptState.WORKING, venue_order_id="v-0", position_id="p-0")
    cancel = an_attempt(1, action=Action.CANCEL, side=None, quantity=None, opening=False)
    cancel = dataclasses.replace(cancel, venue_order_id="v-0", state=AttemptState.APPLIED)
    added = an_attempt(2, state=AttemptState.FILLED, position_id="p-0", ended_at=START)
    close = an_attempt(3, action=Action.CLOSE, opening=False, position_id="p-0", side=Side.SELL)
    close = dataclasses.replace(close, venue_order_id="v-3", state=AttemptState.UNKNOWN)
    foreign = an_attempt(4, account="other", venue_order_id="v-0", position_id="p-0")
    seed_attempts(journal, placed, cancel, added, close, foreign)

    def look(tx: JournalTx) -> dict[str, object]:
        return {
            "order": tx.attempt_for_venue_order(ACCOUNT, "v-0"),
            "close": tx.attempt_for_venue_order(ACCOUNT, "v-3"),
            "position": tx.attempt_for_position(ACCOUNT, "p-0"),
            "tags": {a.attempt_id for a in tx.attempts_tagged(["tag-0", "tag-3", "?", "tag-0"])},
            "numbers": [
                a.attempt_id for a in tx.attempts_numbered([close.magic, 2**53 - 1, placed.magic])
            ],
            "live": [
                a.attempt_id
                for a in tx.attempts_in(
                    frozenset({AttemptState.WORKING, AttemptState.UNKNOWN, AttemptState.SENDING})
                )
            ],
            "mine": [
                a.attempt_id
                for a in tx.attempts_in(frozenset({AttemptState.SENDING}), account=ACCOUNT)
            ],
            "ended": tx.attempts_ended_since(ACCOUNT, START),
            "later": tx.attempts_ended_since(ACCOUNT, START + timedelta(microseconds=1)),
        }

    assert read(journal, look) == {
        "order": placed,
        "close": close,
        "position": placed,
        "tags": {placed.attempt_id, close.attempt_id},
        "numbers": [close.attempt_id, placed.attempt_id],
        "live": [placed.attempt_id, close.attempt_id, foreign.attempt_id],
        "mine": [],
        "ended": [added],
        "later": [],
    }


def test_a_fill_is_booked_once(journal: Journal) -> None:
    seed_orders(journal, 1)
    seed_attempts(journal, an_attempt(0))
    fill = a_fill(0)
    book = lambda tx: tx.add_fill(ACCOUNT, "attempt-000000", fill)  # noqa: E731
    assert write(journal, book) is True
    assert write(journal, book) is False
    assert write(journal, lambda tx: tx.add_fill("other", None, fill)) is True
    assert read(journal, lambda tx: tx.fills_of("attempt-000000")) == [fill]
    ((_, attempt_id, found),) = read(journal, lambda tx: tx.fills(ACCOUNT, before=None, limit=9))
    assert (attempt_id, found) == ("attempt-000000", fill)


def test_fills_page_from_the_newest(journal: Journal) -> None:
    def work(tx: JournalTx) -> None:
        for n in range(25):
            tx.add_fill(ACCOUNT if n % 2 else "other", None, a_fill(n))

    write(journal, work)
    seen: list[str] = []
    cursor = None
    while page := read(journal, lambda tx, at=cursor: tx.fills(ACCOUNT, before=at, limit=5)):
        seen += [fill.trade_id for _, _, fill in page]
        cursor = page[-1][0]
    assert seen == [f"trade-{n}" for n in range(23, 0, -2)]


def test_reservations_are_held_until_the_mark_has_passed_their_release(journal: Journal) -> None:
    seed_orders(journal, 3)
    seed_attempts(journal, *(an_attempt(n) for n in range(3)))
    held = [a_reservation(n, risk=Decimal(n)) for n in range(3)]

    def work(tx: JournalTx) -> None:
        for reservation in held:
            tx.add_reservation(reservation)
        tx.put_reservation(dataclasses.replace(held[0], released_seq=10))
        tx.put_reservation(dataclasses.replace(held[1], quantity=Decimal("0.05")))

    write(journal, work)

    def at(mark: int) -> set[str]:
        rows = read(journal, lambda tx: tx.reservations(ACCOUNT, mark=mark))
        return {row.attempt_id for row in rows}

    assert at(9) == {row.attempt_id for row in held}
    assert at(10) == {held[1].attempt_id, held[2].attempt_id}
    assert read(journal, lambda tx: tx.reservations("other", mark=0)) == []
    part = read(journal, lambda tx: tx.reservation(held[1].attempt_id))
    assert part == dataclasses.replace(held[1], quantity=Decimal("0.05"))
    with pytest.raises(Stale):
        write(journal, lambda tx: tx.put_reservation(a_reservation(9)))
    # Late evidence may bring a released one back.
    write(journal, lambda tx: tx.put_reservation(held[0]))
    assert at(99) == {row.attempt_id for row in held}


def test_use_of_limits_adds_up_per_principal_and_account(journal: Journal) -> None:
    def work(tx: JournalTx) -> None:
        for principal, notional in (("a", "0.1"), ("a", "0.2"), ("b", "1000.05")):
            tx.add_usage(ACCOUNT, principal, DAY, Usage(orders=1, notional=Decimal(notional)))
        tx.add_usage(ACCOUNT, "a", DAY + timedelta(days=1), Usage(orders=9, notional=Decimal(9)))
        tx.add_usage("other", "a", DAY, Usage(orders=9, notional=Decimal(9)))

    write(journal, work)
    use = lambda who: read(journal, lambda tx: tx.usage(ACCOUNT, who, DAY))  # noqa: E731
    assert use("a") == Usage(orders=2, notional=Decimal("0.3"))
    assert use(None) == Usage(orders=3, notional=Decimal("1000.35"))
    assert use("nobody") == Usage(orders=0, notional=Decimal(0))


def test_recent_claims_are_counted_after_a_moment(journal: Journal) -> None:
    write(journal, lambda tx: [tx.add_recent(a_recent(n)) for n in (3, 1, 2)])
    one = a_recent(1)

    def requests(seconds: int) -> int:
        since = START + timedelta(seconds=seconds)
        return read(journal, lambda tx: tx.recent_requests(one.principal, since=since))

    assert [requests(n) for n in range(4)] == [3, 2, 1, 0]
    assert read(journal, lambda tx: tx.recent_requests("nobody", since=START)) == 0


def test_recent_openings_are_of_one_symbol_and_side_and_leave_the_order_out(
    journal: Journal,
) -> None:
    rows = [
        a_recent(1, side=Side.BUY),
        a_recent(2, side=Side.SELL),
        a_recent(3, side=Side.BUY, symbol="OTHER"),
        a_recent(4, side=Side.BUY, lane=Lane.CLOSE),
        a_recent(5, side=None),
    ]
    write(journal, lambda tx: [tx.add_recent(row) for row in rows])
    one = rows[0]

    def openings(side: Side | None, but: str | None = None) -> int:
        return read(
            journal,
            lambda tx: tx.recent_openings(one.principal, one.symbol, side, since=START, but=but),
        )

    assert (openings(one.side), openings(Side.SELL), openings(None)) == (1, 1, 1)
    assert openings(one.side, but=one.order_id) == 0


def test_asks_are_counted_by_principal_and_leave_the_order_out(journal: Journal) -> None:
    rows = [
        an_order(1, ticket_id="t1", state=OrderState.AWAITING_APPROVAL),
        an_order(2, ticket_id="t2", state=OrderState.DENIED),
        an_order(3, state=OrderState.PROPOSED),
        an_order(4, ticket_id="t4", state=OrderState.AWAITING_APPROVAL, principal="other"),
    ]
    write(journal, lambda tx: [tx.add_order(row) for row in rows])
    one, two = rows[0], rows[1]
    who, before = one.principal, START - timedelta(seconds=1)

    def waiting(but: str | None = None) -> int:
        return read(journal, lambda tx: tx.asks_waiting(who, but=but))

    def asks(since: datetime, but: str | None = None) -> int:
        return read(journal, lambda tx: tx.asks_since(who, since=since, but=but))

    assert (waiting(), waiting(one.order_id), waiting(two.order_id)) == (1, 0, 1)
    assert (asks(before), asks(before, two.order_id)) == (2, 1)
    assert (asks(one.created_at), asks(two.created_at)) == (1, 0)


def test_requests_of_all_principals_count_for_an_account(journal: Journal) -> None:
    rows = [a_recent(1), a_recent(2, principal="other"), a_recent(3, account="elsewhere")]
    write(journal, lambda tx: [tx.add_recent(row) for row in rows])
    account = rows[0].account
    assert read(journal, lambda tx: tx.account_requests(account, since=START)) == 2
    after = rows[0].claimed_at
    assert read(journal, lambda tx: tx.account_requests(account, since=after)) == 1


def test_the_farthest_price_is_the_lowest_buy_and_the_highest_sell(journal: Journal) -> None:
    prices = {1: "9.5", 2: "10.25", 3: "100", 4: None}
    for side in Side:
        rows = [
            a_recent(n, side=side, price=None if price is None else Decimal(price))
            for n, price in prices.items()
        ]
        write(journal, lambda tx, rows=rows: [tx.add_recent(row) for row in rows])
    one = a_recent(1)

    def farthest(side: Side, seconds: int = 0, but: str | None = None) -> Decimal | None:
        since = START + timedelta(seconds=seconds)
        return read(
            journal,
            lambda tx: tx.farthest_price(one.account, one.symbol, side, since=since, but=but),
        )

    assert (farthest(Side.BUY), farthest(Side.SELL)) == (Decimal("9.5"), Decimal(100))
    assert farthest(Side.BUY, but=one.order_id) == Decimal("10.25")
    assert farthest(Side.BUY, seconds=2) == Decimal(100)
    assert farthest(Side.BUY, seconds=3) is None


def test_fills_that_nobody_said_yes_to_are_counted_by_agent(journal: Journal) -> None:
    asked = {1: None, 2: "a ticket", 3: None, 4: None, 5: None}
    agents = {3: "other"}
    for n, ticket in asked.items():
        order = an_order(n, ticket_id=ticket, principal=agents.get(n, an_order(n).principal))
        filled = AttemptState.WORKING if n == 4 else AttemptState.FILLED
        ended = START + timedelta(seconds=n)
        row = an_attempt(n, order_id=order.order_id, state=filled, opening=n != 5, ended_at=ended)
        write(journal, lambda tx, order=order, row=row: (tx.add_order(order), tx.add_attempt(row)))
    one = an_order(1)

    def count(principal: str, seconds: int = 0) -> int:
        since = START + timedelta(seconds=seconds)
        return read(journal, lambda tx: tx.hands_off_fills(one.account, principal, since=since))

    assert (count(one.principal), count("other"), count("nobody")) == (1, 1, 0)
    assert count(one.principal, seconds=1) == 0


def test_losing_closes_are_counted_by_who_opened_the_position(journal: Journal) -> None:
    for n, who in ((1, "agent-a"), (2, "agent-b")):
        order = an_order(n, principal=who)
        row = an_attempt(n, order_id=order.order_id, opening=True, position_id=f"p{n}")
        write(journal, lambda tx, order=order, row=row: (tx.add_order(order), tx.add_attempt(row)))
    closing = {"effect": FillEffect.CLOSING, "time": START}
    fills = [
        a_fill(1, position_id="p1", realised=Decimal("-0.01"), **closing),
        a_fill(2, position_id="p1", realised=Decimal("-12"), **closing),
        a_fill(3, position_id="p1", realised=Decimal("3"), **closing),
        a_fill(4, position_id="p1", realised=Decimal(0), **closing),
        a_fill(5, position_id="p2", realised=Decimal("-1"), **closing),
        a_fill(6, position_id=None, realised=Decimal("-1"), **closing),
    ]
    account = an_order(1).account
    write(journal, lambda tx: [tx.add_fill(account, None, fill) for fill in fills])

    def losses(who: str, since: datetime) -> int:
        return read(journal, lambda tx: tx.losing_closes(account, who, since=since))

    before = START - timedelta(seconds=1)
    assert (losses("agent-a", before), losses("agent-b", before)) == (2, 1)
    assert losses("agent-a", START) == 0


def test_a_recent_twin_is_the_newest_with_equal_terms(journal: Journal) -> None:
    rows = [a_recent(n, terms="same") for n in (1, 3, 2)] + [a_recent(4, terms="other")]
    write(journal, lambda tx: [tx.add_recent(row) for row in rows])
    account = rows[0].account

    def twin(seconds: int, but: str | None = None) -> object:
        since = START + timedelta(seconds=seconds)
        return read(journal, lambda tx: tx.recent_twin(account, "same", since=since, but=but))

    assert twin(0) == a_recent(3, terms="same")
    assert twin(0, but=a_recent(3).order_id) == a_recent(2, terms="same")
    assert twin(3) is None


def test_tickets_move_by_version_and_are_found_by_state(journal: Journal) -> None:
    seed_orders(journal, 2)
    write(journal, lambda tx: [tx.add_ticket(a_ticket(n)) for n in (1, 0)])
    decided = dataclasses.replace(
        a_ticket(1),
        ver=2,
        state=TicketState.APPROVED,
        decided_by="operator",
        decided_at=START,
        method="password",
    )
    write(journal, lambda tx: tx.put_ticket(decided))
    with pytest.raises(Stale):
        write(journal, lambda tx: tx.put_ticket(decided))
    both = frozenset({TicketState.OPEN, TicketState.APPROVED})
    assert read(journal, lambda tx: tx.tickets_in(both)) == [a_ticket(0), decided]
    assert read(journal, lambda tx: tx.tickets_in(frozenset({TicketState.DENIED}))) == []
    assert read(journal, lambda tx: tx.ticket("ticket-1")) == decided
    with pytest.raises(TAKEN):
        write(journal, lambda tx: tx.add_ticket(a_ticket(0)))


def test_halts_stand_until_released(journal: Journal) -> None:
    write(journal, lambda tx: [tx.add_halt(a_halt(n)) for n in range(2)])
    released = dataclasses.replace(
        a_halt(0), released_by="operator", released_at=START, release_reason="checked"
    )
    write(journal, lambda tx: tx.put_halt(released))
    assert read(journal, lambda tx: tx.halts()) == [a_halt(1)]
    with pytest.raises(Stale):
        write(journal, lambda tx: tx.put_halt(a_halt(9)))


def test_guards_stand_until_they_end_and_move_by_version(journal: Journal) -> None:
    guard = a_guard(stop=Decimal("1.08"), trail_percent=Decimal("0.5"))
    write(journal, lambda tx: tx.add_guard(guard))
    assert read(journal, lambda tx: tx.guard(guard.account, guard.position_id)) == guard
    closing = dataclasses.replace(guard, ver=2, keep=Decimal(0), rung=1, alarmed=True)
    write(journal, lambda tx: tx.put_guard(closing))
    assert read(journal, lambda tx: list(tx.guards())) == [closing]
    with pytest.raises(Stale):
        write(journal, lambda tx: tx.put_guard(closing))
    with pytest.raises(Stale):
        write(journal, lambda tx: tx.add_guard(guard))
    ended = dataclasses.replace(closing, ver=3, ended_at=START)
    write(journal, lambda tx: tx.put_guard(ended))
    assert read(journal, lambda tx: tx.guard(guard.account, guard.position_id)) is None
    assert read(journal, lambda tx: list(tx.guards())) == []


def test_tightenings_and_facts_are_kept(journal: Journal) -> None:
    tight = [
        Tightening(
            limit_name="order_notional",
            value=Decimal(n),
            set_by=AGENT,
            set_at=START,
            reason="calm",
        )
        for n in (500, 400)
    ]

    def work(tx: JournalTx) -> None:
        for each in tight:
            tx.add_tightening(each)
        tx.put_fact("epoch", "1")
        tx.put_fact("epoch", "2")

    write(journal, work)
    assert read(journal, lambda tx: tx.tightenings()) == tight
    assert read(journal, lambda tx: tx.fact("epoch")) == "2"


def test_lifted_tightenings_of_one_limit_no_longer_count_and_are_not_lifted_twice(
    journal: Journal,
) -> None:
    def tight(name: str, value: int) -> Tightening:
        return Tightening(
            limit_name=name, value=Decimal(value), set_by=AGENT, set_at=START, reason="calm"
        )

    def work(tx: JournalTx) -> None:
        for row in (tight("a", 5), tight("b", 6), tight("a", 4)):
            tx.add_tightening(row)

    def lift(tx: JournalTx) -> int:
        return tx.lift_tightenings("a", by="operator:alice", at=START, set_until=START)

    write(journal, work)
    later = tight("a", 2)
    later = dataclasses.replace(later, set_at=START + timedelta(seconds=1))
    write(journal, lambda tx: tx.add_tightening(later))
    assert [write(journal, lift), write(journal, lift)] == [2, 0], "not what was set afterwards"
    assert read(journal, lambda tx: tx.tightenings()) == [tight("b", 6), later]
    end = START + timedelta(seconds=1)
    write(journal, lambda tx: tx.lift_tightenings("a", by="operator:alice", at=end, set_until=end))
    assert read(journal, lambda tx: tx.tightenings()) == [tight("b", 6)]
    write(journal, lambda tx: tx.add_tightening(tight("a", 3)))
    assert read(journal, lambda tx: tx.tightenings()) == [tight("b", 6), tight("a", 3)]


def test_what_a_day_brought_adds_up_beside_its_orders(journal: Journal) -> None:
    def work(tx: JournalTx) -> None:
        for result in ("-12.5", "2.25"):
            won = Usage(orders=0, notional=Decimal(0), result=Decimal(result))
            tx.add_usage(ACCOUNT, "a", DAY, won)
        tx.add_usage(ACCOUNT, "b", DAY, Usage(orders=1, notional=Decimal(7)))

    write(journal, work)
    brought = Usage(orders=0, notional=Decimal(0), result=Decimal("-10.25"))
    assert read(journal, lambda tx: tx.usage(ACCOUNT, "a", DAY)) == brought
    assert read(journal, lambda tx: tx.usage(ACCOUNT, None, DAY)).result == Decimal("-10.25")


def test_whose_openings_filled_into_a_position(journal: Journal) -> None:
    def work(tx: JournalTx) -> None:
        for n, (who, opening, held) in enumerate(
            [("a", True, "p1"), ("b", True, "p1"), ("a", False, "p1"), ("c", True, "p2")]
        ):
            order = an_order(n, principal=who)
            tx.add_order(order)
            filled = Decimal(n + 1)
            tx.add_attempt(
                an_attempt(
                    n,
                    order_id=order.order_id,
                    opening=opening,
                    position_id=held,
                    filled_quantity=filled,
                    claimed_at=START + timedelta(seconds=n),
                )
            )

    write(journal, work)
    found = read(journal, lambda tx: tx.openers(ACCOUNT, ["p1", "p2", "p'3"]))
    assert found == {"p1": [("a", Decimal(1)), ("b", Decimal(2))], "p2": [("c", Decimal(4))]}
    assert read(journal, lambda tx: tx.openers(ACCOUNT, ["p2"])) == {"p2": [("c", Decimal(4))]}
    assert read(journal, lambda tx: tx.openers(ACCOUNT, [])) == {}
    assert read(journal, lambda tx: tx.openers("other", ["p1"])) == {}


def test_an_exception_undoes_the_whole_work_and_is_raised(journal: Journal) -> None:
    class Refused(Exception): ...

    def work(tx: JournalTx) -> None:
        tx.add_order(an_order(0))
        fill_log(tx, 3)
        assert tx.order("order-000000") is not None  # reads see their own writes
        raise Refused

    with pytest.raises(Refused):
        write(journal, work)
    assert read(journal, lambda tx: tx.order("order-000000")) is None
    assert read(journal, lambda tx: tx.audit_head()) is None


def test_many_writers_lose_nothing(journal: Journal) -> None:
    def count(tx: JournalTx) -> int:
        n = int(tx.fact("n") or "0") + 1
        tx.put_fact("n", str(n))
        return n

    async def race() -> list[int]:
        return list(await asyncio.gather(*(journal.write(count) for _ in range(64))))

    assert sorted(asyncio.run(race())) == list(range(1, 65))


def test_of_many_orders_under_one_key_one_is_booked(journal: Journal) -> None:
    def propose(n: int) -> Callable[[JournalTx], str]:
        def work(tx: JournalTx) -> str:
            known = tx.order_for_key(AGENT, "same")
            if known is not None:
                return known.order_id
            tx.add_order(an_order(n, key="same"))
            return f"order-{n:06}"

        return work

    async def race() -> list[str]:
        return list(await asyncio.gather(*(journal.write(propose(n)) for n in range(64))))

    assert len(set(asyncio.run(race()))) == 1
    assert len(read(journal, lambda tx: tx.orders(OrderFilter(), limit=9))) == 1


def test_the_log_is_read_by_place_kind_and_subject(journal: Journal) -> None:
    write(journal, lambda tx: fill_log(tx, 30))

    def look(tx: JournalTx) -> dict[str, list[int]]:
        def seqs(rows: Any) -> list[int]:
            return [row.seq for row in rows]

        return {
            "page": seqs(tx.audit_rows(after=3, limit=3)),
            "kind": seqs(tx.audit_rows(after=0, limit=2, kind="order.judged")),
            "corr": seqs(tx.audit_rows(after=0, limit=9, corr="order-2")),
            "both": seqs(tx.audit_rows(after=0, limit=9, corr="order-2", kind="order.judged")),
            "tail": seqs(tx.audit_tail(limit=3)),
            "tail_kind": seqs(tx.audit_tail(limit=2, kind="order.proposed")),
        }

    assert read(journal, look) == {
        "page": [4, 5, 6],
        "kind": [2, 5],
        "corr": [7, 8, 9],
        "both": [8],
        "tail": [28, 29, 30],
        "tail_kind": [25, 28],
    }


def test_what_was_sealed_verifies(journal: Journal) -> None:
    write(journal, lambda tx: fill_log(tx, 600))

    def look(tx: JournalTx) -> Any:
        notes = [*tx.checkpoints(after=0, limit=1), *tx.checkpoints(after=256, limit=9)]
        assert [note.size for note in notes] == [256, 512]
        assert tx.last_checkpoint() == notes[-1]
        assert len(tx.audit_hashes(after=10, upto=600)) == 590
        return verify_log(
            tx.audit_rows(after=0, limit=1000),
            head=tx.audit_head(),
            checkpoints=notes,
            verify=verify,
        )

    finding = read(journal, look)
    assert (finding.verdict, finding.size) == (Verdict.OK, 600)


def test_a_confirmed_underlying_is_in_force_until_it_is_removed(journal: Journal) -> None:
    gold = UnderlyingRecord(
        name="GOLD",
        underlying="XAUUSD",
        venue="",
        confirmed_by="operator:ann",
        confirmed_at=START,
        reason="the contract list",
    )
    there = dataclasses.replace(gold, venue="ibkr", underlying="ABX")
    write(journal, lambda tx: [tx.add_underlying(row) for row in (gold, there)])
    assert list(read(journal, lambda tx: tx.underlyings())) == [gold, there]
    end = {"by": "operator:ann", "at": START}
    assert write(journal, lambda tx: tx.remove_underlying("GOLD", venue="", **end)) == 1
    assert write(journal, lambda tx: tx.remove_underlying("GOLD", venue="", **end)) == 0
    assert list(read(journal, lambda tx: tx.underlyings())) == [there]


def test_a_baseline_is_one_row_an_account(journal: Journal) -> None:
    first = baseline()
    later = dataclasses.replace(first, peak=Decimal("100000.01"), week="2026-W03")
    for row in (first, later):
        write(journal, lambda tx, row=row: tx.put_baseline(row))
    assert read(journal, lambda tx: tx.baseline(first.account)) == later
    assert read(journal, lambda tx: tx.baseline("another")) is None


def test_cash_is_booked_once_and_payments_add_up(journal: Journal) -> None:
    lines = [
        CashLine(line_id=f"c{n}", kind=kind, amount=Decimal(amount), time=START, note="n")
        for n, (kind, amount) in enumerate(
            ((CashKind.DEPOSIT, "100.10"), (CashKind.SWAP, "-3"), (CashKind.WITHDRAWAL, "-40"))
        )
    ]
    for expected in (True, False):
        for line in lines:
            assert write(journal, lambda tx, line=line: tx.add_cash(ACCOUNT, line)) is expected
    assert read(journal, lambda tx: tx.paid_in(ACCOUNT)) == Decimal("60.10")
    assert read(journal, lambda tx: tx.paid_in("another")) == 0
    page = read(journal, lambda tx: tx.cash(ACCOUNT, before=None, limit=2))
    assert [line for _, line in page] == [lines[2], lines[1]]
    rest = read(journal, lambda tx: tx.cash(ACCOUNT, before=page[-1][0], limit=2))
    assert [line for _, line in rest] == [lines[0]]


def test_what_came_from_outside_is_recorded_once(journal: Journal) -> None:
    rows = [
        ExternalRecord(
            account=ACCOUNT,
            kind=kind,
            venue_id="7",
            symbol="EURUSD",
            side=Side.BUY,
            quantity=Decimal("0.10"),
            price=None,
            venue_time=START,
            found_at=START,
        )
        for kind in (ExternalKind.ORDER, ExternalKind.POSITION)
    ]
    for expected in (True, False):
        for row in rows:
            assert write(journal, lambda tx, row=row: tx.add_external(row)) is expected
    page = read(journal, lambda tx: tx.externals(ACCOUNT, before=None, limit=1))
    assert [row for _, row in page] == [rows[1]]
    rest = read(journal, lambda tx: tx.externals(ACCOUNT, before=page[0][0], limit=9))
    assert [row for _, row in rest] == [rows[0]]
