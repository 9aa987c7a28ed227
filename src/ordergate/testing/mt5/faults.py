"""What may go wrong between a program and its terminal, on demand."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from ordergate.testing.mt5.constants import Constants as K


class FaultKind(enum.StrEnum):
    RETCODE = "retcode"  # answered with `retcode`, nothing executed
    RETCODE_AFTER = "retcode_after"  # executed, answered with `retcode`
    NONE = "none"  # None with `error`, nothing executed
    NONE_AFTER = "none_after"  # executed, then None with `error`
    LATE = "late"  # None with `error`; executed when `Server.arrive` is called
    LATE_FILL = "late_fill"  # PLACED; executed with the symbol's next tick
    PARTIAL = "partial"  # `fraction` of a market order is executed
    HANG = "hang"  # the call does not come back until `release`; nothing executed
    HANG_AFTER = "hang_after"  # executed; the call does not come back until `release`
    IPC_LOST = "ipc_lost"  # the terminal is gone; calls fail until `initialize`


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault for the next `count` calls of `function` (and of `action`, for order_send)."""

    kind: FaultKind
    function: str = "order_send"
    action: int | None = None
    symbol: str | None = None
    retcode: int = K.TRADE_RETCODE_TIMEOUT
    error: int = K.RES_E_INTERNAL_FAIL_TIMEOUT
    percent: int = 50  # of a partial fill
    count: int = 1


class FaultPlan:
    """Hands out each fault as often as it was asked for, first come first served."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._left: list[tuple[Fault, int]] = [(fault, fault.count) for fault in faults]

    def add(self, fault: Fault) -> None:
        self._left.append((fault, fault.count))

    def take(
        self, function: str, *, action: int | None = None, symbol: str | None = None
    ) -> Fault | None:
        """Return the fault that this call meets, and count it."""
        for index, (fault, left) in enumerate(self._left):
            named = fault.function == function and fault.action in (None, action)
            if left > 0 and named and fault.symbol in (None, symbol):
                self._left[index] = (fault, left - 1)
                return fault
        return None
