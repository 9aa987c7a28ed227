from __future__ import annotations

import dataclasses
import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ordergate.model.orders import Side
from ordergate.model.records import TicketRecord, TicketState
from ordergate.model.values import OrderId, PrincipalId, TicketId
from ordergate.order.approval.ticket import (
    Answerable,
    answerable,
    fingerprint,
    in_band,
    match_number,
)
from support.order_records import an_order, buy

NOW = datetime(2026, 1, 7, 15, tzinfo=UTC)


def a_ticket(**changes: object) -> TicketRecord:
    ticket = TicketRecord(
        ticket_id=TicketId("t1"),
        order_id=OrderId("o1"),
        ver=1,
        state=TicketState.OPEN,
        fingerprint="f" * 64,
        policy_hash="p",
        reference_price=Decimal("1.10"),
        band_low=Decimal("1.09"),
        band_high=Decimal("1.11"),
        number=42,
        opened_at=NOW,
        expires_at=NOW + timedelta(seconds=300),
    )
    return dataclasses.replace(ticket, **changes)


def test_an_open_ask_is_answered_by_who_was_shown_the_same_order() -> None:
    ticket = a_ticket()
    assert answerable(ticket, shown="f" * 64, now=NOW) is Answerable.YES
    assert answerable(ticket, shown="0" * 64, now=NOW) is Answerable.CHANGED


def test_an_ask_ends_at_its_expiry_to_the_microsecond() -> None:
    ticket = a_ticket()
    last = ticket.expires_at - timedelta(microseconds=1)
    assert answerable(ticket, shown="f" * 64, now=last) is Answerable.YES
    assert answerable(ticket, shown="f" * 64, now=ticket.expires_at) is Answerable.EXPIRED


@pytest.mark.parametrize("state", [state for state in TicketState if state is not TicketState.OPEN])
def test_a_decided_ask_is_never_answered_again(state: TicketState) -> None:
    got = answerable(a_ticket(state=state), shown="f" * 64, now=NOW)
    want = Answerable.EXPIRED if state is TicketState.EXPIRED else Answerable.DECIDED
    assert got is want


@pytest.mark.parametrize(
    ("price", "inside"),
    [("1.08999", False), ("1.09", True), ("1.11", True), ("1.11001", False)],
)
def test_the_band_holds_its_edges(price: str, inside: bool) -> None:
    assert in_band(a_ticket(), Decimal(price)) is inside


@pytest.mark.parametrize(
    "change",
    [
        {"order_id": OrderId("o2")},
        {"account": "other"},
        {"venue": "mt5"},
        {"principal": PrincipalId("other")},
        {"fingerprint": "another intent"},
    ],
)
def test_a_yes_is_bound_to_the_order_the_account_and_who_asked(change: dict[str, object]) -> None:
    order = an_order(buy())
    assert fingerprint(order, policy_hash="p") != fingerprint(
        dataclasses.replace(order, **change), policy_hash="p"
    )


def test_a_yes_is_bound_to_the_policy_and_to_every_term() -> None:
    order = an_order(buy())
    assert fingerprint(order, policy_hash="p") != fingerprint(order, policy_hash="q")
    assert fingerprint(order, policy_hash="p") != fingerprint(
        an_order(buy(side=Side.SELL)), policy_hash="p"
    )


def test_match_numbers_have_two_digits_and_are_the_same_everywhere() -> None:
    """The message and the page are made in different places; the digits must match."""
    every = [match_number(f"ticket-{n}") for n in range(500)]
    assert all(10 <= number <= 99 for number in every)
    by_hand = [
        10 + int.from_bytes(hashlib.sha256(f"ticket-{n}".encode()).digest()[:4]) % 90
        for n in range(500)
    ]
    assert every == by_hand
