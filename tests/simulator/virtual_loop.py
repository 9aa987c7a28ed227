"""An event loop in virtual time: one thread, no selector, no sleep.

Time stands still while anything is ready and then leaps to the next timer. A process is a context:
what runs in a process that has died is never run again, not even its `finally`.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from typing import Any, TypeVar

T = TypeVar("T")
STEPS_MAX = 2_000_000  # handles of one history: beyond it nothing ends any more


class Process:
    """What a crash ends: every task, callback and timer that was started in its context."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True

    def context(self) -> Context:
        """Return a context in which everything belongs to this process."""
        context = contextvars.copy_context()
        context.run(PROCESS.set, self)
        return context


PROCESS: ContextVar[Process | None] = ContextVar("process", default=None)


class VirtualLoop(asyncio.AbstractEventLoop):
    def __init__(self) -> None:
        self._now = 0.0
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._number = 0
        self._kept: list[asyncio.Task[Any]] = []  # a dead process's tasks are not to be collected
        self.steps = 0
        self.troubles: list[str] = []

    # time
    def time(self) -> float:
        return self._now

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon  # there is one thread

    def call_later(
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._number += 1  # of two timers for one moment the older comes first
        heapq.heappush(self._timers, (when, self._number, handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Leave it in the heap: it is passed over when its time comes."""

    # what tasks are made of
    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        task._log_destroy_pending = False  # a crash leaves them pending
        self._kept.append(task)
        return task

    def run_in_executor(
        self, executor: object, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Run it here and now."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whatever it is, its waiter is told
            future.set_exception(error)
        return future

    # running
    def run_until_complete(self, main: Coroutine[Any, Any, T]) -> T:
        task = self.create_task(main)
        events._set_running_loop(self)
        try:
            while not task.done():
                self._once()
        finally:
            events._set_running_loop(None)
        return task.result()

    def _once(self) -> None:
        while not self._ready:
            when, _, timer = heapq.heappop(self._timers)
            if timer.cancelled() or _dead(timer):
                continue
            self._now = max(self._now, when)
            self._ready.append(timer)
        handle = self._ready.popleft()
        self.steps += 1
        if self.steps > STEPS_MAX:
            raise RuntimeError("the history does not end")
        if not handle.cancelled() and not _dead(handle):
            handle._run()

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.troubles.append(f"{context.get('message')}: {error!r}")

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def close(self) -> None:
        """Let go of every task; the finally blocks of those that never ended run only now."""
        self._ready.clear()
        self._timers.clear()
        for task in self._kept:
            if not task.done():
                task.get_coro().close()
        self._kept.clear()
        self._ready.clear()


def _dead(handle: asyncio.Handle) -> bool:
    process = handle._context.get(PROCESS)
    return process is not None and not process.alive
