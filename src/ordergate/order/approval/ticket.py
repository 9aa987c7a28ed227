"""The ask: a yes is good for one order, one action, one account, one policy, one price band."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from ordergate.model.canonical import canonical, sha256_hex
from ordergate.model.principals import Principal
from ordergate.model.proofs import Proof
from ordergate.model.records import OrderRecord, TicketRecord, TicketState

NUMBERS: Final = 90  # two-digit match numbers: 10..99


class Answerable(enum.Enum):
    """What stands in the way of answering a ticket now."""

    YES = "yes"
    DECIDED = "decided"
    EXPIRED = "expired"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Yes:
    """A human's yes: to the fingerprint that was shown, and how they proved who they are."""

    shown: str
    by: Principal
    proof: Proof


def fingerprint(order: OrderRecord, *, policy_hash: str, subject: str = "") -> str:
    """Hash every field that changes the risk, the action, the account and the policy version.

    `subject` is the hash of what the order would change: a yes is to the outcome, and new terms for
    one thing are not the same as the same terms for another.
    """
    return sha256_hex(
        canonical(
            {
                "order": order.order_id,
                "action": order.action,
                "account": order.account,
                "venue": order.venue,
                "principal": order.principal,
                "intent": order.fingerprint,
                "policy": policy_hash,
                "subject": subject,
            }
        )
    )


def answerable(ticket: TicketRecord, *, shown: str, now: datetime) -> Answerable:
    """Say whether a ticket may be answered at `now` by someone who was shown `shown`."""
    if ticket.state is TicketState.EXPIRED:
        return Answerable.EXPIRED
    if ticket.state is not TicketState.OPEN:
        return Answerable.DECIDED
    if now >= ticket.expires_at:
        return Answerable.EXPIRED
    return Answerable.YES if ticket.fingerprint == shown else Answerable.CHANGED


def in_band(ticket: TicketRecord, price: Decimal) -> bool:
    """Say whether a fresh reference price lies inside the ticket's band."""
    return ticket.band_low <= price <= ticket.band_high


def match_number(ticket_id: str) -> int:
    """Return the two digits shown in the message and on the page, to match by eye."""
    return 10 + int(sha256_hex(ticket_id)[:8], 16) % NUMBERS
