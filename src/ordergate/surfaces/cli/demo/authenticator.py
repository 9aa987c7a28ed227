"""The demo's phone: codes of the operator's authenticator, and its recovery codes behind them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from ordergate.identity.factors.totp import DRIFT, NEVER, code_of, step_at


@dataclass(slots=True)
class Authenticator:
    """Gives a code that was not used yet; the demo does not wait 30 seconds for the next one."""

    otpauth: str
    recovery_codes: list[str]
    now: Callable[[], datetime]
    last: int = NEVER

    def code(self, what: str, said: str) -> str:
        """Return the oldest code still good, else a recovery code."""
        del what, said
        here = step_at(self.now())
        step = max(self.last + 1, here - DRIFT)
        if step > here + DRIFT:
            return self.recovery_codes.pop()
        self.last = step
        (seed,) = parse_qs(urlsplit(self.otpauth).query)["secret"]
        return code_of(seed, step)
