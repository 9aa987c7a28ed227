from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ordergate.model.instruments import AssetClass
from ordergate.model.orders import Side
from ordergate.model.values import Symbol
from ordergate.order.policy.limits import Limits
from ordergate.order.policy.stress import shock, weekend_ahead
from support.judging import Court, D, place, position, reservation
from support.manual_market import STANDARD, fx

SPECS = {spec.symbol: spec for spec in STANDARD}
WEDNESDAY = datetime(2026, 1, 7, 14, tzinfo=UTC)
FRIDAY = datetime(2026, 1, 9, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("symbol", "in_the_week", "before_a_weekend"),
    [
        ("EURUSD", "0.03", "0.05"),
        ("USDJPY", "0.03", "0.05"),
        ("EURJPY", "0.08", "0.08"),
        ("XAUUSD", "0.08", "0.08"),
        ("AAPL", "0.2", "0.2"),
        ("BTCUSD", "0.3", "0.3"),
    ],
)
def test_the_shock_of_a_class(symbol: str, in_the_week: str, before_a_weekend: str) -> None:
    spec = SPECS[Symbol(symbol)]
    assert shock(spec, Limits(), at=WEDNESDAY) == D(in_the_week)
    assert shock(spec, Limits(), at=FRIDAY) == D(before_a_weekend)


def test_what_never_closes_knows_no_weekend() -> None:
    limits = Limits(stress_weekend_fraction=D("0.5"))
    assert shock(SPECS[Symbol("BTCUSD")], limits, at=FRIDAY) == D("0.3")
    assert shock(SPECS[Symbol("AAPL")], limits, at=FRIDAY) == D("0.5")


@pytest.mark.parametrize(
    ("kind", "fraction"), [(AssetClass.INDEX, "0.08"), (AssetClass.ENERGY, "0.12")]
)
def test_the_other_classes(kind: AssetClass, fraction: str) -> None:
    assert shock(fx("ANYUSD", asset_class=kind), Limits(), at=WEDNESDAY) == D(fraction)
    assert shock(fx("EURTRY"), Limits(), at=WEDNESDAY) == D("0.08")


@pytest.mark.parametrize(
    ("at", "ahead"),
    [
        (datetime(2026, 1, 8, 21, 59, tzinfo=UTC), False),  # Thursday, before 17:00 New York
        (datetime(2026, 1, 8, 22, 0, tzinfo=UTC), True),  # Friday's venue day has begun
        (datetime(2026, 1, 10, 12, 0, tzinfo=UTC), True),
        (datetime(2026, 1, 11, 21, 59, tzinfo=UTC), True),
        (datetime(2026, 1, 11, 22, 0, tzinfo=UTC), False),  # Monday's has
    ],
)
def test_a_weekend_lies_ahead_from_the_begin_of_fridays_venue_day(
    at: datetime, ahead: bool
) -> None:
    assert weekend_ahead(at) is ahead


def stress(court: Court) -> str:
    verdict = court.verdict("stress_loss", place())
    return str(verdict.value)


def test_each_underlying_leaps_to_its_own_worse_side() -> None:
    # 0.10 at 1.08510 x 1.005 = 10,905.255 long at worst; 3 % of it
    assert stress(Court()) == "327.16"
    short_gold = position(
        symbol=Symbol("XAUUSD"), side=Side.SELL, quantity=D(1), current_price=D(2000)
    )
    from_gold = D(200_000) * D("0.08")
    assert D(stress(Court(positions=(short_gold,)))) == D("327.16") + from_gold


def test_what_is_held_sets_off_and_what_may_not_fill_does_not() -> None:
    held = position(side=Side.SELL, quantity=D("0.10"), current_price=D("1.08"))
    assert D(stress(Court(positions=(held,)))) == D("324.00")  # rises cost more now
    coming = reservation(side=Side.SELL, notional=D(10_800))
    assert D(stress(Court().reserve(coming))) == D("327.16")


def test_the_weekend_is_in_the_verdict() -> None:
    court = Court()
    court.market.advance(days=2)
    court.market.set("EURUSD", "1.08500", "1.08510")
    assert stress(court) == "545.27"  # 5 %
