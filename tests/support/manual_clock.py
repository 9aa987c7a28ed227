"""A clock that moves only when a test says so."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 7, 14, 0, tzinfo=UTC)  # a Wednesday


class ManualClock:
    """Implements ports.system.Clock.

    With `auto` (the default) a sleep moves the clock on and returns at once; without it a sleeper
    waits until `advance` has brought its time.
    """

    def __init__(self, now: datetime = START, *, auto: bool = True) -> None:
        self._start = now
        self._now = now
        self._auto = auto
        self._sleepers: list[tuple[datetime, asyncio.Event]] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._start).total_seconds()

    @property
    def sleepers(self) -> int:
        return len(self._sleepers)

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        due = [event for at, event in self._sleepers if at <= self._now]
        self._sleepers = [entry for entry in self._sleepers if entry[0] > self._now]
        for event in due:
            event.set()

    async def sleep(self, seconds: float) -> None:
        if self._auto:
            self.advance(seconds)
            await asyncio.sleep(0)
            return
        event = asyncio.Event()
        self._sleepers.append((self._now + timedelta(seconds=seconds), event))
        await event.wait()
