"""Keep the newest signed head outside the data directory, and a checkpoint for each minute."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from ordergate.adapters.anchor_file import Anchored, Anchors
from ordergate.adapters.storage.frozen import FrozenBooks
from ordergate.adapters.storage.session import SqlTx
from ordergate.bootstrap.opening import Books
from ordergate.model.errors import NotReady
from ordergate.ports.journal import JournalUnreadable, JournalUnwritable
from ordergate.ports.system import Clock

EVERY_S = 1.0
CHECKPOINT_S = 60.0

_log = structlog.get_logger("ordergate.anchor")


class Anchoring:
    """Books that prove nothing are never anchored: the anchor is what they are measured by."""

    def __init__(
        self, books: Books, anchors: Anchors, *, checkpoint: Callable[[SqlTx], None], clock: Clock
    ) -> None:
        self._books = books
        self._anchors = anchors
        self._checkpoint = checkpoint
        self._clock = clock
        self._size = -1
        self._noted = -1
        self._noted_at = clock.monotonic()

    async def run(self, stop: asyncio.Event) -> None:
        """Anchor what has become durable since, once a second, until stopped."""
        while not stop.is_set():
            if self._clock.monotonic() - self._noted_at >= CHECKPOINT_S:
                await self.note()
            await self.keep()
            await self._clock.sleep(EVERY_S)

    async def note(self) -> None:
        """Seal a checkpoint over what was recorded since the last one."""
        self._noted_at = self._clock.monotonic()
        size = self._books.sealed()
        if isinstance(self._books, FrozenBooks) or size == self._noted:
            return
        try:
            await self._books.write(self._checkpoint)
            self._noted = size
        except (JournalUnwritable, NotReady) as error:
            _log.error("checkpoint.unwritable", reason=str(error))

    async def keep(self) -> None:
        """Anchor the head where it has moved; what cannot be written is tried again."""
        if isinstance(self._books, FrozenBooks) or self._books.sealed() == self._size:
            return
        try:
            head = await self._books.read(lambda tx: tx.audit_head())
            if head is not None:
                await asyncio.to_thread(self._anchors.write, Anchored(head))
                self._size = head.size
        except (OSError, JournalUnreadable) as error:
            _log.error("anchor.unwritable", reason=str(error))
