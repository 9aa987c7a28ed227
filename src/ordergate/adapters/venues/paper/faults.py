"""Faults on demand: what may go wrong between a gateway and its venue."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ordergate.adapters.venues.paper.mapping import REFUSALS

ANY: Final = "any"
OPERATIONS: Final = ("submit", "modify", "cancel", ANY)


class FaultKind(enum.StrEnum):
    LATE_REPLY = "late_reply"  # executed; the answer comes after delay_s
    LOST_REPLY = "lost_reply"  # executed; the connection breaks before the answer
    LOST_REQUEST = "lost_request"  # never arrived; the caller sees a timeout
    LATE_EXECUTION = "late_execution"  # a timeout; executed after delay_s, 0 = after the next scan
    DUPLICATE_DELIVERY = "duplicate_delivery"  # arrives twice, answered once
    REJECT = "reject"  # refused with `code`
    REQUOTE = "requote"  # refused with REQUOTE


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault for the next `count` matching calls."""

    kind: FaultKind
    operation: str = ANY  # "submit", "modify", "cancel" or "any"
    symbol: str | None = None
    count: int = 1
    delay_s: Decimal = Decimal(0)
    code: str | None = None  # of the table in mapping; REJECT only, None = REJECTED


class FaultPlan:
    """Hands out each fault as often as it was asked for, first come first served."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._faults: list[Fault] = []
        self._left: list[int] = []
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault) -> None:
        """Plan a fault; raise ValueError for an operation or a code that there is not."""
        if fault.operation not in OPERATIONS:
            raise ValueError(f"no operation {fault.operation!r}: {', '.join(OPERATIONS)}")
        if fault.code is not None and fault.code not in REFUSALS:
            raise ValueError(f"no code {fault.code!r}: {', '.join(REFUSALS)}")
        self._faults.append(fault)
        self._left.append(fault.count)

    def take(self, operation: str, symbol: str) -> Fault | None:
        """Return the fault that this call meets, and count it."""
        for index, fault in enumerate(self._faults):
            if self._left[index] > 0 and _matches(fault, operation, symbol):
                self._left[index] -= 1
                return fault
        return None


def _matches(fault: Fault, operation: str, symbol: str) -> bool:
    return fault.operation in (ANY, operation) and fault.symbol in (None, symbol)
