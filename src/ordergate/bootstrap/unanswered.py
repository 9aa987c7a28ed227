"""What happens when the operator does not answer: where they chose so, new risk stops."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from ordergate.alerts.pace import OPEN_MAX
from ordergate.alerts.unanswered import unanswered
from ordergate.model.alerts import AlertRecord
from ordergate.model.canonical import from_iso
from ordergate.model.errors import GateError
from ordergate.model.records import ScopeKind
from ordergate.order.standing import release_of
from ordergate.ports.alert_store import AlertStore, AlertTx
from ordergate.ports.system import Clock

LOOK_S: Final = 5.0


class Unanswered:
    """Looks at what is told again and again; after `after` without a word it calls `engage`."""

    def __init__(
        self,
        *,
        store: AlertStore,
        clock: Clock,
        after: timedelta,
        engage: Callable[[str], Awaitable[object]],
    ) -> None:
        self._store = store
        self._clock = clock
        self._after = after
        self._engage = engage

    async def run(self, stop: asyncio.Event) -> None:
        """Look every few seconds until stopped; books that cannot be read now are read later."""
        while not stop.is_set():
            with contextlib.suppress(GateError):
                await self.look()
            await self._clock.sleep(LOOK_S)

    async def look(self) -> None:
        """Engage the kill switch where something grave has waited too long for a human."""
        late = await self._store.read(self._late)
        if late is not None:
            minutes = int(self._after.total_seconds() / 60)
            await self._engage(f"no answer for {minutes} min to: {late.title}")

    def _late(self, tx: AlertTx) -> AlertRecord | None:
        released = tx.fact(release_of(ScopeKind.GLOBAL, ""))
        return unanswered(
            tx.open_alerts(limit=OPEN_MAX),
            now=self._clock.now(),
            touched=None if released is None else from_iso(released),
            after=self._after,
        )
