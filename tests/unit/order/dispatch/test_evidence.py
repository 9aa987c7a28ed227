from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from ordergate.model.orders import Action
from ordergate.model.outcomes import (
    Acked,
    NeverSent,
    NotSent,
    Outcome,
    Rejected,
    Unknown,
    VenueRefusal,
    VenueStatus,
)
from ordergate.model.values import VenueOrderId
from ordergate.order.dispatch.evidence import code_of, event_of, evidence, filled


@pytest.mark.parametrize(
    ("error", "want"),
    [
        (VenueRefusal("INVALID_STOPS", "too near"), Rejected("INVALID_STOPS", "too near")),
        (VenueRefusal("REQUOTE", "moved", requote=True), Rejected("REQUOTE", "moved", True)),
        (VenueRefusal("DUPLICATE_TAG", "known"), Unknown("DUPLICATE_TAG")),
        (NeverSent("no link"), NotSent("NeverSent")),
        (ConnectionRefusedError(), NotSent("ConnectionRefusedError")),
        (ConnectionResetError(), Unknown("ConnectionResetError")),
        (TimeoutError(), Unknown("TimeoutError")),
        (asyncio.CancelledError(), Unknown("CancelledError")),
        (ValueError("bad json"), Unknown("ValueError")),
        (KeyError("retcode"), Unknown("KeyError")),
    ],
)
def test_only_an_explicit_refusal_is_a_rejection(error: BaseException, want: Outcome) -> None:
    assert evidence(error) == want


@pytest.mark.parametrize(
    ("status", "event"),
    [
        (VenueStatus.WORKING, "accepted"),
        (VenueStatus.PARTIAL, "partly_filled"),
        (VenueStatus.FILLED, "filled"),
        (VenueStatus.CANCELED, "canceled"),
        (VenueStatus.EXPIRED, "expired"),
        (VenueStatus.REJECTED, "lost_sight"),
        (VenueStatus.REPLACED, "lost_sight"),
    ],
)
def test_an_acknowledgement_says_what_became_of_the_order(status: VenueStatus, event: str) -> None:
    acked = Acked(venue_order_id=VenueOrderId("1"), status=status, filled_quantity=Decimal(1))
    assert event_of(acked, Action.PLACE) == event
    assert event_of(acked, Action.CANCEL) == "applied"
    assert code_of(acked) is None
    assert filled(acked) == Decimal(1)


def test_what_is_not_known_carries_its_reason() -> None:
    assert event_of(Unknown("TimeoutError"), Action.PLACE) == "lost_sight"
    assert event_of(NotSent("NeverSent"), Action.CLOSE) == "unsent"
    assert event_of(Rejected("NO_MONEY", ""), Action.MODIFY) == "refused"
    assert code_of(Unknown("TimeoutError")) == "TimeoutError"
    assert filled(Unknown("TimeoutError")) == 0
