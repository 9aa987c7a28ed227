"""The outside watcher: a process of its own that tells when a gateway no longer answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from ordergate.adapters.notify import DEADLINE_S, Channels
from ordergate.adapters.reach import DEADLINE_S as LOOK_S
from ordergate.adapters.reach import Reach, Unreachable, request
from ordergate.adapters.system import SystemClock
from ordergate.alerts.watching import Watch, Word, noticed_within
from ordergate.bootstrap.alerting import channels
from ordergate.model.alerts import Message, Severity
from ordergate.model.errors import InvalidArgument
from ordergate.settings.load import Settings

WITHIN_S: Final = 60.0

Say = Callable[[str], None]


def watch(settings: Settings, url: str, every_s: int, say: Say) -> int:
    """Look at a gateway until interrupted; each change is said here and told to the human."""
    longest = noticed_within(every_s, look_s=LOOK_S, send_s=DEADLINE_S)
    if longest > WITHIN_S:
        raise InvalidArgument(
            f"looking every {every_s} s, a death could stay unnoticed for {longest:.0f} s",
            fix="look at least every 30 s",
        )
    told = channels(settings.notify, SystemClock())
    if not told.channels:
        raise InvalidArgument(
            "no channel is set up: nobody would be told",
            fix="write one address a line into notify.urls of the config directory",
        )
    try:
        asyncio.run(_watch(url.rstrip("/"), float(every_s), told, say))
    except KeyboardInterrupt:
        return 0
    return 0


async def _watch(url: str, every_s: float, told: Channels, say: Say) -> None:
    clock, seen = SystemClock(), Watch()
    say(f"watching {url} every {every_s:.0f} s; telling {', '.join(told.channels)}")
    while True:
        problem = await look(url)
        seen, word = seen.seen(problem is None, clock.monotonic())
        if word is not None:
            say(f"{url} is {word}" + (f": {problem}" if problem else ""))
            deliveries = await told.send(_message(url, word, problem))
            if any(one.problem is None for one in deliveries):
                seen = seen.said(word, clock.monotonic())
            for one in deliveries:
                if one.problem is not None:
                    say(f"{one.channel}: {one.problem}")
        await clock.sleep(seen.pause(every_s))


async def look(url: str) -> str | None:
    """Return why a gateway is not ready under this address, or None where it is."""
    try:
        status = await request(
            Reach(allow_loopback=True, allow_private=True), "GET", f"{url}/readyz"
        )
    except Unreachable as error:
        return str(error)
    return None if status == 200 else f"it answered {status}"


def _message(url: str, word: Word, problem: str | None) -> Message:
    if word is Word.UP:
        return Message(title="The gateway answers again", text=url, severity=Severity.CRITICAL)
    return Message(
        title="ALARM: the gateway does not answer",
        text=f"{url}: {problem}\nStops at the venue stay; nothing else of yours is managed.",
        severity=Severity.CRITICAL,
    )
