"""Keys, fingerprints and tags: what makes two requests the same, and how a venue knows ours.

tag(n) = "G" + 13 Crockford base-32 characters (65 bits) of sha256(intent hash || n): 14 letters and
digits, fits every venue's client id. Its integer form for MT5's `magic`: the low 43 bits of the tag
plus a 10-bit gateway prefix << 43, below 2**53, so that it survives JSON (reliability.md 2.2).
"""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass
from typing import Final

from ordergate.model.canonical import canonical, encode_intent, sha256_hex
from ordergate.model.errors import KeyDiverged
from ordergate.model.orders import Intent, OrderState
from ordergate.model.principals import Principal
from ordergate.model.records import OrderRecord
from ordergate.model.values import IdempotencyKey, PrincipalId, Tag

CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TAG_CHARS: Final = 13
GATEWAY_PREFIX: Final = 0x0D6  # 10 bits, the same in every ordergate: foreign magics differ
KEY_MAX: Final = 128
ATTEMPTS_MAX: Final = 5


def diverged() -> KeyDiverged:
    return KeyDiverged(
        "this idempotency_key was used before for another order",
        fix="use a fresh key for a new order; the same key repeats the same order",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it came in."""

    intent: Intent
    key: IdempotencyKey | None
    asker: Principal

    def require_same(self, stored: OrderRecord) -> None:
        """Raise KeyDiverged where the key stands for another order."""
        if compare(stored, fingerprint(self.intent)) is Sameness.DIVERGED:
            raise diverged()


class Sameness(enum.Enum):
    FIRST = "first"
    REPLAY = "replay"
    DIVERGED = "diverged"
    NEXT_ATTEMPT = "next_attempt"


def fingerprint(intent: Intent) -> str:
    """Return the hash of every field of the intent: the body that a key stands for."""
    return sha256_hex(encode_intent(intent))


def intent_hash(intent: Intent, *, principal: PrincipalId, key: IdempotencyKey, nonce: str) -> str:
    """Return the hash the tags are made of: the intent, who asked, its key and a 128-bit nonce."""
    return sha256_hex(canonical([encode_intent(intent), principal, key, nonce]))


def tag(of: str, n: int) -> Tag:
    """Return the tag of attempt `n` of the intent with hash `of`."""
    digest = hashlib.sha256(f"{of}|{n}".encode()).digest()
    bits = int.from_bytes(digest[:9], "big") >> 7
    letters = []
    for _ in range(TAG_CHARS):
        letters.append(CROCKFORD[bits & 31])
        bits >>= 5
    return Tag("G" + "".join(reversed(letters)))


def is_tag(text: str | None) -> bool:
    """Say whether a client id found at a venue has the form of ours."""
    return (
        text is not None
        and len(text) == TAG_CHARS + 1
        and text[0] == "G"
        and all(letter in CROCKFORD for letter in text[1:])
    )


def magic(of: Tag) -> int:
    """Return the integer form of a tag, below 2**53."""
    bits = 0
    for letter in of[1:]:
        bits = (bits << 5) | CROCKFORD.index(letter)
    return (bits & ((1 << 43) - 1)) | (GATEWAY_PREFIX << 43)


def compare(stored: OrderRecord | None, asked: str) -> Sameness:
    """Say what a key that was used before means for a request with fingerprint `asked`.

    Only a definitive requote lets the same key open the next attempt; all else replays.
    """
    if stored is None:
        return Sameness.FIRST
    if stored.fingerprint != asked:
        return Sameness.DIVERGED
    if stored.state is OrderState.REQUOTED and stored.attempts < ATTEMPTS_MAX:
        return Sameness.NEXT_ATTEMPT
    return Sameness.REPLAY
