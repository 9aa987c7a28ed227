"""An event loop that lives through every wait at once: timers fire in order, and nobody waits."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

from support.manual_clock import START

T = TypeVar("T")
STUCK_S = 60.0  # real seconds in which a thread at work must answer


class SkippingLoop(asyncio.SelectorEventLoop):
    """Its time stands still while anything is at work, threads too, and else jumps to the next
    timer: what waits costs nothing, and what is at work takes no time."""

    def __init__(self) -> None:
        self._at = 0.0
        self._abroad = 0  # what threads are at work on for this loop
        super().__init__(_Skipping(self))

    def time(self) -> float:
        return self._at

    def skip(self, seconds: float) -> None:
        self._at += seconds

    @property
    def at_work(self) -> bool:
        return self._abroad > 0

    def run_in_executor(self, *args: Any, **how: Any) -> asyncio.Future[Any]:  # type: ignore[override]  # the loop's own
        return self.counted(super().run_in_executor(*args, **how))

    def counted(self, future: asyncio.Future[T]) -> asyncio.Future[T]:
        """Count a thread's work until its answer has come home."""
        self._abroad += 1
        future.add_done_callback(self._home)
        return future

    def _home(self, _: object) -> None:
        self._abroad -= 1


class _Skipping(selectors.DefaultSelector):
    """Waits for threads, and for nothing else."""

    def __init__(self, loop: SkippingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return super().select(0)
        if timeout is None or self._loop.at_work:
            ready = super().select(STUCK_S)
            if not ready:
                raise TimeoutError("nothing is left that could happen")
            return ready
        self._loop.skip(timeout)
        return super().select(0)


class LoopClock:
    """Implements ports.system.Clock by a loop's time; the wall clock may be set wrong."""

    def __init__(self, loop: asyncio.AbstractEventLoop, now: datetime = START) -> None:
        self._loop = loop
        self._start = now

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        return self._loop.time()

    def advance(self, seconds: float) -> None:
        """Set the wall clock on, or back; no time passes."""
        self._start += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end on a loop of its own."""
    with _counting(), asyncio.Runner(loop_factory=SkippingLoop) as runner:
        return runner.run(work())


@contextmanager
def _counting() -> Iterator[None]:
    """Let the loop know of what it waits for from threads of others."""
    sound = asyncio.wrap_future

    def counting(future: Future[T], **how: Any) -> asyncio.Future[T]:
        wrapped = sound(future, **how)
        loop = wrapped.get_loop()
        return loop.counted(wrapped) if isinstance(loop, SkippingLoop) else wrapped

    asyncio.wrap_future = counting  # type: ignore[assignment]  # the standard library's door
    try:
        yield
    finally:
        asyncio.wrap_future = sound
