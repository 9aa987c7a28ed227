"""What a passkey was asked to sign: each challenge is for one act, one asker, once, two minutes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

LIFE_S: Final = 120.0
HELD_MAX: Final = 64  # the oldest makes room
NONCE_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What a yes would be to: an act, what it is done to, and the hash of what is shown."""

    act: str
    target: str = ""
    over: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A challenge that waits for its assertion."""

    purpose: Purpose
    asker: str  # digest of the session; "" before anyone is signed in
    at: float  # monotonic seconds


def challenge_of(purpose: Purpose, *, nonce: bytes) -> bytes:
    """Return SHA-256 over the act, its target, what is shown, and a nonce: what is signed."""
    parts = ("ordergate", purpose.act, purpose.target, purpose.over or "")
    return hashlib.sha256(b"\x00".join([*(part.encode() for part in parts), nonce])).digest()


@dataclass(frozen=True, slots=True)
class Challenges:
    """The challenges that wait; every change returns a new one. Bounded, and gone by themselves."""

    waiting: Mapping[bytes, Asked] = field(default_factory=lambda: MappingProxyType({}))

    def issued(self, challenge: bytes, asked: Asked) -> Challenges:
        """Hold one more; what is too old, and the oldest of too many, is forgotten."""
        kept = {key: one for key, one in self.waiting.items() if asked.at - one.at < LIFE_S}
        kept[challenge] = asked
        while len(kept) > HELD_MAX:
            del kept[next(iter(kept))]
        return Challenges(MappingProxyType(kept))

    def taken(self, challenge: bytes) -> Challenges:
        """Forget one: it is answered once, rightly or wrongly."""
        return Challenges(
            MappingProxyType({key: one for key, one in self.waiting.items() if key != challenge})
        )

    def asked(self, challenge: bytes, *, asker: str, now: float) -> Asked | None:
        """Return what this challenge was issued for, to this asker, if it still waits."""
        one = self.waiting.get(challenge)
        if one is None or one.asker != asker or now - one.at >= LIFE_S:
            return None
        return one
