"""Cancel on disconnect (C25): what adds risk must not rest where nobody has looked for long.

No venue here cancels by itself when its link is lost, so the gateway does it as soon as it is back:
after a lost link, and after a start that follows on a stop. Protection is never touched.
"""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta
from typing import Final

from ordergate.model.canonical import from_iso, iso
from ordergate.model.values import OrderId
from ordergate.order.accounts import read
from ordergate.order.gateway import GATEWAY, Gateway
from ordergate.order.journal.record import Instance
from ordergate.order.kill import openings_at_rest
from ordergate.ports.journal import JournalTx, JournalUnwritable
from ordergate.ports.venue_read import VenueReader

CAUSE: Final = "link"


class DeadMan:
    """Looks at the venue beside the gateway; without `after` it was not asked for, and is off."""

    def __init__(
        self, *, instance: Instance, reader: VenueReader, gateway: Gateway, after: timedelta | None
    ) -> None:
        self._journal = instance.journal
        self._record = instance.record
        self._clock = instance.clock
        self._reader = reader
        self._gateway = gateway
        self._after = after
        self._fact = f"link_seen:{reader.venue}/{reader.account}"
        self._seen_s: float | None = None
        self._owed: frozenset[OrderId] = frozenset()

    async def look(self) -> None:
        """Read the account; where that succeeds after a silence, cancel what rested through it."""
        if self._after is None:
            await self._forget()
            return
        if await read(self._reader) is None:
            return
        after, now, now_s = self._after, self._clock.now(), self._clock.monotonic()
        seen = await self._journal.read(self._last_seen)
        resting = await self._journal.read(openings_at_rest)
        late = frozenset(
            attempt.order_id
            for attempt in resting
            if unwatched(attempt.claimed_at, seen=seen, now=now, after=after)
        )
        fresh, first = late - self._owed, self._seen_s is None
        # One that the venue would not cancel yet is asked for again, however well it is watched.
        owed = (self._owed & {attempt.order_id for attempt in resting}) | late
        self._owed, self._seen_s = owed, now_s
        if owed:
            await self._gateway.kill.cancel_openings(CAUSE, lambda order: order.order_id in owed)
        with contextlib.suppress(JournalUnwritable):  # what else is watched must not wait for it
            if fresh:
                await self._tell(seen, fresh)
            if not owed and (resting or first):
                await self._keep(iso(now))

    def _last_seen(self, tx: JournalTx) -> datetime | None:
        """Return when the venue was last read, by a clock that leaps do not move where it can."""
        if self._seen_s is not None:
            silent_s = self._clock.monotonic() - self._seen_s
            return self._clock.now() - timedelta(seconds=silent_s)
        fact = tx.fact(self._fact)
        return from_iso(fact) if fact else None

    async def _keep(self, seen: str) -> None:
        await self._journal.write(lambda tx: tx.put_fact(self._fact, seen))

    async def _forget(self) -> None:
        """Start anew where it is switched on again: what rested meanwhile was nobody's to watch."""
        if self._seen_s is None:
            kept = await self._journal.read(lambda tx: tx.fact(self._fact))
            if kept:
                await self._keep("")
        self._seen_s = self._clock.monotonic()

    async def _tell(self, seen: datetime | None, late: frozenset[OrderId]) -> None:
        body = {"last_seen": None if seen is None else iso(seen), "orders": len(late)}
        await self._journal.write(
            lambda tx: self._record.note(
                tx, "link.returned", actor=GATEWAY.id, corr=self._fact, body=body
            )
        )


def unwatched(placed: datetime, *, seen: datetime | None, now: datetime, after: timedelta) -> bool:
    """Say whether an order has rested for `after` while nobody could look at its venue.

    Where it is not known when somebody last looked, the watch begins now.
    """
    return seen is not None and now - max(placed, seen) >= after
