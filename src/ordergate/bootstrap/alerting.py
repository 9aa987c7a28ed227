"""Alerts, wired: the channels of the settings, the outbox of the books, and the heartbeat."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from ordergate.adapters.config_files import SettingsRefused
from ordergate.adapters.notify import ChannelRefused, Channels, UrlHeartbeat, open_channels
from ordergate.adapters.reach import Reach
from ordergate.alerts.pace import Quiet, Rhythm
from ordergate.alerts.push import Line, Push
from ordergate.audit.seal import Seal
from ordergate.bootstrap.unanswered import Unanswered
from ordergate.model.accounts import Mode
from ordergate.model.alerts import Severity
from ordergate.model.errors import GateError
from ordergate.model.records import ScopeKind
from ordergate.order.gateway import GATEWAY, Gateway
from ordergate.ports.alert_store import AlertStore, AlertTx
from ordergate.ports.journal import JournalUnwritable
from ordergate.ports.notify import Heartbeat
from ordergate.ports.system import Clock, Ids
from ordergate.settings.sections import Notify

RUNNING: Final = "gateway_running"
MODE_S: Final = 1.0
_log = structlog.get_logger("ordergate.alerting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerting:
    """What tells the human, and what tells an outside watcher that we live."""

    push: Push
    heartbeat: Heartbeat | None
    every_s: int
    unanswered: Unanswered | None

    async def run(self, clock: Clock, stop: asyncio.Event) -> None:
        """Keep telling the human, and the outside watcher for as long as this loop turns."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.push.run(stop))
            group.create_task(self._beat(clock, stop))
            if self.unanswered is not None:
                group.create_task(self.unanswered.run(stop))

    async def _beat(self, clock: Clock, stop: asyncio.Event) -> None:
        while self.heartbeat is not None and not stop.is_set():
            problem = await self.heartbeat.beat()
            if problem is not None:
                _log.warning("heartbeat.failed", reason=problem)
            await clock.sleep(self.every_s)


def channels(notify: Notify, clock: Clock) -> Channels:
    """Open the channels of the settings; refuse what could leak or be pressed."""
    key = notify.webhook_key
    try:
        return open_channels(
            [url.get_secret_value() for url in notify.urls],
            reach=Reach(allow_loopback=notify.allow_loopback),
            clock=clock,
            webhook_key=None if key is None else key.get_secret_value().encode(),
        )
    except ChannelRefused as error:
        raise SettingsRefused([str(error)], fix="mend notify.urls") from None


def rhythm(notify: Notify) -> Rhythm:
    quiet = None
    if notify.quiet_hours is not None:
        start, end = map(time.fromisoformat, notify.quiet_hours.split("-"))
        quiet = Quiet(start, end, ZoneInfo(notify.quiet_zone))
    return Rhythm(
        repeat=timedelta(seconds=notify.repeat_s),
        later=timedelta(seconds=notify.repeat_later_s),
        level=Severity(notify.level),
        quiet=quiet,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What alerting stands on: the books, the seal, the gateway, the clock."""

    store: AlertStore
    seal: Seal
    gateway: Gateway
    clock: Clock
    ids: Ids


def alerting(notify: Notify, ground: Ground, *, console: str, clean: bool) -> Alerting:
    """Wire the push; an unclean stop before this start is its first news."""

    async def mode() -> Mode | None:
        try:
            async with asyncio.timeout(MODE_S):
                return (await ground.gateway.account(asker=GATEWAY)).identity.mode
        except (TimeoutError, GateError):
            return None

    push = Push(
        store=ground.store,
        seal=ground.seal,
        clock=ground.clock,
        ids=ground.ids,
        line=Line(
            notifier=channels(notify, ground.clock),
            rhythm=rhythm(notify),
            console=console,
            mode=mode,
        ),
    )
    if not clean:
        push.news(
            "The gateway started again after it had not stopped in good order",
            "It has found out what became of every order; look at the desk.",
        )
    url = notify.heartbeat_url
    return Alerting(
        push=push,
        heartbeat=None
        if url is None
        else UrlHeartbeat(
            url.get_secret_value(), reach=Reach(allow_loopback=notify.allow_loopback)
        ),
        every_s=notify.heartbeat_s,
        unanswered=_unanswered(notify, ground),
    )


def _unanswered(notify: Notify, ground: Ground) -> Unanswered | None:
    if notify.unanswered_s is None:
        return None
    return Unanswered(
        store=ground.store,
        clock=ground.clock,
        after=timedelta(seconds=notify.unanswered_s),
        engage=lambda reason: ground.gateway.engage(
            scope=ScopeKind.GLOBAL, target="", reason=reason, asker=GATEWAY
        ),
    )


async def begin(store: AlertStore) -> bool:
    """Mark the gateway as running; say whether the one before had ended in good order.

    Books that take nothing have an alarm of their own.
    """

    def work(tx: AlertTx) -> bool:
        clean = tx.fact(RUNNING) != "yes"
        tx.put_fact(RUNNING, "yes")
        return clean

    try:
        return await store.write(work)
    except JournalUnwritable:
        return True


async def end(store: AlertStore) -> None:
    """Mark the gateway as stopped in good order."""
    with suppress(JournalUnwritable):
        await store.write(lambda tx: tx.put_fact(RUNNING, "no"))
