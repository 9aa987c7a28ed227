"""How often a principal may call: a bucket each, and a reserved part for exits."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ordergate.model.errors import RateLimited

PRINCIPALS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Calls per second in the long run, calls at once, and how many of those only exits get."""

    per_second: float = 10.0
    burst: int = 20
    reserved: int = 5


class Throttle:
    """Token buckets by principal. The oldest unused is forgotten when there are too many."""

    def __init__(self, rate: Rate, monotonic: Callable[[], float]) -> None:
        self._rate = rate
        self._monotonic = monotonic
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, principal: str, *, urgent: bool) -> None:
        """Take one token, or raise RateLimited; only an urgent call may use the reserve."""
        now = self._monotonic()
        full = float(self._rate.burst + self._rate.reserved)
        level, at = self._levels.pop(principal, (full, now))
        level = min(full, level + (now - at) * self._rate.per_second)
        floor = 0.0 if urgent else float(self._rate.reserved)
        granted = level - 1.0 >= floor
        self._levels[principal] = (level - 1.0 if granted else level, now)
        if len(self._levels) > PRINCIPALS_MAX:
            self._levels.popitem(last=False)
        if not granted:
            wait = (floor + 1.0 - level) / self._rate.per_second
            raise RateLimited(
                f"more than {self._rate.per_second:g} calls a second",
                fix=f"Wait {max(1, round(wait))} s. Closing, cancelling and the kill switch still"
                " have room.",
                details={"retry_after_s": str(max(1, round(wait)))},
            )
