"""Two gateways, one PostgreSQL database: both redeem the same yes, and one order is sent.

Two processes run the production order line over one database. Orders that wait for a human's yes
are put in by both; then both are given the same yes at the same moment, for each of them. A venue
outside both counts what reaches it. Each order must arrive exactly once, and the sealed log, walked
by a verifier that is not ours, must be whole.

    python tests/chaos/contended_claims.py --claims 10000

A variant breaks the product on purpose, and must be seen: --variant NAME.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import itertools
import json
import math
import multiprocessing
import random
import socketserver
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ordergate.adapters.emergency_file import EmergencyJournal
from ordergate.adapters.storage import orders_tx, postgres
from ordergate.adapters.storage.frozen import FrozenBooks
from ordergate.adapters.storage.log_file import export_log, open_log
from ordergate.adapters.storage.statements import given
from ordergate.adapters.storage.store import SqlStore
from ordergate.adapters.system import SystemClock, SystemIds
from ordergate.bootstrap.line import OrderLine, World, order_line
from ordergate.model.accounts import (
    AccountIdentity,
    AccountState,
    Capabilities,
    Mode,
    VenueHistory,
    VenueSnapshot,
)
from ordergate.model.orders import OrderType, TimeInForce, VenueCancel, VenueModify, VenueOrder
from ordergate.model.outcomes import Acked, Fill, FillEffect, VenueStatus
from ordergate.model.values import AccountId, PositionId, TicketId, VenueName, VenueOrderId
from ordergate.model.views import OrderView
from ordergate.order.emergency import Spare
from ordergate.order.policy.limits import Limits
from ordergate.ports.journal import Stale
from support import oracle_verify
from support.gate import KEY, a_market
from support.gateway_process import ROOMY
from support.order_records import AGENT, OPERATOR, buy
from support.postgres import fresh_database
from support.proofs import SIGNED_IN

GATEWAYS = 2
AT_ONCE = 10  # yeses given at the same moment
HANDS = 3  # of one gateway on its way together: what shares a commit is won together
LOWEST_STOP = 98_000  # ticks of 0.00001: the stop of an order is its name at the venue
ORDERS_MAX = 10_400
WAIT_S = 120.0
RETRIES = 50

WIDE = Limits(
    **{name: Decimal(str(value)) for name, value in ROOMY["limits"].items()},
    auto_approve_notional=Decimal(0),
    facts_age_max_s=Decimal(60),  # that a machine is slow is no subject here
    clock_skew_max_s=Decimal(60),
    loop_lag_max_s=Decimal(10),
)


class Venue(socketserver.ThreadingTCPServer):
    """Takes every order that reaches it and remembers each: the outside witness."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.arrived: Counter[str] = Counter()
        self.senders: dict[str, list[str]] = {}
        self.lock = threading.Lock()
        self.numbers = itertools.count(1)

    def take(self, order: dict[str, str]) -> int:
        with self.lock:
            self.arrived[order["stop"]] += 1
            self.senders.setdefault(order["stop"], []).append(order["sender"])
            return next(self.numbers)


class _Taking(socketserver.StreamRequestHandler):
    server: Venue

    def handle(self) -> None:
        for line in self.rfile:
            number = self.server.take(json.loads(line))
            self.wfile.write(f"{number}\n".encode())


