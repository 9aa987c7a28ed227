"""Live arming in words: the switches, what the operator is asked to sign, and what is in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from ordergate.model.canonical import canonical, sha256_hex
from ordergate.model.values import AccountId, PrincipalId, VenueName

HOURS_DEFAULT: Final = Decimal(1)
HOURS_MAX: Final = Decimal(8)
HOURS_MIN: Final = Decimal("0.05")
OFFER_LIFE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """What a human set before the start: both switches on, or why live trading is off."""

    on: bool = False
    because: str = "TRADING_MODE=live and ALLOW_LIVE_TRADING=true are not both set"


OFF: Final = Switches()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmingOffer:
    """Exactly what an arming would allow; a passkey signs its digest, once."""

    account: AccountId
    venue: VenueName
    hours: Decimal
    policy_hash: str  # of the limits that were shown
    instance: str  # the gateway that asks: an assertion for another one is worth nothing
    nonce: str
    expires_at: datetime

    @property
    def digest(self) -> str:
        """Return the hash that the passkey's challenge carries."""
        return sha256_hex(
            canonical(
                {
                    "act": "arm",
                    "account": self.account,
                    "venue": self.venue,
                    "hours": self.hours,
                    "policy": self.policy_hash,
                    "instance": self.instance,
                    "nonce": self.nonce,
                }
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Arming:
    """One account opened for new risk with real money, until a moment."""

    account: AccountId
    venue: VenueName
    by: PrincipalId
    armed_at: datetime
    until: datetime

    def holds(self, now: datetime) -> bool:
        return self.armed_at <= now < self.until
