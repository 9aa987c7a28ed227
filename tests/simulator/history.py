"""One history: agents, an operator, a market, trouble, a healed network, and the books after it.

Everything is drawn from one seed. `play` returns plain data only: the oracle sees nothing else.
"""

from __future__ import annotations

import hashlib
import json
import random
import sqlite3
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import cache, partial
from typing import Any

from ordergate.bootstrap.line import OrderLine
from ordergate.model.orders import (
    CancelIntent,
    CloseIntent,
    Intent,
    ModifyIntent,
    OrderType,
    PlaceIntent,
    Side,
)
from ordergate.model.principals import Kind, Principal
from ordergate.model.proofs import Method, Proof
from ordergate.model.records import ScopeKind
from ordergate.model.values import (
    AccountId,
    IdempotencyKey,
    PositionId,
    PrincipalId,
    Symbol,
    VenueName,
    VenueOrderId,
)
from ordergate.model.views import OrderView
from simulator.disk import connection
from simulator.network import CALM, LOT, TICK, WEATHERS
from simulator.venue_side import OPEN, Row
from simulator.virtual_loop import PROCESS
from simulator.world import Ground, Terms

AGENTS = tuple(Principal(PrincipalId(f"agent-{n}"), Kind.AGENT, f"agent {n}") for n in (1, 2))
OPERATOR = Principal(PrincipalId("operator"), Kind.OPERATOR, "operator")
PLACES = {"account": AccountId("paper-1"), "venue": VenueName("paper")}
TROUBLE_S = 5.0
SWEEP_S = 6.0
QUIET_MAX_S = 240.0  # 90 s for the last request, 60 s to look for it, and some more


@dataclass
class Played:
    """A history as plain data."""

    seed: int
    terms: Row
    calls: list[Row] = field(default_factory=list)
    commits: list[Row] = field(default_factory=list)  # exposure as it was at each opening's claim
    tables: dict[str, list[Row]] = field(default_factory=dict)
    again: list[dict[str, list[Row]]] = field(default_factory=list)  # after two more recoveries
    venue: dict[str, Any] = field(default_factory=dict)
    sends: list[Row] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    crashes: int = 0
    leapt_s: float = 0.0  # how far the wall clock was set
    seconds: float = 0.0

    def transcript(self) -> str:
        """Return all of it as one text: two histories of one seed are the same to the byte."""
        return json.dumps(vars(self), sort_keys=True, default=str)

    def digest(self) -> str:
        return hashlib.sha256(self.transcript().encode()).hexdigest()


def terms_of(chance: random.Random) -> Terms:
    attached = chance.random() < 0.6
    return Terms(
        weather=chance.choice(WEATHERS),
        attached=attached,
        refuses_over_close=attached or chance.random() < 0.3,
        spends_tags=chance.random() < 0.3,
        refusing=chance.choice((0.0, 0.0, 0.15)),
        gross=chance.choice((Decimal("0.3"), Decimal("0.6"), Decimal(3))),
    )


@cache
def _books() -> tuple[sqlite3.Connection, sqlite3.Connection]:
    return connection(), connection()


def play(seed: int) -> Played:
    """Play one history to its end."""
    chance = random.Random(f"{seed}/terms")
    ground = Ground(seed, terms_of(chance), *_books())
    history = History(seed, ground)
    try:
        ground.loop.run_until_complete(history.run())
    finally:
        ground.disk.wipe()
        ground.loop.close()
    return history.played


