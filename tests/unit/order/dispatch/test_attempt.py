"""What a claim puts on record: sizes from the account, opening by its lane, nothing held twice."""

from __future__ import annotations

from decimal import Decimal

from ordergate.model.orders import Action, AttemptState, Lane, Side
from ordergate.model.outcomes import Acked, NotSent, VenueStatus
from ordergate.model.values import AttemptId, VenueOrderId
from ordergate.model.verdicts import Exposure
from ordergate.order.dispatch.attempt import (
    Owner,
    attempt_of,
    fields_of,
    recent_of,
    reservation_of,
)
from ordergate.order.intent.idempotency import tag
from support.judging import Court, place
from support.order_records import AT, an_attempt, an_order, buy

OWNER = Owner(name="i1", epoch=3, attempt_id=AttemptId("a9"), now=AT)
ORDER = an_order(buy())
EXPOSURE = Exposure(
    notional=Decimal(10_000), risk=Decimal(50), reference_price=Decimal(1), worst_price=Decimal(1)
)


def test_an_attempt_carries_its_tag_its_owner_and_its_lane() -> None:
    for lane, opening in ((Lane.OPEN, True), (Lane.CLOSE, False)):
        made = attempt_of(ORDER, tag("h1", 2), n=2, owner=OWNER, snapshot=None, lane=lane)
        assert (made.state, made.n, made.tag) == (AttemptState.SENDING, 2, tag("h1", 2))
        assert (made.owner, made.epoch, made.opening) == ("i1", 3, opening)
        assert (made.side, made.quantity) == (Side.BUY, Decimal("0.10"))
        assert made.venue_day == AT.date()


def test_a_reservation_is_the_exposure_of_an_attempt_with_a_size() -> None:
    held = reservation_of(ORDER, an_attempt(), EXPOSURE)
    assert held is not None
    assert (held.notional, held.risk, held.quantity) == (10_000, 50, Decimal("0.10"))
    assert reservation_of(ORDER, an_attempt(quantity=None), EXPOSURE) is None
    assert reservation_of(ORDER, an_attempt(), None) is None


def test_an_exit_holds_its_part_of_the_position_and_nothing_in_the_limits() -> None:
    held = reservation_of(ORDER, an_attempt(opening=False), None)
    assert held is not None
    assert (held.reduces, held.notional, held.risk) == (True, 0, None)
    assert held.quantity == Decimal("0.10")


def test_a_recent_claim_has_the_orders_terms() -> None:
    row = recent_of(ORDER, an_attempt(), Court().judge(place()))
    assert row.terms.startswith("place|EURUSD|buy")
    assert (row.lane, row.price) == (Lane.OPEN, Decimal("1.08510"))


def test_only_what_the_venue_placed_writes_its_ids() -> None:
    acked = Acked(venue_order_id=VenueOrderId("7"), status=VenueStatus.WORKING)
    assert fields_of(acked, an_attempt())["venue_order_id"] == "7"
    assert fields_of(acked, an_attempt(action=Action.CANCEL)) == {"code": None}
    assert fields_of(NotSent("too late"), an_attempt()) == {"code": "too late"}
