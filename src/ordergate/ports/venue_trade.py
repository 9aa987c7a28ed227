"""The power to trade. In the core only `order.dispatch.send` may import this."""

from __future__ import annotations

from typing import Protocol

from ordergate.model.orders import VenueCancel, VenueModify, VenueOrder
from ordergate.model.outcomes import Acked


class VenueTrader(Protocol):
    """Each call makes at most one wire write and never repeats it.

    Raises VenueRefusal only for a code on the venue's definitive list, NeverSent only when provably
    no byte left; any other exception proves nothing.
    """

    async def submit(self, order: VenueOrder) -> Acked: ...

    async def modify(self, change: VenueModify) -> Acked: ...

    async def cancel(self, cancel: VenueCancel) -> Acked: ...
