"""The historical clock of a replay: it starts in the past, runs at a speed, and can be held."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Final

from ordergate.ports.feed import SPEED_MAX
from ordergate.ports.system import Clock

SECOND: Final = 1_000_000


class ReplayClock:
    """Microseconds since 1970 of a recording's time, driven by the machine's monotonic clock."""

    def __init__(self, clock: Clock, *, start: int, speed: Decimal, paused: bool) -> None:
        self._clock = clock
        self._from = start
        self._since_s = clock.monotonic()
        self._speed = _checked(speed)
        self._paused = paused

    @property
    def paused(self) -> bool:
        return self._paused

    @property
    def speed(self) -> Decimal:
        return self._speed

    def now(self) -> int:
        if self._paused:
            return self._from
        elapsed = Fraction(self._clock.monotonic() - self._since_s)
        return self._from + int(elapsed * Fraction(self._speed) * SECOND)

    def pause(self, *, at: int) -> None:
        """Stand still at `at`."""
        self._from, self._paused = at, True

    def resume(self) -> None:
        """Go on from where it stood."""
        if self._paused:
            self._since_s, self._paused = self._clock.monotonic(), False

    def set_speed(self, speed: Decimal, *, at: int) -> None:
        """Go on from `at` at another speed."""
        self._speed = _checked(speed)
        self._from, self._since_s = at, self._clock.monotonic()


def _checked(speed: Decimal) -> Decimal:
    if not speed.is_finite() or not 0 < speed <= SPEED_MAX:
        raise ValueError(f"speed must be above 0 and at most {SPEED_MAX}")
    return speed
