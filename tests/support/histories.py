"""An agent's past in the books: openings that filled by themselves, positions that lost, asks."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from ordergate.model.orders import AttemptState, Lane, OrderState, Side
from ordergate.model.outcomes import Fill, FillEffect
from ordergate.model.values import PositionId, Symbol, TicketId, VenueOrderId
from support.journal_rows import an_order
from support.judging import ACCOUNT, AGENT, Court, attempt


def filled_by_themselves(
    court: Court, count: int, *, age: float = 30, asked: bool = False
) -> Court:
    """Book so many of the agent's openings, each filled `age` seconds ago."""
    for n in range(1000, 1000 + count):
        row = attempt(n, state=AttemptState.FILLED, ended_at=court.ago(age))
        ticket = TicketId(f"ticket-{n}") if asked else None
        court.attempted(row)
        court.books.orders[row.order_id] = an_order(
            n, order_id=row.order_id, principal=AGENT.id, lane=Lane.OPEN, ticket_id=ticket
        )
    return court


def lost(court: Court, count: int, *, age: float = 30, realised: str = "-1") -> Court:
    """Book so many closes of the agent's positions, `age` seconds ago on the venue's clock."""
    at = court.market.venue_now() - timedelta(seconds=age)
    for n in range(2000, 2000 + count):
        position = PositionId(f"p-{n}")
        row = attempt(n, state=AttemptState.FILLED, position_id=position)
        court.attempted(row)
        court.books.orders[row.order_id] = an_order(n, order_id=row.order_id, principal=AGENT.id)
        fill = Fill(
            trade_id=f"trade-{n}",
            venue_order_id=VenueOrderId(f"x{n}"),
            tag=None,
            symbol=Symbol("EURUSD"),
            side=Side.SELL,
            quantity=Decimal("0.10"),
            price=Decimal("1.08"),
            commission=Decimal(0),
            realised=Decimal(realised),
            time=at,
            position_id=position,
            effect=FillEffect.CLOSING,
            reason="stop_loss",
        )
        court.books.fills.append((ACCOUNT, None, fill))
    return court


def asked(court: Court, count: int, *, age: float = 30, waiting: bool = False) -> Court:
    """Book so many orders of the agent that were put to a human, answered or still waiting."""
    state = OrderState.AWAITING_APPROVAL if waiting else OrderState.DENIED
    for n in range(3000, 3000 + count):
        order = an_order(
            n,
            principal=AGENT.id,
            state=state,
            created_at=court.ago(age),
            ticket_id=TicketId(f"ticket-{n}"),
        )
        court.books.orders[order.order_id] = order
    return court
