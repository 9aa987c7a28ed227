"""The stages of the order line as gateway and desk are given them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ordergate.model.views import Change
from ordergate.order.approval.approve import Approve
from ordergate.order.dispatch.send import Send
from ordergate.order.emergency import Emergency
from ordergate.order.halt import Halt
from ordergate.order.intent.accept import Accept
from ordergate.order.journal.record import Record
from ordergate.order.loosen import Loosen
from ordergate.order.reconcile.settle import Settle


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The stages of the order line, wired once by bootstrap."""

    record: Record
    accept: Accept
    approve: Approve
    send: Send
    settle: Settle
    halt: Halt
    emergency: Emergency
    loosen: Loosen
    draft_end: Callable[[datetime], datetime]  # venue's day end, on the venue's clock
    publish: Callable[[Change], None]
