from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ordergate.model.arming import OFF, Arming, ArmingOffer
from ordergate.model.values import AccountId, PrincipalId, VenueName

AT = datetime(2026, 1, 7, 14, tzinfo=UTC)
OFFER = ArmingOffer(
    account=AccountId("a"),
    venue=VenueName("v"),
    hours=Decimal(1),
    policy_hash="p",
    instance="gateway-1",
    nonce="n",
    expires_at=AT,
)


@pytest.mark.parametrize(
    "change",
    [
        {"account": "b"},
        {"venue": "w"},
        {"hours": Decimal(2)},
        {"policy_hash": "q"},
        {"instance": "gateway-2"},
        {"nonce": "m"},
    ],
)
def test_every_word_of_an_offer_is_in_its_digest(change: dict[str, object]) -> None:
    assert replace(OFFER, **change).digest != OFFER.digest  # type: ignore[arg-type]


def test_how_long_an_offer_waits_is_no_part_of_what_is_signed() -> None:
    assert replace(OFFER, expires_at=AT + timedelta(hours=1)).digest == OFFER.digest


def test_an_arming_holds_from_its_moment_until_just_before_its_end() -> None:
    until = AT + timedelta(hours=1)
    arming = Arming(
        account=OFFER.account, venue=OFFER.venue, by=PrincipalId("o"), armed_at=AT, until=until
    )
    tick = timedelta(microseconds=1)
    held = [arming.holds(at) for at in (AT - tick, AT, until - tick, until)]
    assert held == [False, True, True, False]


def test_live_trading_is_off_unless_said() -> None:
    assert OFF.on is False
    assert "ALLOW_LIVE_TRADING" in OFF.because
