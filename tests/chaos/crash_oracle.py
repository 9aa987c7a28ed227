"""What must hold after crashes: the venue's own books against the gate's file, by a stranger.

Imports nothing of ours but the second verifier, which is a stranger, too. Each finding begins with
the invariant of reliability.md 2.9 that it breaks, or with what it is called there.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from chaos.crash_venue import Books
from support import oracle_verify

ENDED = {
    "filled",
    "canceled",
    "venue_expired",
    "replaced",
    "rejected",
    "not_sent",
    "resolved_not_placed",
    "applied",
    "not_applied",
}
AT_VENUE = {"working", "partial", "filled"}
NEVER_FOR_EXITS = {"killed", "blocked", "denied", "expired"}
STOPPERS = {"KILL_SWITCH_ACTIVE", "TRADING_HALTED", "LIVE_NOT_ARMED", "EXCEEDS_LOCAL_LIMIT"}

Row = dict[str, Any]


@dataclass
class Evidence:
    """All that the oracle goes by."""

    file: Path
    public: str
    books: Books
    tasks: list[Row]
    answers: dict[str, set[str]]  # key -> orders it was answered with
    killed: bool  # the kill switch was acknowledged, or must stand after a restore
    restored: bool

    def lots(self, *kinds: str) -> set[Decimal]:
        return {Decimal(task["lots"]) for task in self.tasks if task["do"] in kinds}


@dataclass
class Tables:
    orders: dict[str, Row] = field(default_factory=dict)
    attempts: list[Row] = field(default_factory=list)
    fills: list[Row] = field(default_factory=list)
    reservations: dict[str, Row] = field(default_factory=dict)
    halts: list[Row] = field(default_factory=list)
    audit: list[Row] = field(default_factory=list)

    def tagged(self) -> dict[str, Row]:
        return {row["tag"]: row for row in self.attempts}


def read(file: Path) -> Tables:
    """Read the gate's file as it lies there."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row

        def rows(name: str, order: str = "rowid") -> list[Row]:
            return [dict(row) for row in db.execute(f"SELECT * FROM {name} ORDER BY {order}")]

        return Tables(
            orders={row["order_id"]: row for row in rows("orders")},
            attempts=rows("attempts"),
            fills=rows("fills", "n"),
            reservations={row["attempt_id"]: row for row in rows("reservations")},
            halts=rows("halts"),
            audit=rows("audit", "seq"),
        )


def post_mortem(file: Path, books: Books, *, killed: bool, restored: bool) -> list[str]:
    """Return what a dead gateway's file already gives away."""
    found = []
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        durable = {tag for (tag,) in db.execute("SELECT tag FROM attempts")}
        (kills,) = db.execute(
            "SELECT COUNT(*) FROM halts WHERE kind = 'kill' AND released_at IS NULL"
        ).fetchone()
    spooled = (file.parent / "emergency.journal").read_bytes()
    for tag in () if restored else books.received:
        if tag not in durable and tag.encode() not in spooled:
            found.append(f"I4: {tag} was sent, and no durable row says so")
    # Where no book took it, the emergency journal did; that it stands in the end is judged then.
    if killed and not kills and b'"what":"stop"' not in spooled:
        found.append("I11: the kill switch was acknowledged and is gone")
    return found


def examine(given: Evidence) -> list[str]:
    """Return everything that is wrong once all has come to rest."""
    tables = read(given.file)
    found: list[str] = []
    for look in (
        _duplicates,
        _lost,
        _stuck,
        _wire,
        _fills,
        _reservations,
        _terminal,
        _keys,
        _record,
        _stops,
        _exits,
        _protection,
    ):
        found += look(given, tables)
    return found


def _duplicates(given: Evidence, tables: Tables) -> list[str]:
    """The size of an opening is its own: the venue alone can tell two executions of one order."""
    executed = [one for one in given.books.orders if not one.reduce_only and one.filled > 0]
    found = [
        f"I1 duplicate: {times} orders of {lots} lots were executed"
        for lots, times in Counter(one.quantity for one in executed).items()
        if times > 1
    ]
    tags = Counter(one.tag for one in given.books.orders)
    found += [f"I1 duplicate: tag {tag} stands {n} times" for tag, n in tags.items() if n > 1]
    by_order: dict[str, list[Row]] = defaultdict(list)
    for row in tables.attempts:
        by_order[row["order_id"]].append(row)
    for rows in by_order.values():
        for earlier in sorted(rows, key=lambda row: row["n"])[:-1]:
            if given.books.refused.get(earlier["tag"]) != "REQUOTE":
                found.append(f"I1: a second attempt after {earlier['tag']}: {earlier['state']}")
    return found


