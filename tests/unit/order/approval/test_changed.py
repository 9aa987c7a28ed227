"""What changed is read from the sealed record, field by field."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from ordergate.model.records import AuditRow
from ordergate.model.views import Difference
from ordergate.order.approval.changed import asks, limits_changed, limits_in, terms_changed

AT = datetime(2026, 1, 7, 14, tzinfo=UTC)


def row(seq: int, kind: str, **body: Any) -> AuditRow:
    return AuditRow(
        seq=seq,
        ts=AT,
        kind=kind,
        actor="a",
        corr="o1",
        body=json.dumps({"body": body}),
        h="",
    )


def opened(seq: int, ticket: str, price: str) -> AuditRow:
    return row(seq, "ticket.opened", ticket=ticket, reference=price, band=["1", "2"])


def judged(seq: int, policy: str, **facts: Any) -> AuditRow:
    return row(seq, "order.judged_ask", policy=policy, facts=json.dumps(facts))


POSITION = {"side": "buy", "quantity": "1", "stop_loss": "1.08", "take_profit": None}


def test_each_ask_is_read_with_what_was_judged_for_it() -> None:
    moved = {**POSITION, "stop_loss": None, "take_profit": "1.2"}
    made = asks(
        [
            row(1, "order.proposed", intent={}),
            opened(2, "t1", "1.5"),
            judged(3, "p1", position=POSITION, resting=None),
            row(4, "ticket.approved", ticket="t1"),
            opened(5, "t2", "1.6"),
            judged(6, "p2", position=moved, resting=None),
        ]
    )
    assert [(one.ticket_id, one.reference, one.policy) for one in made] == [
        ("t1", "1.5", "p1"),
        ("t2", "1.6", "p2"),
    ]
    assert terms_changed(*made) == (
        Difference("Price", "1.5", "1.6"),
        Difference("Stop loss", "1.08", "none"),
        Difference("Take profit", "none", "1.2"),
    )
    assert terms_changed(made[0], made[0]) == ()


def test_an_ask_is_read_from_the_judgement_behind_it_and_from_a_resting_order() -> None:
    resting = {"side": "sell", "quantity": "2", "limit_price": "1.3"}
    (made,) = asks(
        [
            opened(1, "t1", "1.5"),
            row(2, "order.asked", ticket="t1"),  # tells no facts
            judged(3, "p1", position=None, resting=resting),
            judged(4, "p2", position=POSITION, resting=None),  # of no ask
        ]
    )
    assert (made.policy, made.band, made.subject) == ("p1", ("1", "2"), resting)
    (bare,) = asks([opened(1, "t1", "1.5"), judged(2, "p1", position=None, resting=None)])
    assert bare.subject == {}


def test_limits_differ_by_name() -> None:
    sealed = row(1, "limits.in_force", before=None, limits={"a": "1", "b": "2", "c": "3"})
    assert limits_changed(limits_in(sealed), {"a": "1", "b": "5", "d": "4"}) == (
        Difference("b", "2", "5"),
        Difference("c", "3", "none"),
        Difference("d", "none", "4"),
    )
