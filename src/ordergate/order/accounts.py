"""Every account the gate reads: the one it trades on, and the others that make up the book."""

from __future__ import annotations

import asyncio
from typing import Final

from ordergate.model.accounts import Elsewhere, VenueSnapshot
from ordergate.ports.venue_read import VenueReader

READ_TIMEOUT_S: Final = 3.0


class Accounts:
    def __init__(self, own: VenueReader, others: tuple[VenueReader, ...] = ()) -> None:
        self.own = own
        self._others = others

    async def read(self) -> tuple[VenueSnapshot | None, tuple[Elsewhere, ...]]:
        """Read all at once under one deadline; an unreadable one is a missing fact, no error."""
        snapshot, *elsewhere = await asyncio.gather(
            read(self.own), *(read(reader) for reader in self._others)
        )
        return snapshot, tuple(
            Elsewhere(account=reader.account, venue=reader.venue, snapshot=seen)
            for reader, seen in zip(self._others, elsewhere, strict=True)
        )


async def read(reader: VenueReader) -> VenueSnapshot | None:
    """Read one account under a deadline; None when it cannot be read."""
    try:
        async with asyncio.timeout(READ_TIMEOUT_S):
            return await reader.snapshot()
    except Exception:  # noqa: BLE001 - whatever the adapter raises, the fact is missing
        return None
