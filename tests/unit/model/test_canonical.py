"""One byte form: what is hashed, signed and stored reads back as what it was."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from ordergate.model.canonical import (
    canonical,
    decode_intent,
    encode_intent,
    from_iso,
    iso,
    plain_data,
    sha256_hex,
)
from ordergate.model.orders import (
    CancelIntent,
    CloseIntent,
    Intent,
    ModifyIntent,
    OrderType,
    PlaceIntent,
    Side,
    TimeInForce,
)
from ordergate.model.values import AccountId, PositionId, Symbol, VenueName, VenueOrderId

WHERE = {
    "account": AccountId("paper-1"),
    "venue": VenueName("paper"),
    "symbol": Symbol("EURUSD"),
}


class Colour(enum.StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Pair:
    left: Decimal
    right: Colour


def test_keys_are_sorted_and_numbers_have_one_form() -> None:
    assert (
        canonical({"b": Decimal("1.50"), "a": [True, None, 3]}) == '{"a":[true,null,3],"b":"1.5"}'
    )
    assert canonical({"x": Decimal("1E+2")}) == canonical({"x": Decimal("100.0")})
    assert canonical(Pair(Decimal(1), Colour.RED)) == '{"left":"1","right":"red"}'
    assert canonical({"ü"}) == '["ü"]'
    assert plain_data(date(2026, 1, 7)) == "2026-01-07"


def test_a_float_has_no_form() -> None:
    with pytest.raises(TypeError, match="float"):
        canonical({"price": 1.5})


def test_what_is_not_known_has_no_form() -> None:
    with pytest.raises(TypeError, match="object"):
        canonical(object())


def test_a_time_is_utc_to_the_microsecond_and_reads_back() -> None:
    at = datetime(2026, 1, 7, 9, 0, 0, 1, tzinfo=timezone(timedelta(hours=-5)))
    assert iso(at) == "2026-01-07T14:00:00.000001Z"
    assert from_iso(iso(at)) == at
    with pytest.raises(TypeError, match="zone"):
        iso(at.replace(tzinfo=None))


@pytest.mark.parametrize(
    "intent",
    [
        PlaceIntent(
            **WHERE,
            side=Side.BUY,
            order_type=OrderType.STOP_LIMIT,
            quantity=Decimal("0.10"),
            limit_price=Decimal("1.0852"),
            stop_price=Decimal("1.0851"),
            time_in_force=TimeInForce.GTD,
            good_till=datetime(2026, 1, 8, tzinfo=UTC),
            stop_loss=Decimal("1.07"),
            note="in words",
        ),
        ModifyIntent(**WHERE, position_id=PositionId("P1"), stop_loss=None),
        ModifyIntent(**WHERE, venue_order_id=VenueOrderId("O1"), limit_price=Decimal("1.08")),
        CancelIntent(**WHERE, venue_order_id=VenueOrderId("O1")),
        CloseIntent(**WHERE, position_id=PositionId("P1"), quantity=None),
    ],
)
def test_an_intent_reads_back_as_it_was(intent: Intent) -> None:
    text = encode_intent(intent)
    assert decode_intent(text) == intent
    assert encode_intent(decode_intent(text)) == text


def test_keeping_a_stop_and_taking_it_away_are_two_things() -> None:
    keep = ModifyIntent(**WHERE, position_id=PositionId("P1"))
    away = ModifyIntent(**WHERE, position_id=PositionId("P1"), stop_loss=None)
    assert encode_intent(keep) != encode_intent(away)


def test_the_hash_is_the_known_one() -> None:
    assert sha256_hex("abc").startswith("ba7816bf8f01cfea414140de5dae2223b00361a3")
