from __future__ import annotations

from decimal import Decimal

import pytest

from ordergate.model.errors import Code
from ordergate.model.records import ScopeKind
from ordergate.model.verdicts import Finding
from ordergate.order.policy.rules.control import (
    Control,
    cents_down,
    cents_up,
    counted,
    fraction,
    fraction_left,
    lots_that_fit,
    money,
    percent,
)
from support.manual_market import STANDARD

EURUSD = STANDARD[0]
HALTING = Control(rule="r", number="C1", limit_name="limits.x", unit="lots", halts=ScopeKind.SYMBOL)


def test_only_a_broken_limit_carries_code_fix_and_halt() -> None:
    asked: list[str] = []

    def fix() -> str:
        asked.append("fix")
        return "less"

    kept = HALTING.measured(
        value=Decimal(1), limit=Decimal(2), room=Decimal(2), broken=False, message="m", fix=fix
    )
    assert (kept.finding, kept.code, kept.fix, kept.halts) == (Finding.PASS, None, "", None)
    assert asked == []
    broken = HALTING.measured(
        value=Decimal(3), limit=Decimal(2), room=Decimal(-1), broken=True, message="m", fix=fix
    )
    assert (broken.finding, broken.code) == (Finding.REFUSE, Code.EXCEEDS_LOCAL_LIMIT)
    assert (broken.fix, broken.halts, broken.headroom) == ("less", ScopeKind.SYMBOL, 0)


def test_one_more_against_a_cap() -> None:
    at = counted(
        HALTING, used=4, limit=Decimal(5), what="w", fix="f", code=Code.EXCEEDS_LOCAL_LIMIT
    )
    over = counted(
        HALTING, used=5, limit=Decimal(5), what="w", fix="f", code=Code.EXCEEDS_LOCAL_LIMIT
    )
    assert (at.finding, at.value, at.headroom) == (Finding.PASS, 5, 1)
    assert (over.finding, over.value, over.headroom) == (Finding.REFUSE, 6, 0)


def test_use_is_rounded_up_and_what_is_left_down() -> None:
    assert cents_up(Decimal("1.001")) == Decimal("1.01")
    assert cents_down(Decimal("1.009")) == Decimal("1.00")
    assert fraction(Decimal("0.0000001")) == Decimal("0.000001")
    assert fraction_left(Decimal("0.0000019")) == Decimal("0.000001")
    assert money(Decimal("10851"), "USD") == "10,851.00 USD"
    assert percent(Decimal("0.005")) == "0.5 %"


@pytest.mark.parametrize(
    ("room", "says"),
    [
        ("1250", "at most 0.12 lots fit under this limit now"),
        ("100", "at most 0.01 lots fit under this limit now"),
        ("99.99", "not even the smallest size fits under this limit now"),
        ("-5", "not even the smallest size fits under this limit now"),
    ],
)
def test_lots_that_fit(room: str, says: str) -> None:
    text = lots_that_fit(Decimal(room), per_lot=Decimal(10_000), instrument=EURUSD)
    assert text == says


def test_where_a_lot_costs_nothing_that_is_known_no_size_is_promised() -> None:
    text = lots_that_fit(Decimal(100), per_lot=Decimal(0), instrument=EURUSD)
    assert text == "not even the smallest size fits under this limit now"
