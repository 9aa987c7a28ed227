"""Push what a human must know through their channel, from the sealed log, until it is answered."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from ordergate.alerts.pace import GIVE_UP, Rhythm, due, failed, repeats, surplus
from ordergate.alerts.rising import ENDS, RISES, Source, alarm, body_of, ends, outcome, over, risen
from ordergate.alerts.wording import Words
from ordergate.audit.checkpoint import size_and_root
from ordergate.audit.seal import Seal
from ordergate.model.accounts import Mode
from ordergate.model.alerts import AlertKind, AlertRecord, Delivery, Message, Severity
from ordergate.model.errors import IllegalState, NotFound, NotReady
from ordergate.model.orders import AttemptState
from ordergate.model.principals import Principal
from ordergate.model.records import AuditRow, TicketState
from ordergate.model.values import OrderId, TicketId
from ordergate.model.views import Change
from ordergate.ports.alert_store import AlertStore, AlertTx
from ordergate.ports.journal import JournalUnwritable
from ordergate.ports.notify import Notifier
from ordergate.ports.system import Clock, Ids

CURSOR: Final = "alerts_cursor"
TICK_S: Final = 1.0
DEADLINE_S: Final = 15.0
PAUSE_S: Final = 0.2  # between two looks, however much happens
PROBE: Final = timedelta(seconds=3)  # how long an unwritable record stays unnoticed, at most
PAGE: Final = 200
OPEN_READ: Final = 2_000
LISTED: Final = 200
SENDING_MAX: Final = 4
RESERVED: Final = 4  # sends that only what is critical may take besides
UNWRITABLE: Final = "the record cannot be written"
_TOPICS: Final = frozenset({"approvals", "orders", "activity", "alerts"})
_LOST: Final = frozenset({AttemptState.UNKNOWN, AttemptState.PARKED})
_HELD: Final = frozenset({AlertKind.ASK, AlertKind.HALT, AlertKind.ALARM, AlertKind.ORDER})

_log = structlog.get_logger("ordergate.alerts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The way to the human: who carries, how often, where links lead, which mode trades."""

    notifier: Notifier
    rhythm: Rhythm
    console: str  # address the human opens, without a path
    mode: Callable[[], Awaitable[Mode | None]]


