"""The catalogue: every operation once, in a fixed order."""

from __future__ import annotations

from typing import Final

from ordergate.surfaces.catalogue import account, market, risk, trading
from ordergate.surfaces.catalogue.operation import Operation

READING: Final = (*account.OPERATIONS, *market.OPERATIONS, *trading.READING)
ALL: Final = (*READING, *risk.OPERATIONS, *trading.TRADING)


def operations(*, data_only: bool) -> tuple[Operation, ...]:
    """Return what is offered for the whole life of the process; data-only leaves orders out.

    The kill switch and tightening stay: they are no orders, and a reader may have to stop things.
    """
    orders = {operation.name for operation in trading.TRADING} if data_only else set()
    return tuple(operation for operation in ALL if operation.name not in orders)
