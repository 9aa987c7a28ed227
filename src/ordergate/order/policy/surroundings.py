"""What surrounds a judgement and stands in no book: the machine it runs on, who else runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeAlias

from ordergate.model.canonical import canonical, sha256_hex
from ordergate.model.instruments import Instrument

PROTOCOL: Final = "1"  # of the messages between processes; a change of meaning is another number

# The seconds from a venue's time to the nearest release that moves an instrument.
ReleaseAway: TypeAlias = Callable[[Instrument | None, datetime], Decimal | None]


def unknown(_: Instrument | None, __: datetime) -> Decimal | None:
    """Say of no instrument when its next release is."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """How the gateway's own machine does; None = not measured."""

    lag_s: Decimal | None  # how late it comes to its own work, three times running
    jump_s: Decimal | None  # the wall clock's largest leap in the last minute
    writable: bool | None  # the last write of the journal became durable


@dataclass(frozen=True, slots=True)
class Peer:
    """Another process or agent that acts on the same account, and the rules it says it has."""

    name: str
    identity: str


def version_identity(policy_hash: str) -> str:
    """Return what every process and agent must agree in: protocol and policy."""
    return sha256_hex(canonical({"protocol": PROTOCOL, "policy": policy_hash}))
