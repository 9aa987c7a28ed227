from __future__ import annotations

from decimal import Decimal

from ordergate.model.values import PrincipalId
from ordergate.order.journal.crediting import shares

A, B = PrincipalId("a"), PrincipalId("b")


def test_a_result_is_split_by_what_each_opened() -> None:
    assert shares([(A, Decimal(1)), (B, Decimal(3))], of=Decimal(-40)) == [
        (A, Decimal(-10)),
        (B, Decimal(-30)),
    ]
    assert shares([], of=Decimal(5)) == []


def test_without_sizes_each_bears_an_equal_part() -> None:
    assert shares([(A, Decimal(0)), (B, Decimal(0))], of=Decimal(8)) == [
        (A, Decimal(4)),
        (B, Decimal(4)),
    ]
