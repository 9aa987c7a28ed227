"""What rests at the venue: openings with our attempt behind them, and what exits hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from ordergate.model.accounts import VenueOrderState
from ordergate.model.orders import Side
from ordergate.model.records import AttemptRecord, Reservation
from ordergate.model.values import ZERO, AttemptId, Symbol, Tag
from ordergate.order.policy.exposure import is_exit

Tagged = Callable[[Sequence[Tag]], Sequence[AttemptRecord]]


def exits_held(
    symbol: Symbol,
    orders: Iterable[VenueOrderState],
    *,
    besides: VenueOrderState | None,
    on_way: Sequence[Reservation],
    tagged: Tagged,
) -> dict[Side, Decimal]:
    """Return the lots of a symbol's exits by side, one resting order left out.

    Of an exit that the account was seen to hold at rest, what is left of it counts; of one that
    was claimed or has ended since, all of it: the position that was seen may not show it yet.
    """
    at_rest = [row for row in orders if row.symbol == symbol and is_exit(row)]
    coming = [row for row in on_way if row.symbol == symbol]
    tags = [row.tag for row in at_rest if row.tag is not None] if coming else []
    seen = {attempt.attempt_id for attempt in tagged(tags)} if tags else set()
    lots = {Side.BUY: ZERO, Side.SELL: ZERO}
    for order in at_rest:
        if order is not besides:
            lots[order.side] += order.quantity - order.filled_quantity
    for held in coming:
        if held.attempt_id not in seen:
            lots[held.side] += held.quantity
    return lots


def resting_openings(
    orders: Iterable[VenueOrderState], *, besides: VenueOrderState | None, tagged: Tagged
) -> tuple[tuple[VenueOrderState, AttemptId | None], ...]:
    """Return the opening orders at rest, each with our attempt behind it (None: not ours)."""
    rows = [row for row in orders if not is_exit(row) and row is not besides]
    tags = [row.tag for row in rows if row.tag is not None]
    attempts = {row.tag: row.attempt_id for row in tagged(tags)} if tags else {}
    return tuple((row, None if row.tag is None else attempts.get(row.tag)) for row in rows)