class Push:
    """Keeps every open alert in memory and, whenever it can be written, in the outbox."""

    def __init__(
        self, *, store: AlertStore, seal: Seal, clock: Clock, ids: Ids, line: Line
    ) -> None:
        self._store = store
        self._seal = seal
        self._clock = clock
        self._ids = ids
        self._line = line
        self._open: dict[str, AlertRecord] = {}
        self._dirty: dict[str, AlertRecord] = {}
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._health: dict[str, str | None] = dict.fromkeys(line.notifier.channels)
        self._cursor = 0
        self._written_at = clock.now()
        self._mode: Mode | None = None
        self._news = asyncio.Event()
        self._loaded = False

    # what others tell

    def changed(self, change: Change) -> None:
        """Hear a change: an alarm is taken at once, all else is read from the sealed log."""
        if change.topic == "alarm":
            self.alarm(change.body)
        if change.topic in _TOPICS or change.topic == "alarm":
            self._news.set()

    def alarm(self, body: Mapping[str, object]) -> None:
        """Raise an alarm that no sealed record tells of; one that stands is not raised twice."""
        subject, words = alarm(body)
        if any(one.subject == subject for one in self._of(AlertKind.ALARM)):
            return
        self._raise(self._new(AlertKind.ALARM, Severity.CRITICAL, subject, words))

    def news(self, title: str, text: str) -> None:
        """Tell something about the gateway itself, once."""
        words = Words(title, text, "/alerts")
        self._raise(self._new(AlertKind.GATEWAY, Severity.WARNING, "gateway", words))

    # what the operator does

    async def listed(self) -> Sequence[AlertRecord]:
        """Return the alerts, open ones first, newest first."""
        try:
            kept = {
                one.alert_id: one
                for one in await self._store.read(lambda tx: tx.alerts(limit=LISTED))
            }
        except NotReady:
            kept = {}
        kept |= self._dirty | self._open
        newest = sorted(kept.values(), key=lambda one: one.created_at, reverse=True)
        return sorted(newest, key=lambda one: one.ended_at is not None)[:LISTED]

    async def acknowledge(self, alert_id: str, *, operator: Principal) -> AlertRecord:
        """Take note of a critical alert: it is told no more. The condition stays as it is."""
        alert = self._open.get(alert_id)
        if alert is None:
            raise NotFound("no such alert is open", fix="ordergate alerts list")
        if not repeats(alert):
            raise IllegalState(
                "only a halt or an alarm that still repeats is acknowledged",
                fix="an ask is answered on its own page",
            )
        now = self._clock.now()
        noted = dataclasses.replace(
            alert,
            acknowledged_by=operator.id,
            acknowledged_at=now,
            next_at=None,
            ended_at=now if alert.kind is AlertKind.ALARM else None,
        )

        def work(tx: AlertTx) -> None:
            tx.put_alert(noted)
            self._seal.append(
                tx,
                "alert.acknowledged",
                actor=operator.id,
                corr=alert.subject,
                body={"alert": alert_id, "kind": alert.kind, "title": alert.title},
            )

        await self._store.write(work)
        self._keep(noted)
        return noted

    async def test(self) -> Sequence[Delivery]:
        """Send a test message now, past the outbox, and return what each channel made of it."""
        link = f"{self._line.console}/alerts"
        return await self._offer(
            Message(
                title="ordergate test: this channel works",
                text=f"Asks, halts and alarms will come here.\n{link}{await self._anchor()}",
                severity=Severity.INFO,
            )
        )

    def problem(self) -> str | None:
        """Return what keeps alerts from the human, if anything."""
        bad = [f"{name}: {why}" for name, why in self._health.items() if why is not None]
        return f"alerts do not reach you: {'; '.join(bad)}" if bad else None

    @property
    def channels(self) -> tuple[str, ...]:
        return self._line.notifier.channels

    # the worker

    async def run(self, stop: asyncio.Event) -> None:
        """Look once a second, and at once when something happens, until stopped."""
        while not stop.is_set():
            try:
                await self.tick()
            except Exception as error:  # noqa: BLE001 - a mute channel must not stop the exits
                _log.error("alerts.failed", reason=f"{type(error).__name__}: {error}")
            await self._clock.sleep(PAUSE_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_S - PAUSE_S):
                    await self._news.wait()
            self._news.clear()

    async def tick(self) -> None:
        """Read what is new, keep it, and begin to send what is due."""
        with contextlib.suppress(NotReady):  # what is in memory is told all the same
            await self._gather()
        await self._flush()
        if self.channels:
            self._begin_sending()

    async def settle(self, within_s: float = DEADLINE_S) -> None:
        """Wait for what is under way, give up the rest, and keep what came of it."""
        under_way = list(self._sending.values())
        if under_way:
            _, late = await asyncio.wait(under_way, timeout=within_s)
            for task in late:
                task.cancel()
        await self._flush()

    async def _gather(self) -> None:
        if not self._loaded:
            await self._load()
        if self._mode is None:
            self._mode = await self._line.mode()
        rows, cursor, sources = await self._store.read(self._news_of)
        for row in rows:
            if row.kind in ENDS:
                for one in filter(functools.partial(ends, row), self._of(AlertKind.ALARM)):
                    self._end(one, over(one, None))
                continue
            alert = risen(row, sources[row.seq], self._line.console)
            old = self._clock.now() - row.ts >= GIVE_UP and RISES[row.kind].kind not in _HELD
            if alert is not None and not old and not self._stands(alert):
                self._raise(alert)
        self._cursor = cursor
        await self._end_what_is_over()

    async def _load(self) -> None:
        def work(tx: AlertTx) -> tuple[Sequence[AlertRecord], int]:
            return tx.open_alerts(limit=OPEN_READ), int(tx.fact(CURSOR) or "0")

        kept, self._cursor = await self._store.read(work)
        self._open = {one.alert_id: one for one in kept} | self._open
        self._loaded = True

    def _news_of(self, tx: AlertTx) -> tuple[list[AuditRow], int, dict[int, Source]]:
        """Return the records after the cursor that a human is told of, and how far that reaches."""
        head = tx.audit_head()
        upto = 0 if head is None else head.size
        rows: list[AuditRow] = []
        if upto > self._cursor:
            for kind in (*RISES, *ENDS):
                found = tx.audit_rows(after=self._cursor, limit=PAGE, kind=kind)
                if len(found) == PAGE:
                    upto = min(upto, found[-1].seq)
                rows += found
        rows = sorted((row for row in rows if row.seq <= upto), key=lambda row: row.seq)
        return rows, max(upto, self._cursor), {row.seq: self._source(tx, row) for row in rows}

    def _source(self, tx: AlertTx, row: AuditRow) -> Source:
        rise = RISES[row.kind].kind if row.kind in RISES else None
        if rise not in (AlertKind.ASK, AlertKind.ORDER):
            return Source()
        order = tx.order(OrderId(row.corr))
        ticket = None
        if rise is AlertKind.ASK:
            ticket = tx.ticket(TicketId(str(body_of(row)["ticket"])))
        return Source(order=order, ticket=ticket, mode=self._mode)

    def _stands(self, alert: AlertRecord) -> bool:
        """Say whether the same is being told already; a graver word takes the other's place."""
        for one in self._of(alert.kind):
            if one.subject == alert.subject and one.alert_id != alert.alert_id:
                if one.severity is alert.severity:
                    return True
                self._end(one, None)
        return alert.alert_id in self._open

    async def _end_what_is_over(self) -> None:
        held = [one for one in self._open.values() if one.kind in _HELD]
        if not held:
            return
        ended = await self._store.read(lambda tx: [(one, *self._is_over(tx, one)) for one in held])
        for alert, is_over, source in ended:
            if is_over:
                self._end(alert, over(alert, source))

    def _is_over(self, tx: AlertTx, alert: AlertRecord) -> tuple[bool, Source | None]:
        match alert.kind:
            case AlertKind.HALT:
                return all(halt.halt_id != alert.subject for halt in tx.halts()), None
            case AlertKind.ORDER:
                attempts = tx.attempts(OrderId(alert.subject))
                return all(attempt.state not in _LOST for attempt in attempts), None
            case AlertKind.ASK:
                ticket = tx.ticket(TicketId(alert.subject))
                if ticket is None or ticket.state is TicketState.OPEN:
                    return False, None
                order = tx.order(ticket.order_id)
                return True, Source(order=order, ticket=ticket, mode=self._mode)
        return False, None

    def _end(self, alert: AlertRecord, words: Words | None) -> None:
        """End an alert; who was told of it is told of its end."""
        ended = dataclasses.replace(alert, ended_at=self._clock.now(), next_at=None)
        self._keep(ended)
        if alert.told and words is not None:
            new_id = f"{alert.alert_id}-over"
            self._raise(outcome(ended, words, alert_id=new_id, console=self._line.console))

    def _of(self, kind: AlertKind) -> list[AlertRecord]:
        return [one for one in self._open.values() if one.kind is kind]

    def _new(self, kind: AlertKind, severity: Severity, subject: str, words: Words) -> AlertRecord:
        now = self._clock.now()
        return AlertRecord(
            alert_id=self._ids.new_id(),
            kind=kind,
            severity=severity,
            subject=subject,
            title=words.title,
            text=words.text,
            link=self._line.console + words.path,
            created_at=now,
            next_at=now,
        )

    def _raise(self, alert: AlertRecord) -> None:
        alert = dataclasses.replace(alert, next_at=self._line.rhythm.first(alert))
        self._keep(alert)
        for dropped in surplus(self._open.values()):
            _log.warning("alerts.dropped", kind=dropped.kind, subject=dropped.subject)
            self._end(dropped, None)
        self._news.set()

    def _keep(self, alert: AlertRecord) -> None:
        """Hold an alert as it now is; one that is over, or was told and can end, is let go."""
        spent = alert.next_at is None and alert.kind not in _HELD
        if spent and alert.ended_at is None:
            alert = dataclasses.replace(alert, ended_at=self._clock.now())
        if alert.ended_at is None:
            self._open[alert.alert_id] = alert
        else:
            self._open.pop(alert.alert_id, None)
        self._dirty[alert.alert_id] = alert

    async def _flush(self) -> None:
        """Write what has changed, and every few seconds prove that the record can be written."""
        now = self._clock.now()
        if not self._dirty and now - self._written_at < PROBE:
            return
        rows, cursor = list(self._dirty.values()), str(self._cursor)

        def work(tx: AlertTx) -> None:
            for row in rows:
                tx.put_alert(row)
            if self._loaded:
                tx.put_fact(CURSOR, cursor)

        try:
            await self._store.write(work)
        except (JournalUnwritable, NotReady) as error:
            self.alarm({"alarm": UNWRITABLE, "reason": error})
            return
        self._written_at = now
        for row in rows:
            if self._dirty.get(row.alert_id) is row:
                del self._dirty[row.alert_id]
        for one in self._of(AlertKind.ALARM):
            if one.subject == f"{UNWRITABLE}:":
                self._end(one, over(one, None))

    def _begin_sending(self) -> None:
        """Start what is due; a slow channel holds up neither the rest nor what is critical."""
        for alert in due(self._open.values(), self._clock.now()):
            critical = alert.severity is Severity.CRITICAL
            if len(self._sending) >= SENDING_MAX + (RESERVED if critical else 0):
                return
            if alert.alert_id not in self._sending:
                task = asyncio.create_task(self._tell(alert))
                self._sending[alert.alert_id] = task

    async def _tell(self, alert: AlertRecord) -> None:
        try:
            again = f"Told {alert.told} times, nobody acknowledged it.\n" if alert.told else ""
            text = "\n".join(filter(None, (alert.text, again + alert.link)))
            message = Message(
                title=alert.title, text=text + await self._anchor(), severity=alert.severity
            )
            told = await self._offer(message)
        finally:
            self._sending.pop(alert.alert_id, None)
        now = self._clock.now()
        current = self._open.get(alert.alert_id)
        if current is None:  # over meanwhile: its end was told to nobody who had not heard of it
            return
        if any(one.problem is None for one in told):
            self._keep(self._line.rhythm.told(current, now))
        else:
            self._keep(failed(current, now, "; ".join(f"{d.channel}: {d.problem}" for d in told)))
        self._news.set()

    async def _offer(self, message: Message) -> Sequence[Delivery]:
        told = await self._line.notifier.send(message)
        self._health |= {one.channel: one.problem for one in told}
        return told

    async def _anchor(self) -> str:
        """Return the newest checkpoint as a line of its own, where the books can be read."""
        try:
            shown = size_and_root(await self._store.read(lambda tx: tx.last_checkpoint()))
        except NotReady:
            return ""
        return f"\nrecord {shown}" if shown else ""