class FarVenue:
    """A gateway's way to the venue: implements VenueReader and VenueTrader."""

    venue = VenueName("paper")
    account = AccountId("paper-1")

    def __init__(self, port: int, name: str) -> None:
        self._port = port
        self._name = name
        self._one = asyncio.Lock()
        self._line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    def capabilities(self) -> Capabilities:
        return Capabilities(
            order_types=frozenset(OrderType),
            time_in_force=frozenset(TimeInForce),
            attached_stops=True,
            modify_in_place=True,
            refuses_over_close=True,
            settle_window_s=Decimal(120),
            refusals={},
        )

    async def snapshot(self) -> VenueSnapshot:
        money = Decimal(100_000)
        at = a_market().venue_now()
        return VenueSnapshot(
            identity=AccountIdentity(
                account=self.account, venue=self.venue, mode=Mode.PAPER, proof="a test's venue"
            ),
            account=AccountState(
                currency="USD",
                balance=money,
                equity=money,
                margin_used=Decimal(0),
                margin_free=money,
                open_pnl=Decimal(0),
                day=at.date(),
                day_start_equity=money,
                realised_today=Decimal(0),
                time=at,
                paid_in=money,
            ),
            positions=(),
            open_orders=(),
            venue_time=at,
        )

    async def history(self, since: datetime) -> VenueHistory:
        del since
        at = a_market().venue_now()
        return VenueHistory(orders=(), fills=(), applied=frozenset(), venue_time=at)

    async def submit(self, order: VenueOrder) -> Acked:
        said = json.dumps({"stop": f"{order.stop_loss:.5f}", "sender": self._name})
        async with self._one:
            if self._line is None:
                self._line = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._line
            writer.write(said.encode() + b"\n")
            number = (await reader.readline()).decode().strip()
        fill = Fill(
            trade_id=f"T{number}",
            venue_order_id=VenueOrderId(f"O{number}"),
            tag=order.tag,
            symbol=order.symbol,
            side=order.side,
            quantity=order.quantity,
            price=Decimal("1.08510"),
            commission=Decimal(0),
            realised=Decimal(0),
            time=a_market().venue_now(),
            position_id=PositionId(f"P{number}"),
            effect=FillEffect.OPENING,
        )
        return Acked(
            venue_order_id=fill.venue_order_id,
            status=VenueStatus.FILLED,
            filled_quantity=order.quantity,
            average_price=fill.price,
            position_id=fill.position_id,
            fills=(fill,),
            venue_time=fill.time,
        )

    async def modify(self, change: VenueModify) -> Acked:
        raise AssertionError("nobody changes an order here")

    async def cancel(self, cancel: VenueCancel) -> Acked:
        raise AssertionError("nobody cancels an order here")


def rows_kept_in_memory() -> None:
    """Let each gateway believe the rows it knows: the other's writes are not seen."""
    for name in ("order", "ticket"):
        _remember(name)


def _remember(name: str) -> None:
    known: dict[str, Any] = {}
    kind = orders_tx.OrdersTx
    read, put, add = (getattr(kind, one) for one in (name, f"put_{name}", f"add_{name}"))

    def remembered(self: Any, key: str) -> Any:
        if key not in known and (found := read(self, key)) is not None:
            known[key] = found
        return known.get(key)

    def putting(self: Any, record: Any) -> None:
        put(self, record)
        known[getattr(record, f"{name}_id")] = record

    def adding(self: Any, record: Any) -> None:
        add(self, record)
        known[getattr(record, f"{name}_id")] = record

    setattr(kind, name, remembered)
    setattr(kind, f"put_{name}", putting)
    setattr(kind, f"add_{name}", adding)


def no_compare_and_set() -> None:
    """Write a row whatever has become of it since it was read."""
    move, ticket = given(orders_tx._O.order_id), given(orders_tx._T.ticket_id)
    orders_tx._MOVE_ORDER = orders_tx._ORDERS.update(move, but=orders_tx._FIXED)  # type: ignore[misc]
    orders_tx._PUT_TICKET = orders_tx._TICKETS.update(ticket, but=("ticket_id",))  # type: ignore[misc]


def read_then_write() -> None:
    rows_kept_in_memory()
    no_compare_and_set()


# What the compare-and-set alone must bear, and what must be seen to fail.
SOUND: dict[str, Callable[[], None]] = {"rows kept in memory": rows_kept_in_memory}
BROKEN: dict[str, Callable[[], None]] = {"read, then write": read_then_write}
VARIANTS = SOUND | BROKEN


@dataclass
class Ask:
    ticket_id: str
    fingerprint: str
    stop: str