class History:
    def __init__(self, seed: int, ground: Ground) -> None:
        self._ground = ground
        self._chance = ground.chance
        self._loop = ground.loop
        shown = {name: str(value) for name, value in vars(ground.terms).items()}
        self.played = Played(seed=seed, terms=shown)
        self._commits = 0
        self._claims_seen = 0
        self._crash_at_commit: set[int] = set()
        self._crash_in_commit: set[int] = set()
        self._crash_at_send: set[int] = set()
        self._healed = False
        self._healed_at = 0.0
        self._recorded: list[Any] = []

    def stand(self) -> None:
        """Take the places from which crashes come and exposure is watched."""
        ground = self._ground
        ground.disk.watchers.append(self._committed)
        ground.disk.dies = self._dies
        ground.network.on_send = self._sent

    async def run(self) -> None:
        PROCESS.set(None)  # the history itself belongs to no process
        self.stand()
        self._ground.start()
        self._plan()
        await self.pass_(TROUBLE_S + 1)
        await self.end()

    async def end(self) -> None:
        """Heal everything, let time run, and note what then stands."""
        self._heal()
        await self._night()
        await self._settle()
        if self._chance.random() < 0.35:
            await self._leave()
        self._note_end()
        if self._chance.random() < 0.2:
            await self._recover_twice()
        self.played.seconds = self._loop.time()
        self.played.troubles = self._loop.troubles

    # the plan
    def _plan(self) -> None:
        chance = self._chance
        for n in range(chance.randint(3, 7)):
            at = chance.uniform(0.1, TROUBLE_S * 0.8)
            agent = chance.choice(AGENTS)
            self._at(at, partial(self._act, agent, f"key-{n}"))
        if chance.random() < 0.5:
            # A crowd at one moment: what is decided there is decided at the same time.
            at = chance.uniform(0.5, TROUBLE_S * 0.7)
            for n in range(chance.randint(2, 4)):
                agent = chance.choice(AGENTS)
                when = at + chance.choice((0.0, 0.001, 0.01, 0.03))
                self._at(when, partial(self.open_, agent, f"crowd-{n}"))
            if chance.random() < 0.6:
                self._at(at + chance.uniform(-0.01, 0.05), self.kill)
        for _ in range(chance.choice((0, 0, 1, 1, 2, 3))):
            how = chance.random()
            if how < 0.5:
                self._at(chance.uniform(0.0, TROUBLE_S), self._crash)
            elif how < 0.7:
                self._crash_at_commit.add(chance.randint(2, 60))
            elif how < 0.8:
                self._crash_in_commit.add(chance.randint(2, 60))
            else:
                self._crash_at_send.add(chance.randint(1, 12))
        if chance.random() < 0.2:
            self._at(chance.uniform(0, TROUBLE_S), self._leap)
        if chance.random() < 0.1:
            full_at = chance.uniform(0.5, TROUBLE_S * 0.7)
            self._at(full_at, partial(setattr, self._ground.disk, "full", True))
            self._at(full_at + chance.uniform(0.2, 2), self._room)
        if chance.random() < 0.25:
            self._at(chance.uniform(0.5, TROUBLE_S), self.kill)
        for at in (1.8, 3.2, 4.8):
            self._at(at, self.answer_asks)
        if chance.random() < 0.3:
            self._at(chance.uniform(TROUBLE_S / 2, TROUBLE_S), self.release)
        if chance.random() < 0.15:
            self._at(chance.uniform(1, TROUBLE_S), self._around)
        self._at(0.4, self._tick)

    def _at(self, seconds: float, act: Any) -> None:
        self._ground.network.later(max(seconds, 0.0), act)

    def _act(self, agent: Principal, key: str) -> None:
        how = self._chance.random()
        act = self.open_ if how < 0.5 else self.leave_one if how < 0.75 else self.change
        act(agent, key)

    def open_(self, agent: Principal, key: str) -> None:
        chance = self._chance
        symbol = chance.choice(("EURUSD", "EURUSD", "GBPUSD"))
        side = chance.choice((Side.BUY, Side.SELL))
        bid, ask = self._ground.venue.quotes[symbol]
        kind = chance.choice((OrderType.MARKET, OrderType.MARKET, OrderType.LIMIT))
        away = chance.choice((20, 60, 150))
        limit = None if kind is OrderType.MARKET else bid - away if side is Side.BUY else ask + away
        stop = (limit or bid) - 400 if side is Side.BUY else (limit or ask) + 400
        lots = chance.choice((3, 5, 8, 10, 12, 15, 17, 22))
        intent = PlaceIntent(
            **PLACES,
            symbol=Symbol(symbol),
            side=side,
            order_type=kind,
            quantity=lots * LOT,
            limit_price=None if limit is None else limit * TICK,
            stop_loss=stop * TICK,
        )
        self._submit(agent, key, intent)

    def leave_one(self, agent: Principal, key: str) -> None:
        held = [row for row in self._ground.venue.positions.values() if row["tag"] is not None]
        if not held:
            self.open_(agent, key)
            return
        row = self._chance.choice(held)
        whole = row["lots"] == 1 or self._chance.random() < 0.6
        lots = None if whole else self._chance.randrange(1, row["lots"]) * LOT
        self._submit(agent, key, _close(row, lots), exit_=True)

    def change(self, agent: Principal, key: str) -> None:
        """Cancel what rests, or bring a stop nearer."""
        chance, venue = self._chance, self._ground.venue
        resting = [
            row
            for row in venue.orders.values()
            if row["status"] in OPEN and row["kind"] == "limit" and row["position"] is None
        ]
        held = [row for row in venue.positions.values() if row["tag"] is not None]
        if resting and (not held or chance.random() < 0.6):
            row = chance.choice(resting)
            places = {**PLACES, "symbol": Symbol(row["symbol"])}
            if chance.random() < 0.7:
                cancel = CancelIntent(**places, venue_order_id=VenueOrderId(row["id"]))
                self._submit(agent, key, cancel, exit_=True)
            else:
                nearer = row["limit"] - 10 * row["side"]
                change = ModifyIntent(
                    **places, venue_order_id=VenueOrderId(row["id"]), limit_price=nearer * TICK
                )
                self._submit(agent, key, change)
        elif held:
            row = chance.choice(held)
            bid, ask = venue.quotes[row["symbol"]]
            stop = bid - 250 if row["side"] > 0 else ask + 250
            change = ModifyIntent(
                **PLACES,
                symbol=Symbol(row["symbol"]),
                position_id=PositionId(row["id"]),
                stop_loss=stop * TICK,
            )
            self._submit(agent, key, change, exit_=True)
        else:
            self.open_(agent, key)

    def _submit(
        self, agent: Principal, key: str, intent: Intent, *, exit_: bool = False, tries: int = 0
    ) -> None:
        """Ask the gate; ask again with the same key where it does not answer, or just so."""
        call: Row = {
            "at": self._loop.time(),
            "who": agent.id,
            "key": key,
            "action": intent.action.value,
            "exit": exit_,
            "try": tries,
            "answer": None,
        }

        def told(answer: OrderView | Exception) -> None:
            call["answer"] = _shown(answer)
            call["answered"] = self._loop.time()

        up = self._ground.ask(lambda line: _asked(line, intent, key, agent), told)
        call["up"] = up
        self.played.calls.append(call)
        if tries >= 3 or (call["up"] and self._chance.random() < 0.25):
            return
        again = partial(self._again, call, agent, key, intent, exit_, tries)
        self._at(self._chance.choice((0.02, 0.7, 1.6)), again)

    def _again(
        self, call: Row, agent: Principal, key: str, intent: Intent, exit_: bool, tries: int
    ) -> None:
        if call["answer"] is None or self._chance.random() < 0.3:
            self._submit(agent, key, intent, exit_=exit_, tries=tries + 1)

    def kill(self) -> None:
        scope, target = self._chance.choice(
            (
                (ScopeKind.GLOBAL, ""),
                (ScopeKind.GLOBAL, ""),
                (ScopeKind.SYMBOL, "EURUSD"),
                (ScopeKind.AGENT, "agent-1"),
            )
        )
        self.do(
            "kill",
            lambda line: line.gateway.engage(
                scope=scope, target=target, reason="simulated", asker=AGENTS[0]
            ),
        )

    def release(self) -> None:
        async def all_of_them(line: OrderLine) -> str:
            halts = await line.desk.halts()
            for halt in halts:
                await line.desk.release(halt.halt_id, reason="it is over", operator=OPERATOR)
            return f"{len(halts)} released"

        self.do("release", all_of_them)

    def answer_asks(self) -> None:
        async def answered(line: OrderLine) -> str:
            waiting = await line.desk.waiting()
            for view in waiting:
                ticket = view.ticket
                if self._chance.random() < 0.7:
                    await line.desk.approve(
                        ticket.ticket_id,
                        fingerprint=ticket.fingerprint,
                        operator=OPERATOR,
                        proof=Proof(method=Method.TOTP, at=self._ground.clock.now()),
                    )
                else:
                    await line.desk.deny(ticket.ticket_id, reason="no", operator=OPERATOR)
            return f"{len(waiting)} answered"

        self.do("answer", answered)

    def do(self, name: str, act: Any) -> None:
        call: Row = {"at": self._loop.time(), "what": name, "answer": None, "exit": False}

        def told(answer: object) -> None:
            call["answer"] = _shown(answer)

        call["up"] = self._ground.ask(act, told)
        self.played.calls.append(call)

    def _around(self) -> None:
        self._ground.venue.around_the_gate("GBPUSD", self._chance.choice((1, -1)), 4)

    def _leap(self) -> None:
        seconds = self._chance.choice((-3600, -30, -1, 1, 30, 3600))
        self._ground.clock.leapt += timedelta(seconds=seconds)

    def _room(self) -> None:
        self._ground.disk.full = False

    def _tick(self) -> None:
        chance = self._chance
        for symbol in ("EURUSD", "GBPUSD"):
            bid = self._ground.venue.quotes[symbol][0]
            step = chance.choice((-120, 120)) if chance.random() < 0.04 else chance.randint(-8, 8)
            self._ground.quote(symbol, bid + step)
        if self._loop.time() < TROUBLE_S:
            self._at(0.7, self._tick)

    # crashes
    def _crash(self) -> None:
        if self._healed or not self._ground.process.alive:
            return
        self.played.crashes += 1
        self._ground.crash()
        self._at(self._chance.choice((0.01, 0.2, 1.5)), self._up)

    def _committed(self) -> None:
        self._commits += 1
        self._watch_exposure()
        if self._commits in self._crash_at_commit:
            self._crash()

    def _dies(self) -> bool:
        """Say whether the process ends inside this transaction: then it never was."""
        dead = self._commits + 1 in self._crash_in_commit and self._ground.process.alive
        if dead:
            self._crash_in_commit.discard(self._commits + 1)
            self._crash()
        return dead and not self._ground.process.alive

    def _sent(self) -> None:
        if len(self._ground.network.sends) in self._crash_at_send:
            self._crash()

    def _watch_exposure(self) -> None:
        """Note what stands and what may still come, at every commit that claimed an opening."""
        found = self._ground.disk.books.execute(
            "SELECT max(seq) FROM audit WHERE kind = 'attempt.claimed' AND seq > ?",
            (self._claims_seen,),
        ).fetchone()[0]
        if found is None:
            return
        self._claims_seen = found
        rows = self._ground.disk.books.execute(
            "SELECT tag, symbol, quantity, state FROM attempts"
            " WHERE opening = 1 AND action = 'place'"
        ).fetchall()
        venue = self._ground.venue
        filled: dict[str, int] = {}
        for order in venue.orders.values():
            if order["tag"] is not None:
                filled[order["tag"]] = order["filled"]
        # Unlike the gate's states, the truth: what has not reached the venue may still do so.
        over = {order["tag"] for order in venue.orders.values() if order["status"] not in OPEN} | {
            row["tag"] for row in venue.refusals
        }
        pending = [
            {"symbol": symbol, "lots": float(quantity) * 100 - filled.get(tag, 0), "state": state}
            for tag, symbol, quantity, state in rows
            if tag not in over and state not in ("not_sent", "resolved_not_placed")
        ]
        held = [
            {"symbol": row["symbol"], "lots": row["lots"]}
            for row in venue.positions.values()
            if row["tag"] is not None and not row["exit"]
        ]
        self.played.commits.append(
            {
                "seq": found,
                "pending": pending,
                "held": held,
                "quotes": {name: quote[1] for name, quote in venue.quotes.items()},
                "equity": venue.equity(),
            }
        )

    # the end
    def _heal(self) -> None:
        ground = self._ground
        self._healed, self._healed_at = True, self._loop.time()
        self._crash_at_commit.clear()
        self._crash_in_commit.clear()
        self._crash_at_send.clear()
        ground.network.weather = CALM
        ground.venue.refusing = 0.0
        ground.disk.full = False
        if not ground.process.alive:
            self._at(0.01, self._up)

    def _up(self) -> None:
        if not self._ground.process.alive:
            self._ground.start()

    async def _night(self) -> None:
        """Where something will be in doubt for long, mostly wait for it with the gate down.

        What is slow about the wait is the gate's own looking; a few histories keep it up.
        """
        await self.pass_(3)
        doubt = self._ground.network.on_the_way or self._ground.disk.rows(
            "SELECT 1 FROM attempts WHERE state = 'unknown'"
        )
        if doubt and self._chance.random() < 0.9:
            self.played.crashes += 1  # what is down protects nothing
            self._ground.crash()
            await self.pass_(95)
            self._ground.start()
            await self.pass_(1)

    async def _settle(self) -> None:
        until = self._loop.time() + QUIET_MAX_S
        await self.pass_(1.5)
        while self._loop.time() < until and not self._quiet():
            await self.pass_(1.5)

    def _quiet(self) -> bool:
        ground = self._ground
        if ground.line is None or ground.network.on_the_way or ground.disk.spool:
            return False
        if self._loop.time() - max(ground.venue.moved_at, self._healed_at) < SWEEP_S:
            return False  # what the gate has not been told of it finds by its next sweep
        rows = ground.disk.rows
        recorded, self._recorded = self._recorded, rows("SELECT max(seq) FROM audit")
        if recorded != self._recorded:
            return False  # it has just found something out, and acts on it
        looked_for = rows(
            "SELECT 1 FROM attempts WHERE state IN ('sending','unknown','awaiting_prompt')"
            " OR (cancel_pending AND state IN ('working','partial'))"
        )
        waiting = rows("SELECT 1 FROM orders WHERE state IN ('proposed','approved','requoted')")
        closing = rows("SELECT 1 FROM exit_guards WHERE ended_at IS NULL AND keep IS NOT NULL")
        partial_ = any(
            row["status"] in OPEN and row["kind"] == "market"
            for row in ground.venue.orders.values()
        )
        return not (looked_for or waiting or closing or partial_)

    async def _leave(self) -> None:
        """Under a kill switch, close everything that is held: no control may stop an exit."""
        self.do(
            "kill",
            lambda line: line.gateway.engage(
                scope=ScopeKind.GLOBAL, target="", reason="the end", asker=AGENTS[0]
            ),
        )
        await self.pass_(0.5)
        for n in range(3):
            held = [row for row in self._ground.venue.positions.values() if row["tag"]]
            for row in held:
                self._submit(AGENTS[0], f"end-{n}-{row['id']}", _close(row, None), exit_=True)
            await self.pass_(1.5)
        await self._settle()

    async def _recover_twice(self) -> None:
        """Restart in good weather, twice: the second recovery finds nothing left to do."""
        for _ in range(2):
            self._ground.crash()
            self._ground.start()
            await self.pass_(6)
            self.played.again.append(_dumped(self._ground.disk.books, ("orders", "attempts")))

    def _note_end(self) -> None:
        ground, played = self._ground, self.played
        ground.venue.watch_protection()
        names = ("orders", "attempts", "fills", "tickets", "halts", "exit_guards", "reservations")
        played.tables = _dumped(ground.disk.books, (*names, "audit", "audit_head"))
        venue = ground.venue
        played.venue = {
            "orders": [dict(row) for row in venue.orders.values()],
            "positions": [dict(row) for row in venue.positions.values()],
            "fills": [dict(row) for row in venue.fills],
            "refusals": [dict(row) for row in venue.refusals],
            "applied": sorted(venue.applied),
            "arrived": [dict(row) for row in venue.arrived],
            "naked": {name: dict(row) for name, row in venue.naked.items()},
            "covered": {row["id"]: venue.covered(row) for row in venue.positions.values()},
            "now": self._loop.time(),
        }
        played.leapt_s = ground.clock.leapt.total_seconds()
        played.sends = list(ground.network.sends)
        played.alarms = [
            str(change.body.get("alarm")) for change in ground.changes if change.topic == "alarm"
        ]

    async def pass_(self, seconds: float) -> None:
        future = self._loop.create_future()
        self._at(seconds, partial(future.set_result, None))
        await future


