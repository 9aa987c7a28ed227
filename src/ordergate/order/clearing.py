"""An exit's way is cleared of the owner's own openings, so that it never trades with itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from ordergate.model.errors import GateError
from ordergate.model.orders import CancelIntent
from ordergate.model.records import AttemptRecord
from ordergate.model.values import IdempotencyKey, VenueOrderId

CLEAR_S: Final = 1.0  # an exit waits no longer than this for its way

Cancel = Callable[[CancelIntent, IdempotencyKey], Awaitable[object]]

_log = structlog.get_logger("ordergate.clearing")


async def clear_the_way(
    attempt: AttemptRecord, opposing: tuple[VenueOrderId, ...], *, cancel: Cancel
) -> None:
    """Cancel what stands in an exit's way, each a request of its own; late or refused, it goes on.

    The exit is on disk already: whatever becomes of the cancels, it is sent within its time.
    """
    if not opposing:
        return
    try:
        async with asyncio.timeout(CLEAR_S):
            for order_id in opposing:
                intent = CancelIntent(
                    account=attempt.account,
                    venue=attempt.venue,
                    symbol=attempt.symbol,
                    venue_order_id=order_id,
                )
                await cancel(intent, IdempotencyKey(f"clear-{attempt.attempt_id}-{order_id}"))
    except (GateError, TimeoutError) as error:
        _log.warning("clearing.left", exit=attempt.order_id, reason=type(error).__name__)
