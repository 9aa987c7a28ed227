"""Bearer tokens: their form, their checksum, and the digest they are compared by.

    og_<ag|ro>_<8 hex>_<43 base64url characters of 32 random bytes>_<6 base64url of a CRC-32>

The checksum refuses a mistyped token before anything is looked up; it protects nothing. There is
no form for an operator: no bearer of any kind stands for one.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import zlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Final

from ordergate.model.principals import Grant, Kind
from ordergate.model.records import TokenRecord

SECRET_BYTES: Final = 32
ID_BYTES: Final = 4
DAYS_MAX: Final = 365

_MARKS: Final = {Kind.AGENT: "ag", Kind.READ_ONLY: "ro"}
_KINDS: Final = {mark: kind for kind, mark in _MARKS.items()}
_FORM: Final = re.compile(
    r"og_(?P<mark>ag|ro)_(?P<id>[0-9a-f]{8})_(?P<secret>[A-Za-z0-9_-]{43})_(?P<crc>[A-Za-z0-9_-]{6})",
    re.ASCII,
)
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{1,31}", re.ASCII)
_RESERVED: Final = frozenset({"gateway", "operator"})


class MalformedToken(ValueError):
    """The text is no token of ours, or was mistyped."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token taken apart. Never shown as text: its secret stays out of every repr."""

    kind: Kind
    token_id: str
    secret: str

    def __repr__(self) -> str:
        return f"Token({self.kind.value}, {self.token_id})"


def carried_by(kind: Kind) -> bool:
    """Say whether principals of this kind can hold a token at all."""
    return kind in _MARKS


def mint(kind: Kind, *, token_id: bytes, secret: bytes) -> Token:
    """Return the token made of 4 and 32 random bytes."""
    if len(token_id) != ID_BYTES or len(secret) != SECRET_BYTES:
        raise ValueError(f"a token is made of {ID_BYTES} and {SECRET_BYTES} random bytes")
    return Token(kind, token_id.hex(), base64url(secret))


def write(token: Token) -> str:
    """Return the text that is handed out, once."""
    stem = f"og_{_MARKS[token.kind]}_{token.token_id}_{token.secret}"
    return f"{stem}_{_checksum(stem)}"


def parse(text: str) -> Token:
    """Read what `write` wrote; raise MalformedToken on any other text."""
    match = _FORM.fullmatch(text)
    if match is None or not hmac.compare_digest(_checksum(text[:-7]), match["crc"]):
        raise MalformedToken("not a token of this gate, or mistyped")
    return Token(_KINDS[match["mark"]], match["id"], match["secret"])


def digest(secret: str, *, pepper: bytes) -> str:
    """Return HMAC-SHA256(pepper, secret), hex: all that is ever stored of a token."""
    return hmac.new(pepper, secret.encode(), hashlib.sha256).hexdigest()


def matches(secret: str, stored: str, *, pepper: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(digest(secret, pepper=pepper), stored)


def name_fault(name: str) -> str | None:
    """Return why a token cannot bear this name; it becomes the principal's id."""
    if not _NAME.fullmatch(name):
        return "a name is 2 to 32 lower-case letters, digits and dashes, and starts with a letter"
    if name in _RESERVED:
        return "this name is the gate's own"
    return None


def grants_of(record: TokenRecord) -> frozenset[Grant]:
    """Return what the operator gave this token beyond its kind."""
    held = ((Grant.LIVE, record.live), (Grant.OTHERS, record.others))
    return frozenset(grant for grant, given in held if given)


def base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _checksum(stem: str) -> str:
    return base64url(zlib.crc32(stem.encode()).to_bytes(4))