def _lost(given: Evidence, tables: Tables) -> list[str]:
    ours = tables.tagged()
    found = []
    for order in given.books.orders:
        row = ours.get(order.tag)
        if row is None:
            found.append(f"I2 lost: {order.id} {order.tag} is in nobody's books")
        elif row["state"] != order.status:
            found.append(f"I2 lost: {order.id} is {order.status}, we say {row['state']}")
        elif Decimal(row["filled_quantity"]) != order.filled:
            found.append(f"I5: {order.id} filled {order.filled}, not {row['filled_quantity']}")
    there = {order.tag for order in given.books.orders}
    found += [
        f"phantom: {row['tag']} is {row['state']}, and the venue never had it"
        for row in tables.attempts
        if row["state"] in AT_VENUE and row["tag"] not in there
    ]
    return found


def _stuck(given: Evidence, tables: Tables) -> list[str]:
    del given
    found = [
        f"I15 stuck: attempt {row['tag']} is {row['state']}"
        for row in tables.attempts
        if row["state"] in ("sending", "unknown")
    ]
    open_of = {row["order_id"] for row in tables.attempts if row["state"] not in ENDED}
    for order in tables.orders.values():
        if order["state"] in ("proposed", "approved", "requoted"):
            found.append(f"I15 stuck: order {order['order_id']} is {order['state']}")
        if order["state"] == "active" and order["order_id"] not in open_of:
            found.append(f"I15 stuck: order {order['order_id']} is active without an attempt")
    return found


def _wire(given: Evidence, tables: Tables) -> list[str]:
    ours = tables.tagged()
    found = [f"I4: {tag} was sent {n} times" for tag, n in given.books.received.items() if n > 1]
    if given.restored:
        return found  # what a lost epoch sent in vain is known to nobody
    return found + [
        f"I4: {tag} was sent, and no row says so" for tag in given.books.received if tag not in ours
    ]


def _fills(given: Evidence, tables: Tables) -> list[str]:
    booked = Counter({row["trade_id"]: Decimal(row["quantity"]) for row in tables.fills})
    there = {row["trade"]: Decimal(row["quantity"]) for row in given.books.fills}
    found = [f"I5: fill {trade} was booked twice" for trade, n in _times(tables).items() if n > 1]
    if dict(booked) != there:
        apart = sorted(set(booked.items()) ^ set(there.items()))
        found.append(f"I5: fills differ: {apart}")
    for row in tables.attempts:
        if row["quantity"] and Decimal(row["filled_quantity"]) > Decimal(row["quantity"]):
            found.append(f"I5: {row['tag']} filled more than it was for")
    return found


def _times(tables: Tables) -> Counter[str]:
    return Counter(row["trade_id"] for row in tables.fills)


def _reservations(given: Evidence, tables: Tables) -> list[str]:
    del given
    found = []
    for row in tables.attempts:
        held = tables.reservations.get(row["attempt_id"])
        if not row["opening"] or row["action"] != "place" or row["owner"] == "unknown":
            continue
        if held is None:
            found.append(f"I6: {row['tag']} reserves nothing")
        elif (held["released_seq"] is not None) != (row["state"] in ENDED):
            found.append(f"I6: {row['tag']} is {row['state']}, reserved: {held['released_seq']}")
    return found


def _terminal(given: Evidence, tables: Tables) -> list[str]:
    books, found = given.books, []
    for row in tables.attempts:
        tag, state = row["tag"], row["state"]
        wrong = (
            (state == "rejected" and tag not in books.refused and row["action"] != "modify")
            or (state == "not_sent" and tag in books.received)
            or (state == "applied" and tag not in books.applied)
            or (state == "not_applied" and tag in books.applied and tag not in books.late)
            or state == "resolved_not_placed"
        )
        if wrong:
            found.append(f"I7: {row['action']} {tag} is {state}, and the venue never said so")
    return found


def _keys(given: Evidence, tables: Tables) -> list[str]:
    del tables
    if given.restored:
        return []  # the answers of the lost epoch are lost with it
    return [
        f"I8: key {key} was answered with {len(orders)} orders"
        for key, orders in given.answers.items()
        if len(orders) > 1
    ]


