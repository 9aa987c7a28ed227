"""The one writer: a thread that takes what waits, and makes it durable with one commit."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from ordergate.adapters.storage.link import InDoubt, Link, NotDurable, Owned
from ordergate.adapters.storage.session import SqlTx
from ordergate.model.errors import NotReady
from ordergate.ports.journal import JournalUnwritable

T = TypeVar("T")
BATCH_MAX: Final = 64  # works in one commit
WAITING_MAX: Final = 1_024
STOP_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class _Work:
    run: Callable[[SqlTx], Any]
    future: Future[Any]


@dataclass(frozen=True, slots=True)
class _Done:
    work: _Work
    value: Any = None
    error: BaseException | None = None

    def tell(self) -> None:
        if self.error is None:
            self.work.future.set_result(self.value)
        else:
            self.work.future.set_exception(self.error)


class Writer:
    """Runs works one after another, each in its own savepoint, many in one commit.

    A work that raises undoes itself alone; a commit that fails undoes all that shared it.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._cursor = link.cursor()
        self._tx = SqlTx(self._cursor)
        self.sealed = self._tx.audit_size()  # records that are durable
        self._inbox: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._gate = threading.Lock()  # nothing enters after the stop
        self._open = True
        self._thread = threading.Thread(target=self._serve, name="journal-writer", daemon=True)
        self._thread.start()

    def submit(self, run: Callable[[SqlTx], T]) -> Future[T]:
        """Queue a work; its future ends when the work is durable, or failed.

        A future that is cancelled before its work began takes the work with it.
        """
        future: Future[T] = Future()
        with self._gate:
            if not self._open:
                raise NotReady("the journal is closed", fix="try again when the gateway is up")
            if self._inbox.qsize() >= WAITING_MAX:
                raise NotReady("the journal is overloaded", fix="try again in a second")
            self._inbox.put(_Work(run, future))
        return future

    def stop(self) -> None:
        """Finish what waits, then end the thread and close the connection."""
        with self._gate:
            if self._open:
                self._open = False
                self._inbox.put(None)
        self._thread.join(STOP_S)

    def _serve(self) -> None:
        try:
            while batch := self._next_batch():
                self._commit(batch)
        finally:
            self._shut()

    def _next_batch(self) -> list[_Work]:
        """Wait for a work and take those behind it; empty when it is time to stop."""
        batch: list[_Work] = []
        while len(batch) < BATCH_MAX and not (batch and self._inbox.empty()):
            work = self._inbox.get()
            if work is None:
                self._inbox.put(None)  # seen again when the batch is done
                break
            batch.append(work)
        return batch

    def _shut(self) -> None:
        """Let nobody wait for ever, however the thread ended."""
        with self._gate:
            self._open = False
        while not self._inbox.empty():
            work = self._inbox.get()
            if work is not None and work.future.set_running_or_notify_cancel():
                work.future.set_exception(JournalUnwritable("the writer has ended"))
        self._link.close()

    def _commit(self, batch: list[_Work]) -> None:
        running = [work for work in batch if work.future.set_running_or_notify_cancel()]
        try:
            self._link.begin(writing=True)
            done = [self._attempt(work) for work in running]
            self._tx.seal_head()  # once for all that share the commit
            size = self._tx.audit_size()
            self._link.commit()
        except (self._link.errors, InDoubt, NotDurable, Owned) as error:
            self._tx.forget_head()
            self._link.undo()
            reason = self._link.words(error)
            done = [_Done(work, error=JournalUnwritable(reason)) for work in running]
        else:
            self.sealed = size
        for each in done:
            each.tell()

    def _attempt(self, work: _Work) -> _Done:
        self._cursor.execute("SAVEPOINT work")
        standing = self._tx.unsealed
        try:
            value = work.run(self._tx)
        except BaseException as error:  # whatever it is, it undoes this work alone and is told
            self._tx.forget_head(standing=standing)
            if isinstance(error, self._link.errors) and self._link.at_fault(error):
                raise
            self._cursor.execute("ROLLBACK TO work")
            self._cursor.execute("RELEASE work")
            return _Done(work, error=error)
        self._cursor.execute("RELEASE work")
        return _Done(work, value)
