"""Proof of a human act: how the operator showed, just now, that it was them."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime


class Method(enum.StrEnum):
    PASSWORD = "password"
    TOTP = "totp"  # password and a time-based code
    RECOVERY = "recovery"  # password and a recovery code
    PASSKEY = "passkey"  # a WebAuthn assertion with the user verified


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What stands behind one act. Only a passkey can be bound to what it is a yes to."""

    method: Method
    at: datetime  # when the factor was shown
    over: str | None = None  # the hash inside the passkey's challenge; None = bound to nothing

    def is_over(self, digest: str) -> bool:
        """Say whether this is a user-verified passkey's assertion over exactly `digest`."""
        return self.method is Method.PASSKEY and self.over == digest
