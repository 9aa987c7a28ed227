from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordergate.model.orders import OrderType, PlaceIntent, Side
from ordergate.model.values import AccountId, IdempotencyKey, PrincipalId, Symbol, VenueName
from ordergate.order.intent.idempotency import (
    CROCKFORD,
    fingerprint,
    intent_hash,
    is_tag,
    magic,
    tag,
)

BUY = PlaceIntent(
    account=AccountId("paper-1"),
    venue=VenueName("paper"),
    symbol=Symbol("EURUSD"),
    side=Side.BUY,
    order_type=OrderType.LIMIT,
    quantity=Decimal("0.10"),
    limit_price=Decimal("1.0851"),
    stop_loss=Decimal("1.0801"),
)


def test_equal_numbers_written_differently_have_one_fingerprint() -> None:
    assert fingerprint(BUY) == fingerprint(dataclasses.replace(BUY, quantity=Decimal("0.1")))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("symbol", Symbol("GBPUSD")),
        ("side", Side.SELL),
        ("order_type", OrderType.STOP),
        ("quantity", Decimal("0.11")),
        ("limit_price", Decimal("1.0852")),
        ("stop_loss", None),
        ("take_profit", Decimal("1.1")),
        ("account", AccountId("other")),
        ("venue", VenueName("mt5")),
        ("reduce_only", True),
    ],
)
def test_every_field_that_changes_the_risk_changes_the_fingerprint(
    field: str, value: object
) -> None:
    assert fingerprint(dataclasses.replace(BUY, **{field: value})) != fingerprint(BUY)


@given(st.text(min_size=1, max_size=40), st.integers(1, 5))
def test_a_tag_fits_every_venue_and_comes_back_as_ours(of: str, n: int) -> None:
    made = tag(of, n)
    assert len(made) == 14
    assert made[0] == "G"
    assert set(made[1:]) <= set(CROCKFORD)
    assert is_tag(made)
    assert 0 < magic(made) < 2**53


@given(st.text(min_size=1, max_size=40))
def test_attempts_of_one_intent_have_tags_of_their_own(of: str) -> None:
    assert len({tag(of, n) for n in range(1, 6)}) == 5


@pytest.mark.parametrize(
    "foreign", [None, "", "G123", "X" * 14, "GABCDEFGHIJKLO", "g0123456789abc"]
)
def test_a_foreign_client_id_is_not_ours(foreign: str | None) -> None:
    assert not is_tag(foreign)


def test_the_same_request_asked_anew_has_another_hash() -> None:
    def hashed(nonce: str) -> str:
        return intent_hash(
            BUY, principal=PrincipalId("agent"), key=IdempotencyKey("k"), nonce=nonce
        )

    assert hashed("1") != hashed("2")
    assert hashed("1") == hashed("1")
