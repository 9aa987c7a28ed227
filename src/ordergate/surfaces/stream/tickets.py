"""One-time tickets: a browser's WebSocket cannot send a header, and a URL must hold no token."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from starlette.requests import HTTPConnection

TICKET_LIFE_S: Final = 30.0
TICKETS_MAX: Final = 1_000


class Tickets:
    """Each ticket stands for the request that asked for it: its credential is read again later."""

    def __init__(self, *, monotonic: Callable[[], float], new_id: Callable[[], str]) -> None:
        self._monotonic = monotonic
        self._new_id = new_id
        self._open: OrderedDict[str, tuple[float, HTTPConnection]] = OrderedDict()

    def issue(self, asked_by: HTTPConnection) -> str:
        """Return a ticket good once, for thirty seconds."""
        ticket = self._new_id()
        self._open[ticket] = (self._monotonic() + TICKET_LIFE_S, asked_by)
        if len(self._open) > TICKETS_MAX:
            self._open.popitem(last=False)
        return ticket

    def redeem(self, ticket: str) -> HTTPConnection | None:
        """Return the request behind a ticket and end the ticket; None when it is not good."""
        until, asked_by = self._open.pop(ticket, (0.0, None))
        return asked_by if asked_by is not None and self._monotonic() < until else None
