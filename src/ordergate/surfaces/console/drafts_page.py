"""The drafts of agents, each with the ways to submit and to discard it."""

from __future__ import annotations

from ordergate.identity.authority import Act
from ordergate.model.views import OrderView, PriceView
from ordergate.surfaces.console.frame import (
    Frame,
    button,
    card,
    factor,
    facts,
    form,
    moment,
    priced,
)
from ordergate.surfaces.console.markup import Child, Html, tag
from ordergate.surfaces.console.ticket_page import headline, order_facts


def draft_card(view: OrderView, now: PriceView, *, frame: Frame) -> Html:
    """Return a draft with its terms, the price now, and the two answers to it."""
    here = f"/drafts/{view.order.order_id}"
    rows: list[tuple[str, Child]] = [
        ("Drafted by", view.order.principal),
        ("Ends (venue clock)", moment(view.order.expires_at)),
        ("Price now", priced(now)),
    ]
    return card(
        headline(view.order),
        facts(rows),
        order_facts(view.order),
        tag(
            "p", tag("a", "Checklist and the agent's words", href=f"/orders/{view.order.order_id}")
        ),
        tag(
            "div",
            form(
                f"{here}/submit",
                factor(
                    frame,
                    "Submit as my own order",
                    act=Act.SUBMIT_DRAFT,
                    target=view.order.order_id,
                ),
                csrf=frame.csrf,
            ),
            form(f"{here}/discard", button("Discard", kind="no"), csrf=frame.csrf),
            class_="answers",
        ),
    )