class Child:
    """One gateway in its process: takes words over a pipe, answers each with one."""

    def __init__(self, url: str, port: int, number: int, folder: str, pipe: Connection) -> None:
        self._pipe = pipe
        self._number = number
        self._store = SqlStore.over(postgres.Postgres(url))
        self._spool = EmergencyJournal(Path(folder) / f"spool-{number}", new_id=SystemIds().new_id)
        self._venue = FarVenue(port, f"gateway {number}")

    async def serve(self) -> None:
        line = await self._line()
        await line.recover(self._store)
        self._pipe.send("ready")
        while (word := await asyncio.to_thread(self._pipe.recv)) is not None:
            name, given_ = word
            answer = await getattr(self, name)(line, given_)
            self._pipe.send(answer)
        await self._store.close()
        self._spool.close_now()

    async def _line(self) -> OrderLine:
        market = a_market()
        return await order_line(
            World(
                journal=self._store,
                reader=self._venue,
                trader=self._venue,
                markets=market,
                limits=lambda: WIDE,
                clock=SystemClock(),
                ids=SystemIds(),
                sign=KEY.sign,
                draft_end=lambda at: at + timedelta(days=1),
                approve_url=lambda ticket: f"http://ordergate.localhost:8030/approve/{ticket}",
                publish=lambda change: None,
                spare=Spare(file=self._spool, blank=FrozenBooks.blank(reason="blank")),
            )
        )

    async def ask(self, line: OrderLine, stops: Sequence[str]) -> list[Ask]:
        """Put orders in that wait for a yes."""
        hands = asyncio.Semaphore(HANDS)

        async def one(stop: str) -> OrderView:
            terms = buy(quantity=Decimal("0.01"), stop_loss=Decimal(stop))
            async with hands:
                return await line.gateway.submit(terms, key=None, asker=AGENT)

        views = await asyncio.gather(*map(one, stops))
        asks = []
        for view, stop in zip(views, stops, strict=True):
            assert view.ticket is not None, (view.status, view.order.code)
            asks.append(Ask(view.ticket.ticket_id, view.ticket.fingerprint, stop))
        return asks

    async def show(self, line: OrderLine, asks: Sequence[Ask]) -> int:
        """Look at each ask, as a human does before the yes."""
        for ask in asks:
            await line.desk.ticket(TicketId(ask.ticket_id))
        return len(asks)

    async def yes(self, line: OrderLine, asks: Sequence[Ask]) -> list[tuple[str, str]]:
        """Say yes to all at once; return what became of each, by its stop."""
        order = random.sample(list(asks), len(asks))
        hands = asyncio.Semaphore(HANDS)

        async def one(ask: Ask) -> tuple[str, str]:
            async with hands:
                return ask.stop, await self._one(line, ask)

        return list(await asyncio.gather(*map(one, order)))

    async def _one(self, line: OrderLine, ask: Ask) -> str:
        for _ in range(RETRIES):
            try:
                view = await line.desk.approve(
                    TicketId(ask.ticket_id),
                    fingerprint=ask.fingerprint,
                    operator=OPERATOR,
                    proof=SIGNED_IN,
                )
            except Stale:
                continue  # somebody wrote between: asked again, the books tell who was first
            except Exception as error:  # noqa: BLE001 - counted by its name
                return type(error).__name__
            return view.status
        return "Stale"


def run_child(
    url: str, port: int, number: int, folder: str, pipe: Connection, variant: str | None
) -> None:
    if variant is not None:
        VARIANTS[variant]()
    asyncio.run(Child(url, port, number, folder, pipe).serve())


@dataclass
class Report:
    """What a run came to."""

    claims: int = 0
    late: set[str] = field(default_factory=set)  # claimed, and provably too late to be sent
    arrived: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    shares: Counter[str] = field(default_factory=Counter)  # orders sent, by gateway
    records: int = 0
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list)

    def judge(self, asks: Sequence[Ask]) -> None:
        stops = {ask.stop for ask in asks}
        doubled = sorted(stop for stop in stops if self.arrived[stop] > 1)
        lost = sorted(stop for stop in stops - self.late if self.arrived[stop] == 0)
        strangers = sorted(self.arrived.keys() - (stops - self.late))
        for what, found in (("twice", doubled), ("never", lost), ("unasked", strangers)):
            if found:
                self.failures.append(f"{len(found)} orders reached the venue {what}: {found[:5]}")


