"""The emergency journal: a small file that still takes a record when the database takes none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class EmergencyUnwritable(Exception):
    """The record could not be made durable in the emergency journal either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spooled:
    """What the file holds since it was last renewed, in order."""

    generation: str  # another one after each renewal
    bodies: tuple[str, ...]
    torn: bool  # bytes stand behind the last whole record: a write that never ended, or damage


class EmergencyFile(Protocol):
    """Append-only, preallocated, each record chained to the one before."""

    def held(self) -> Spooled: ...

    async def append(self, body: str) -> None:
        """Return when the record is on the disk; raise EmergencyUnwritable otherwise."""
        ...

    async def renew(self) -> None:
        """Start over, chained to the end of what was held; raise EmergencyUnwritable."""
        ...