def _asked(
    line: OrderLine, intent: Intent, key: str, agent: Principal
) -> Coroutine[Any, Any, OrderView]:
    gateway, named = line.gateway, IdempotencyKey(key)
    match intent:
        case PlaceIntent():
            return gateway.submit(intent, key=named, asker=agent)
        case CloseIntent():
            return gateway.close(intent, key=named, asker=agent)
        case CancelIntent():
            return gateway.cancel(intent, key=named, asker=agent)
        case ModifyIntent():
            return gateway.modify(intent, key=named, asker=agent)


def _close(row: Row, lots: Decimal | None) -> CloseIntent:
    return CloseIntent(
        **PLACES,
        symbol=Symbol(row["symbol"]),
        position_id=PositionId(row["id"]),
        quantity=lots,
    )


def _shown(answer: object) -> Row:
    if isinstance(answer, OrderView):
        return {
            "order": answer.order.order_id,
            "status": answer.status,
            "code": None if answer.code is None else str(answer.code),
            "replayed": answer.replayed,
        }
    if isinstance(answer, Exception):
        return {"error": type(answer).__name__, "text": str(answer)}
    return {"said": type(answer).__name__ if not isinstance(answer, str) else answer}


def _dumped(books: sqlite3.Connection, names: tuple[str, ...]) -> dict[str, list[Row]]:
    found = {}
    for name in names:
        cursor = books.execute(f"SELECT * FROM {name} ORDER BY rowid")
        columns = [column[0] for column in cursor.description]
        found[name] = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    return found
