"""Where calculations run: one thread of their own, so that no analysis stands in an exit's way.

The threads that asyncio shares carry the emergency journal, too; a scan must never fill them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from ordergate.model.errors import RateLimited

P = ParamSpec("P")
T = TypeVar("T")

WAITING_MAX: Final = 64


class Workbench:
    """Runs one calculation at a time; `look` is held by whoever fetches many bars at once."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="analysis")
        self._waiting = 0
        self.look = asyncio.Semaphore(1)

    async def run(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what the work returns; raise RateLimited where too much waits already."""
        if self._waiting >= WAITING_MAX:
            raise RateLimited(f"{WAITING_MAX} calculations are waiting", fix="Ask again shortly.")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, lambda: work(*args, **kwargs))
        finally:
            self._waiting -= 1
