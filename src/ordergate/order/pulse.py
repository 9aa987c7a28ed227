"""The gateway's own pulse: how late it comes to its work, how the wall clock leaps, what it writes.

A single late beat is a busy moment; three in a row are a gateway that cannot keep up.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Final

from ordergate.model.values import ZERO
from ordergate.order.policy.facts import seconds
from ordergate.order.policy.surroundings import Machine
from ordergate.ports.system import Clock

BEAT_S: Final = 0.25
BEATS: Final = 3
DEAD_S: Final = 5.0  # no beat for so long: nobody keeps the pulse any more
LEAP_KEPT_S: Final = 60.0
NOISE: Final = Decimal("0.01")  # two clocks are never read at once


class Pulse:
    """Beats beside the gateway; `read` is what the judge asks, from memory."""

    def __init__(self, *, clock: Clock, writable: Callable[[], bool]) -> None:
        self._clock = clock
        self._writable = writable
        self._late: deque[Decimal] = deque((ZERO,) * BEATS, maxlen=BEATS)
        self._leaps: deque[tuple[float, Decimal]] = deque(maxlen=BEATS * 100)
        self._last: tuple[float, datetime] = (clock.monotonic(), clock.now())
        self._due_s: float | None = None

    def read(self) -> Machine:
        """Return how the machine does now; a beat that is overdue counts as late already."""
        now_s, wall = self._clock.monotonic(), self._clock.now()
        late = list(self._late)
        overdue_s = 0.0 if self._due_s is None else now_s - self._due_s
        if overdue_s > 0.0:
            late = [*late[1:], _span(overdue_s)]
        lag = _span(overdue_s) if overdue_s > DEAD_S else min(late)
        kept = [leap for at_s, leap in self._leaps if now_s - at_s <= LEAP_KEPT_S]
        return Machine(
            lag_s=lag, jump_s=max([*kept, self._leap(now_s, wall)]), writable=self._writable()
        )

    def beat(self) -> None:
        """Take one measure of both clocks."""
        now_s, wall = self._clock.monotonic(), self._clock.now()
        leap = self._leap(now_s, wall)
        if leap:
            self._leaps.append((now_s, leap))
        if self._due_s is not None:
            self._late.append(max(_span(now_s - self._due_s), ZERO))
        self._last = (now_s, wall)

    async def run(self, stop: asyncio.Event) -> None:
        """Beat until stopped."""
        while not stop.is_set():
            self._due_s = self._clock.monotonic() + BEAT_S
            await self._clock.sleep(BEAT_S)
            self.beat()
        self._due_s = None

    def _leap(self, now_s: float, wall: datetime) -> Decimal:
        """Return how far the wall clock has moved against the one that never goes back."""
        last_s, last_wall = self._last
        leap = abs(seconds(wall - last_wall) - _span(now_s - last_s))
        return leap if leap > NOISE else ZERO


def _span(span_s: float) -> Decimal:
    return Decimal(round(span_s * 1000)).scaleb(-3)
