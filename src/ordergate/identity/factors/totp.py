"""Time-based codes (RFC 6238): six digits, 30 seconds, one step of drift, each step good once."""

from __future__ import annotations

import hmac
import re
from base64 import b32encode
from datetime import datetime
from typing import Final

import pyotp

SEED_BYTES: Final = 20
STEP_S: Final = 30
DRIFT: Final = 1  # steps a clock may be off, either way
NEVER: Final = -1  # the last step of a seed that was not used yet
ISSUER: Final = "ordergate"
_FORM: Final = re.compile(r"[0-9]{6}", re.ASCII)


def new_seed(random: bytes) -> str:
    """Return 20 random bytes as the base32 text that authenticators take."""
    if len(random) != SEED_BYTES:
        raise ValueError(f"a seed is made of {SEED_BYTES} random bytes")
    return b32encode(random).decode()


def uri(seed: str, *, name: str) -> str:
    """Return the otpauth:// address that a QR code carries into an authenticator."""
    return pyotp.TOTP(seed, interval=STEP_S).provisioning_uri(name=name, issuer_name=ISSUER)


def step_at(now: datetime) -> int:
    return int(now.timestamp()) // STEP_S


def code_of(seed: str, step: int) -> str:
    """Return the six digits of one step."""
    return pyotp.TOTP(seed, interval=STEP_S).generate_otp(step)


def is_code(text: str) -> bool:
    """Say whether a text has the form of such a code; spaces are a person's."""
    return _FORM.fullmatch(tidy(text)) is not None


def tidy(text: str) -> str:
    return text.replace(" ", "").strip()


def step_shown(seed: str, code: str, *, now: datetime) -> int | None:
    """Return the step whose code this is, now or one step off; None when it is none of them.

    Every step is compared in full, so that time tells nothing.
    """
    here, found = step_at(now), None
    for step in range(here - DRIFT, here + DRIFT + 1):
        if hmac.compare_digest(code_of(seed, step).encode(), tidy(code).encode()):
            found = step
    return found
