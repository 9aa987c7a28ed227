"""Write closed months of the record into segments while the gateway works, slowly."""

from __future__ import annotations

import asyncio

import structlog

from ordergate.adapters.storage.log_file import Part, Unreadable
from ordergate.adapters.storage.segments import Segments
from ordergate.ports.system import Clock

EVERY_S = 3_600.0
FIRST_S = 60.0  # a start has other work
PAUSE_S = 0.05  # between pages: orders come first

_log = structlog.get_logger("ordergate.archive")


class Archiving:
    """Reads the database beside its writer; what fails is tried again an hour later."""

    def __init__(self, segments: Segments, *, clock: Clock) -> None:
        self._segments = segments
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Write what is due, once an hour, until stopped."""
        await self._clock.sleep(FIRST_S)
        while not stop.is_set():
            await self.keep()
            await self._clock.sleep(EVERY_S)

    async def keep(self) -> None:
        """Write the oldest part that is due, if one is."""
        try:
            part = await asyncio.to_thread(self._segments.due, self._clock.now())
            if part is not None:
                await self._write(part)
                _log.info("segment.written", first=part.opening.link.seq + 1, last=part.last)
        except (OSError, self._segments.database.errors, Unreadable) as error:
            _log.error("segment.unwritable", reason=str(error))

    async def _write(self, part: Part) -> None:
        pages = self._segments.write(part)
        while await asyncio.to_thread(next, pages, None) is not None:
            await self._clock.sleep(PAUSE_S)
