from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal

from ordergate.order.pulse import BEAT_S, DEAD_S, LEAP_KEPT_S, Pulse
from support.judging import STEADY
from support.manual_clock import START


class TwoClocks:
    """A wall clock and a steady one, each moved by hand; a sleep is late by what `late` says."""

    def __init__(self) -> None:
        self.wall, self.steady, self.late = START, 0.0, 0.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.steady

    def pass_by(self, seconds: float) -> None:
        self.steady += seconds
        self.wall += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        self.pass_by(seconds + self.late)
        await asyncio.sleep(0)


def pulse_of(clock: TwoClocks) -> Pulse:
    return Pulse(clock=clock, writable=lambda: True)


def beats(clock: TwoClocks, pulse: Pulse, *late: float) -> None:
    """Let the pulse beat once for each, so many seconds late, and stop it."""

    async def some() -> None:
        stop, left = asyncio.Event(), list(late)
        beat = pulse.beat

        def counted() -> None:
            beat()
            if left:
                clock.late = left.pop(0)
            else:
                stop.set()

        pulse.beat = counted  # type: ignore[method-assign]  # ends the run after so many beats
        clock.late = left.pop(0)
        await pulse.run(stop)
        pulse.beat = beat  # type: ignore[method-assign]

    asyncio.run(some())


def test_a_machine_that_has_just_begun_is_steady() -> None:
    assert pulse_of(TwoClocks()).read() == STEADY


def test_one_late_beat_is_a_busy_moment_and_three_are_a_lag() -> None:
    clock = TwoClocks()
    pulse = pulse_of(clock)
    beats(clock, pulse, 0.9, 0.0)
    assert pulse.read().lag_s == 0
    beats(clock, pulse, 0.9, 0.7, 0.8)
    assert pulse.read().lag_s == Decimal("0.7")


def test_a_pulse_that_nobody_keeps_is_late_for_good() -> None:
    clock = TwoClocks()
    pulse = pulse_of(clock)

    async def left_alone() -> None:
        task = asyncio.create_task(pulse.run(asyncio.Event()))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(left_alone())
    clock.pass_by(BEAT_S + DEAD_S + 1)
    assert (pulse.read().lag_s or 0) > 5


def test_a_leap_of_the_wall_clock_is_seen_at_once_and_kept_for_a_minute() -> None:
    clock = TwoClocks()
    pulse = pulse_of(clock)
    clock.wall -= timedelta(seconds=3)
    assert pulse.read().jump_s == 3
    pulse.beat()
    clock.pass_by(LEAP_KEPT_S)
    assert pulse.read().jump_s == 3
    clock.pass_by(0.001)
    assert pulse.read().jump_s == 0


def test_whether_the_books_can_be_written_is_asked_each_time() -> None:
    said = [True, False]
    pulse = Pulse(clock=TwoClocks(), writable=said.pop)
    assert pulse.read().writable is False
    assert pulse.read().writable is True
