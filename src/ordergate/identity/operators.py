"""Operators: their names, their first password, when they may try again, how long they stay in."""

from __future__ import annotations

import re
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

BOOTSTRAP_BYTES: Final = 20  # 160 bits: 32 letters, eight groups of four
PASSWORD_CHARACTERS_MAX: Final = 256
SESSION_IDLE: Final = timedelta(minutes=30)
SESSION_ABSOLUTE: Final = timedelta(hours=12)

TRIES_MAX: Final = 5  # per account and address, then it waits
TRIES_OF_ALL_MAX: Final = 20  # per minute, of all who have not succeeded
MINUTE_S: Final = 60.0
WAIT_MAX_S: Final = 900.0
FORGET_S: Final = 1800.0  # quiet for so long, and the count starts anew

_NAME: Final = re.compile(r"[a-z][a-z0-9._-]{1,31}", re.ASCII)


def name_fault(name: str) -> str | None:
    """Return why an operator cannot bear this name."""
    if _NAME.fullmatch(name):
        return None
    return "a name is 2 to 32 lower-case letters, digits, dots or dashes, and starts with a letter"


def bootstrap_password(random: bytes) -> str:
    """Return 20 random bytes as eight groups of four letters and digits: ABCD-EFGH-..."""
    if len(random) != BOOTSTRAP_BYTES:
        raise ValueError(f"a bootstrap password is made of {BOOTSTRAP_BYTES} random bytes")
    letters = b32encode(random).decode()
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def session_alive(*, created_at: datetime, last_seen_at: datetime, now: datetime) -> bool:
    """Say whether a sign-in still stands: 30 minutes idle, 12 hours in all."""
    return now - last_seen_at < SESSION_IDLE and now - created_at < SESSION_ABSOLUTE


@dataclass(frozen=True, slots=True)
class Tries:
    """Tries in a row without a success, and when the last one was (monotonic seconds)."""

    count: int
    last: float


@dataclass(frozen=True, slots=True)
class Throttle:
    """What is remembered of tries to sign in; every change returns a new one.

    A try counts when it begins, so that many at once cannot pass before the first has failed.
    It holds at most the tries of FORGET_S: TRIES_OF_ALL_MAX a minute let no more in.
    """

    by_account: Mapping[tuple[str, str], Tries] = field(
        default_factory=lambda: MappingProxyType({})
    )
    of_all: tuple[float, ...] = ()

    def wait_s(self, account: str, address: str, *, now: float) -> float:
        """Return the seconds until this account may be tried from this address; 0 = now."""
        return max(self._account_wait(account, address, now), self._common_wait(now))

    def begun(self, account: str, address: str, *, now: float) -> Throttle:
        """Count one try."""
        kept = {key: tries for key, tries in self.by_account.items() if now - tries.last < FORGET_S}
        earlier = kept.get((account, address), Tries(0, now))
        kept[account, address] = Tries(earlier.count + 1, now)
        recent = tuple(at for at in self.of_all if now - at < MINUTE_S)
        return Throttle(MappingProxyType(kept), (*recent, now))

    def succeeded(self, account: str, address: str) -> Throttle:
        """Forget this account's tries from this address, and one of the common ones."""
        kept = {key: tries for key, tries in self.by_account.items() if key != (account, address)}
        return Throttle(MappingProxyType(kept), self.of_all[:-1])

    def _account_wait(self, account: str, address: str, now: float) -> float:
        tries = self.by_account.get((account, address))
        if tries is None or tries.count < TRIES_MAX or now - tries.last >= FORGET_S:
            return 0.0
        doublings = min(tries.count - TRIES_MAX, 10)
        wait = min(MINUTE_S * 2.0**doublings, WAIT_MAX_S)
        return max(0.0, tries.last + wait - now)

    def _common_wait(self, now: float) -> float:
        recent = [at for at in self.of_all if now - at < MINUTE_S]
        if len(recent) < TRIES_OF_ALL_MAX:
            return 0.0
        return recent[-TRIES_OF_ALL_MAX] + MINUTE_S - now
