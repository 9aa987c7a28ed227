"""One exchange, on a thread and an event loop of its own: its answers hold up no order."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from ordergate.adapters.feeds.ccxt_public.client import Lost, Wire
from ordergate.model.errors import DataUnavailable, RateLimited

ASKING_MAX: Final = 4  # questions under way beside the prices; they share one rate limit
CLOSE_S: Final = 3.0

T = TypeVar("T")
Work = Callable[[Wire], Awaitable[T]]


class ExchangeLine:
    """Runs one worker for as long as it lives, and answers questions meanwhile."""

    def __init__(self, wire: Callable[[], Wire], *, name: str) -> None:
        self.name: Final = name
        self._make_wire = wire
        self._wire: Wire | None = None
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._asking = 0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self, worker: Callable[[Wire, asyncio.Event], Awaitable[None]] | None = None) -> None:
        """Open the wire and begin; raises NotSupported where ccxt has no such exchange."""
        wire = self._make_wire()
        self._wire = wire

        async def work() -> None:
            try:
                if worker is not None:
                    await worker(wire, self._stop)
                await self._stop.wait()
            finally:
                with contextlib.suppress(Lost, TimeoutError):
                    async with asyncio.timeout(CLOSE_S):
                        await wire.close()

        self._thread = threading.Thread(
            target=lambda: self._loop.run_until_complete(work()), daemon=True, name=self.name
        )
        self._thread.start()

    def ask(self, work: Work[T]) -> concurrent.futures.Future[T]:
        """Ask beside the worker; the future raises DataUnavailable. Raises RateLimited."""
        with self._lock:
            if self._asking >= ASKING_MAX:
                raise RateLimited(
                    f"{ASKING_MAX} questions to {self.name} are under way", fix="Ask in a second."
                )
            self._asking += 1
        return asyncio.run_coroutine_threadsafe(self._answered(work), self._loop)

    def close_now(self) -> None:
        """Stop the worker and close the wire."""
        if self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(CLOSE_S)
        if not self._thread.is_alive():
            self._loop.close()

    async def _answered(self, work: Work[T]) -> T:
        try:
            if self._wire is None:
                raise Lost("the line is not open")
            return await work(self._wire)
        except Lost as lost:
            raise DataUnavailable(
                f"{self.name}: {lost}", fix="Ask again later; get_status says how the feed is."
            ) from None
        finally:
            with self._lock:
                self._asking -= 1