def _record(given: Evidence, tables: Tables) -> list[str]:
    found = []
    code, seq = oracle_verify.verdict(given.file, given.public)
    if code != 0:
        found.append(f"I9: the record proves {code} at {seq}")
    told: Counter[str] = Counter()
    last: dict[str, str] = {}
    for row in tables.audit:
        of = row["kind"].partition(".")[0]
        if of == "attempt":
            said = json.loads(row["body"])["body"]
            told[said["attempt"]] += 1
            last[said["attempt"]] = said["to"]
        elif of == "order":
            last[row["corr"]] = json.loads(row["body"])["body"]["to"]
    for row in tables.attempts:
        if told[row["attempt_id"]] != row["ver"]:
            found.append(f"I9: {row['tag']} moved {row['ver']} times")
        if last.get(row["attempt_id"]) != row["state"]:
            found.append(f"I9: {row['tag']} is {row['state']}, sealed otherwise")
    for order_id, order in tables.orders.items():
        if last.get(order_id) != order["state"]:
            found.append(f"I9: order {order_id} is {order['state']}, sealed otherwise")
    return found


def _stops(given: Evidence, tables: Tables) -> list[str]:
    """Walk the record in its order: what was claimed while what was stopped."""
    found = []
    opening = {row["attempt_id"]: row for row in tables.attempts if row["opening"]}
    said_yes = set()
    stopped: dict[str, Row] = {}
    for row in tables.audit:
        body = json.loads(row["body"])["body"]
        if row["kind"] == "halt.engaged":
            stopped[row["corr"]] = body
        elif row["kind"] == "halt.released":
            was = stopped.pop(row["corr"])
            if was["kind"] == "kill" or row["actor"] != "operator":
                found.append(f"I11: {row['actor']} released a {was['kind']}")
        elif row["kind"] == "order.yes":
            said_yes.add(row["corr"])
            if row["actor"] != "operator":
                found.append(f"I10: {row['actor']} said yes")
        elif row["kind"] == "attempt.claimed" and body["attempt"] in opening:
            claimed = opening[body["attempt"]]
            if any(_covers(halt, claimed) for halt in stopped.values()):
                found.append(f"I3: {claimed['tag']} was claimed while stopped, record {row['seq']}")
            asks = Decimal(claimed["quantity"]) in given.lots("ask")
            if asks and claimed["order_id"] not in said_yes:
                found.append(f"I3: {claimed['tag']} was claimed without its yes")
    if given.killed and not any(halt["kind"] == "kill" for halt in stopped.values()):
        found.append("I11: the kill switch is gone")
    return found


def _covers(halt: Row, claimed: Row) -> bool:
    return halt["scope"] == "global" or halt["target"] in (claimed["account"], claimed["symbol"])


def _exits(given: Evidence, tables: Tables) -> list[str]:
    found = []
    for order in tables.orders.values():
        stopped = order["state"] in NEVER_FOR_EXITS or order["code"] in STOPPERS
        if stopped and order["lane"] in ("close", "tighten", "cancel"):
            found.append(f"I12 trapped: {order['action']} {order['state']} {order['code']}")
    leaving = given.lots("leave", "disk")
    for position in given.books.positions.values():
        if position.held and (position.opened in leaving or position.by_exit):
            found.append(f"I12 trapped: {position.id} of {position.opened} still holds")
    resting = [one for one in given.books.orders if one.rests and not one.reduce_only]
    for order in resting:
        if given.killed or order.quantity in given.lots("rest"):
            found.append(f"I12 trapped: opening {order.id} still rests")
    return found


def _protection(given: Evidence, tables: Tables) -> list[str]:
    del tables
    books, found = given.books, []
    leaving = given.lots("leave", "disk")
    for one in books.stripped:
        if books.positions[one].opened not in leaving and not books.positions[one].by_exit:
            found.append(f"I16: {one} lost its stop before another rested")
    for position in books.positions.values():
        stops, targets = (
            sum(
                (
                    order.quantity - order.filled
                    for order in books.orders
                    if order.rests and order.position == position.id and order.is_stop is stop
                ),
                Decimal(0),
            )
            for stop in (True, False)
        )
        # What a lost epoch wanted of a position is known to nobody: it is adopted, not tended.
        if (stops > position.held or targets > position.held) and not given.restored:
            found.append(f"I16: exits of {position.id} exceed the {position.held} it holds")
        if stops < position.held and not given.restored:
            found.append(f"I16 naked: {position.id} holds {position.held}, stops for {stops}")
    return found
