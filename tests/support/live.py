"""A paper venue that proves LIVE, and an operator with a passkey: for tests alone.

There is no way to ask the product for either.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ordergate.adapters.venues.paper import statement
from ordergate.model.accounts import Mode
from ordergate.model.arming import Arming, Switches
from ordergate.model.principals import Grant, Kind, Principal
from ordergate.model.proofs import Method, Proof
from ordergate.model.values import PrincipalId
from ordergate.order.policy.limits import Limits
from support.gate import Gate, a_gate
from support.order_records import AGENT, OPERATOR

ON = Switches(on=True, because="")
TRADER = dataclasses.replace(AGENT, grants=frozenset({Grant.LIVE}))
KEEPER = Principal(
    PrincipalId("keeper"), Kind.AGENT, "keeper", frozenset({Grant.LIVE, Grant.OTHERS})
)
LIMITS = Limits(live_symbols_allow=("EURUSD",))
LIVE = dataclasses.replace(statement.IDENTITY, mode=Mode.LIVE, proof="a test says so")


def prove_live(patch: pytest.MonkeyPatch) -> None:
    """Let the paper venue prove that its money is real."""
    patch.setattr(statement, "IDENTITY", LIVE)


def signed(digest: str) -> Proof:
    """Return a user-verified passkey's assertion over this hash."""
    return Proof(method=Method.PASSKEY, at=datetime(2026, 1, 7, 14, tzinfo=UTC), over=digest)


async def armed(gate: Gate, hours: str = "1") -> Arming:
    """Arm the account as the operator does: read the offer, sign its hash."""
    desk = gate.line.desk
    offer = await desk.offer_arming(LIVE.account, hours=Decimal(hours), operator=OPERATOR)
    return await desk.arm(LIVE.account, operator=OPERATOR, proof=signed(offer.digest))


def live_gate(path: Path, **how: Any) -> Any:
    """Return a gate with both switches on and EURUSD on the live allow-list."""
    return a_gate(path, **{"switches": ON, "limits": LIMITS, **how})
