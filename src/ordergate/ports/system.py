"""Clocks and ids: the only sources of time and chance the core ever sees."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the wall clock: aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds of a clock that never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; a simulated clock returns when its time has come."""
        ...


class Ids(Protocol):
    def new_id(self) -> str:
        """Return 128 random bits as 32 lowercase hex digits."""
        ...