def play(claims: int, *, variant: str | None = None, within_s: float = math.inf) -> Report:
    """Let both gateways redeem the same yeses, so many or so long; return what the venue saw."""
    assert 0 < claims < ORDERS_MAX
    report = Report()
    with fresh_database() as url, tempfile.TemporaryDirectory() as folder, _venue() as venue:
        SqlStore.over(postgres.Postgres(url)).close_now()
        with _gateways(url, venue.server_address[1], folder, variant) as pipes:
            stops = (f"{(LOWEST_STOP + n) / 100_000:.5f}" for n in range(ORDERS_MAX))
            began = time.monotonic()
            asks: list[Ask] = []
            while len(asks) - len(report.late) < claims and time.monotonic() - began < within_s:
                few = min(AT_ONCE, claims - len(asks) + len(report.late))
                chunk = list(itertools.islice(stops, few))
                halves = [chunk[n::GATEWAYS] for n in range(GATEWAYS)]
                fresh = [ask for made in _tell(pipes, "ask", halves) for ask in made]
                if variant is not None:
                    _tell(pipes, "show", [fresh] * GATEWAYS)
                for answers in _tell(pipes, "yes", [fresh] * GATEWAYS):
                    report.answers += Counter(status for _, status in answers)
                    report.late |= {stop for stop, status in answers if status == "not_sent"}
                asks += fresh
            report.seconds = time.monotonic() - began
            report.claims = len(asks) - len(report.late)
        report.arrived = venue.arrived
        report.shares = Counter(who for sent in venue.senders.values() for who in sent)
        report.judge(asks)
        report.records = _proven(url, Path(folder), report)
    return report


@contextmanager
def _venue() -> Iterator[Venue]:
    with Venue() as venue:
        thread = threading.Thread(target=venue.serve_forever, daemon=True)
        thread.start()
        try:
            yield venue
        finally:
            venue.shutdown()


@contextmanager
def _gateways(url: str, port: int, folder: str, variant: str | None) -> Iterator[list[Connection]]:
    context = multiprocessing.get_context("spawn")
    pipes, children = [], []
    try:
        for number in range(GATEWAYS):
            ours, theirs = context.Pipe()
            child = context.Process(
                target=run_child, args=(url, port, number, folder, theirs, variant), daemon=True
            )
            child.start()
            pipes.append(ours)
            children.append(child)
        for pipe in pipes:
            assert _heard(pipe) == "ready"
        yield pipes
        for pipe in pipes:
            pipe.send(None)
        for child in children:
            child.join(WAIT_S)
    finally:
        for child in children:
            child.kill()


def _tell(pipes: Sequence[Connection], word: str, parts: Sequence[Any]) -> list[Any]:
    told = list(zip(pipes, parts, strict=True))
    random.shuffle(told)  # neither is always the first
    for pipe, part in told:
        pipe.send((word, part))
    return [_heard(pipe) for pipe in pipes]


def _heard(pipe: Connection) -> Any:
    if not pipe.poll(WAIT_S):
        raise TimeoutError("a gateway does not answer")
    return pipe.recv()


def _proven(url: str, folder: Path, report: Report) -> int:
    """Export the log both have sealed, and let the second verifier walk it."""
    out = io.StringIO()
    with open_log(postgres.Postgres(url)) as log:
        count = export_log(log, out)
    file = folder / "export.jsonl"
    file.write_text(out.getvalue(), encoding="utf-8")
    public = KEY.public_key().public_bytes_raw().hex()
    verdict = oracle_verify.verdict(file, public)
    if verdict[0] != oracle_verify.OK:
        report.failures.append(f"the sealed log is not whole: {verdict}")
    return count


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--claims", type=int, default=10_000)
    parser.add_argument("--minutes", type=float, default=math.inf, help="end earlier")
    parser.add_argument("--variant", choices=sorted(VARIANTS))
    chosen = parser.parse_args()
    report = play(chosen.claims, variant=chosen.variant, within_s=chosen.minutes * 60)
    exactly_once = sum(1 for times in report.arrived.values() if times == 1)
    print(
        f"{report.claims} claims, each contended by {GATEWAYS} gateways on one PostgreSQL database:"
        f" {exactly_once} sent exactly once, {len(report.late)} more were too late to be sent;"
        f" by gateway {dict(report.shares)};"
        f" answers {dict(report.answers)}; {report.records} sealed records, walked by the second"
        f" verifier; {report.claims / report.seconds:.0f} claims/s"
    )
    if report.claims < chosen.claims:
        report.failures.append(f"only {report.claims} of {chosen.claims} in time")
    for failure in report.failures:
        print(failure)
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
