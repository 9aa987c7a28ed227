"""The whole book (C7, C8, C10): every account the gate reads counts, in one currency."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Final

from ordergate.model.orders import Side
from ordergate.model.values import ZERO
from ordergate.model.verdicts import RuleVerdict
from ordergate.order.policy.facts import Facts, Request
from ordergate.order.policy.rules.control import (
    Control,
    cents_down,
    cents_up,
    lots_that_fit,
    money,
)
from ordergate.order.policy.wholebook import WholeBook, lost

Used = Callable[[WholeBook, Side], Decimal | None]
BOOK_MONEY: Final = "book currency"
POSITION: Final = Control(
    rule="book_position_size",
    number="C7",
    limit_name="limits.book_position_notional_fraction",
    unit=BOOK_MONEY,
)
GROSS: Final = Control(
    rule="book_gross_exposure",
    number="C8",
    limit_name="limits.book_gross_exposure_fraction",
    unit=BOOK_MONEY,
)
NET: Final = Control(
    rule="book_net_exposure",
    number="C8",
    limit_name="limits.book_net_exposure_fraction",
    unit=BOOK_MONEY,
)
LOSS: Final = Control(
    rule="book_daily_loss",
    number="C10",
    limit_name="limits.book_daily_loss_fraction",
    unit=BOOK_MONEY,
)


def book_position_size(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse a position in one underlying that all accounts together may not come to hold."""
    return _capped(
        POSITION,
        facts,
        used=lambda whole, side: whole.at_side(side),
        fraction=facts.limits.book_position_notional_fraction,
        what="position on all accounts, at worst",
    )


def book_gross_exposure(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse an order that could bring all accounts together over their multiple of the equity."""
    return _capped(
        GROSS,
        facts,
        used=lambda whole, _: whole.gross,
        fraction=facts.limits.book_gross_exposure_fraction,
        what="exposure of all accounts",
    )


def book_net_exposure(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse an order that could let all accounts together lean too far to one side."""
    return _capped(
        NET,
        facts,
        used=lambda whole, side: whole.net_at_side(side),
        fraction=facts.limits.book_net_exposure_fraction,
        what="longs less shorts of all accounts",
    )


def book_daily_loss(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse new risk once all accounts together have lost their share of the book's day.

    The day is the operator's. The halt of everything is raised by the watch over the book, which
    looks at all accounts every few seconds, whether anybody asks for an order or not.
    """
    whole = facts.whole
    if whole is None or whole.equity is None or whole.day_start_equity is None:
        return LOSS.lacks(_missing(whole))
    loss, limit = lost(
        whole.equity, whole.day_start_equity, fraction=facts.limits.book_daily_loss_fraction
    )
    verdict = LOSS.measured(
        value=cents_up(loss),
        limit=cents_down(limit),
        room=cents_down(limit - loss),
        broken=loss >= limit,
        message=f"the book's day stands at {money(-loss, whole.currency)}, "
        f"it ends at {money(-limit, whole.currency)}",
        fix=lambda: "no new risk on any account today; closing and tightening pass",
    )
    return replace(verdict, unit=whole.currency)


def _capped(
    control: Control, facts: Facts, *, used: Used, fraction: Decimal, what: str
) -> RuleVerdict:
    order, spec, whole = facts.order, facts.instrument, facts.whole
    if order is None:
        return control.silent("no opening order")
    held = None if whole is None else used(whole, order.side)
    if whole is None or held is None or whole.equity is None or whole.rate is None:
        return control.lacks(_missing(whole))
    if facts.valued is None or spec is None:
        return control.lacks(f"what {facts.symbol[:64]} is worth in the book's currency")
    amount, limit = facts.valued.worst_notional * whole.rate, fraction * whole.equity
    room, total = limit - held, held + amount
    verdict = control.measured(
        value=cents_up(total),
        limit=cents_down(limit),
        room=cents_down(room),
        broken=total > limit,
        message=f"{what} {money(total, whole.currency)}, at most {money(limit, whole.currency)}",
        fix=lambda: lots_that_fit(
            room, per_lot=amount / order.quantity if order.quantity > 0 else ZERO, instrument=spec
        ),
    )
    return replace(verdict, unit=whole.currency)


def _missing(whole: WholeBook | None) -> str:
    if whole is None:
        return "what the accounts hold"
    return "the whole book: " + ("; ".join(whole.missing) or "its equity")
