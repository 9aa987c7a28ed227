"""The exits that the gate manages by itself, as the gateway sees them: it asks before it sends."""

from __future__ import annotations

from typing import Protocol

from ordergate.model.orders import Intent
from ordergate.model.principals import Principal
from ordergate.model.values import IdempotencyKey
from ordergate.model.views import OrderView


class ManagedExits(Protocol):
    def manages(self, intent: Intent) -> bool:
        """Say, without reading anything, whether the request takes more than one order here."""
        ...

    async def walk(
        self, intent: Intent, *, key: IdempotencyKey | None, asker: Principal
    ) -> OrderView:
        """Carry a request out as a plan of several orders; return the order that was asked for."""
        ...
