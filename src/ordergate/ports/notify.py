"""The channel to the human: one message out, within a deadline, never anything back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ordergate.model.alerts import Delivery, Message


class Notifier(Protocol):
    @property
    def channels(self) -> tuple[str, ...]:
        """Return the channels' names, without their secrets; empty = nobody can be reached."""
        ...

    async def send(self, message: Message) -> Sequence[Delivery]:
        """Offer a message once to every channel at the same time; never raises for a channel.

        Returns within the adapter's deadline. A reply that was lost is a problem: the message may
        have arrived all the same.
        """
        ...


class Heartbeat(Protocol):
    async def beat(self) -> str | None:
        """Tell an outside watcher that the gateway lives; return what went wrong, else None."""
        ...
