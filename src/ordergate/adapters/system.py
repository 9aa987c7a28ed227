"""The machine's clocks and chance: the only place that reads them."""

from __future__ import annotations

import asyncio
import secrets
import time
from datetime import UTC, datetime


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class SystemIds:
    def new_id(self) -> str:
        return secrets.token_hex(16)


def random_bytes(count: int) -> bytes:
    """Return `count` bytes fit for secrets."""
    return secrets.token_bytes(count)
