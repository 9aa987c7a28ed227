"""Recovery codes: ten of 80 random bits each, shown once, kept as digests, good once."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b32encode
from typing import Final

CODES: Final = 10
CODE_BYTES: Final = 10  # 80 bits: 16 letters, four groups of four
RANDOM_BYTES: Final = CODES * CODE_BYTES
_FORM: Final = re.compile(r"[A-Z2-7]{16}", re.ASCII)


def new_codes(random: bytes) -> tuple[str, ...]:
    """Return ten codes as ABCD-EFGH-JKLM-NPQR."""
    if len(random) != RANDOM_BYTES:
        raise ValueError(f"recovery codes are made of {RANDOM_BYTES} random bytes")
    parts = (random[at : at + CODE_BYTES] for at in range(0, RANDOM_BYTES, CODE_BYTES))
    return tuple(_grouped(b32encode(part).decode()) for part in parts)


def is_code(text: str) -> bool:
    """Say whether a text has the form of a recovery code, however it is spaced."""
    return _FORM.fullmatch(_tidy(text)) is not None


def digest(code: str, *, pepper: bytes) -> str:
    """Return HMAC-SHA256(pepper, code), hex: all that is stored; 80 bits need no slow hash."""
    return hmac.new(pepper, b"recovery " + _tidy(code).encode(), hashlib.sha256).hexdigest()


def _tidy(text: str) -> str:
    return re.sub(r"[\s-]", "", text).upper()


def _grouped(letters: str) -> str:
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))
