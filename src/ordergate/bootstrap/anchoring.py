"""Keep the newest signed head outside the data directory, a second behind at most."""

from __future__ import annotations

import asyncio

import structlog

from ordergate.adapters.anchor_file import Anchored, AnchorFile
from ordergate.adapters.storage.frozen import FrozenBooks
from ordergate.bootstrap.opening import Books
from ordergate.ports.journal import JournalUnreadable
from ordergate.ports.system import Clock

EVERY_S = 1.0

_log = structlog.get_logger("ordergate.anchor")


class Anchoring:
    """Books that prove nothing are never anchored: the anchor is what they are measured by."""

    def __init__(self, books: Books, file: AnchorFile, *, clock: Clock) -> None:
        self._books = books
        self._file = file
        self._clock = clock
        self._size = -1

    async def run(self, stop: asyncio.Event) -> None:
        """Anchor what has become durable since, once a second, until stopped."""
        while not stop.is_set():
            await self.keep()
            await self._clock.sleep(EVERY_S)

    async def keep(self) -> None:
        """Anchor the head where it has moved; what cannot be written is tried again."""
        if isinstance(self._books, FrozenBooks) or self._books.sealed() == self._size:
            return
        try:
            head = await self._books.read(lambda tx: tx.audit_head())
            if head is not None:
                await asyncio.to_thread(self._file.write, Anchored(head))
                self._size = head.size
        except (OSError, JournalUnreadable) as error:
            _log.error("anchor.unwritable", reason=str(error))
