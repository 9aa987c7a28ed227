"""What the core may ask of a venue. Reading and trading are two ports."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from ordergate.model.accounts import Capabilities, VenueHistory, VenueSnapshot
from ordergate.model.values import AccountId, VenueName


class VenueReader(Protocol):
    @property
    def venue(self) -> VenueName: ...

    @property
    def account(self) -> AccountId: ...

    def capabilities(self) -> Capabilities: ...

    async def snapshot(self) -> VenueSnapshot:
        """Read identity, account, positions and open orders at once; raise when unreadable."""
        ...

    async def history(self, since: datetime) -> VenueHistory:
        """Read every order, fill and line of cash since a moment of the venue's clock.

        Raise unless complete. Every change of the balance is a fill's `realised` less its
        `commission`, or a line of cash; every change of a holding is a fill, or a split's line.
        """
        ...
