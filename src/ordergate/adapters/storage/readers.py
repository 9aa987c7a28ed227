"""Readers: a few threads, each read on a snapshot of its own, beside the writer."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

from ordergate.adapters.storage.link import Database, Link
from ordergate.adapters.storage.session import SqlTx
from ordergate.model.errors import NotReady
from ordergate.ports.journal import JournalUnreadable

T = TypeVar("T")
THREADS: Final = 2
WAITING_MAX: Final = 1_024


class Readers:
    """A bounded pool of read-only connections."""

    def __init__(self, database: Database) -> None:
        self._idle: queue.SimpleQueue[Link] = queue.SimpleQueue()
        for _ in range(THREADS):
            self._idle.put(database.link(writable=False))
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="journal-reader")
        self._room = threading.BoundedSemaphore(WAITING_MAX)
        self._open = True

    def submit(self, run: Callable[[SqlTx], T]) -> Future[T]:
        """Queue a read; its future ends with what it returns or raises."""
        if not self._open:
            raise NotReady("the journal is closed", fix="try again when the gateway is up")
        if not self._room.acquire(blocking=False):
            raise NotReady("the journal is overloaded", fix="try again in a second")
        try:
            future = self._pool.submit(self._read, run)
        except RuntimeError as error:
            self._room.release()
            raise NotReady("the journal is closed") from error
        future.add_done_callback(lambda _: self._room.release())
        return future

    def stop(self) -> None:
        """Finish what waits and close the connections."""
        self._open = False
        self._pool.shutdown()
        while not self._idle.empty():
            self._idle.get().close()

    def _read(self, run: Callable[[SqlTx], T]) -> T:
        link = self._idle.get()
        try:
            link.begin(writing=False)
            return run(SqlTx(link.cursor()))
        except link.errors as error:
            if link.at_fault(error):
                raise JournalUnreadable(f"the books cannot be read: {error}") from error
            raise
        finally:
            with contextlib.suppress(link.errors):
                link.undo()
            self._idle.put(link)
