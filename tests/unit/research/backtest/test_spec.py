from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ordergate.model.values import Symbol
from ordergate.research.backtest.spec import (
    Account,
    BadSpec,
    CostSpec,
    Filling,
    SizeBy,
    Sizing,
    checked,
)
from support.backtests import spec

MOMENT = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "changes",
    [
        {"symbols": ()},
        {"symbols": (Symbol("EURUSD"), Symbol("EURUSD"))},
        {"begin": MOMENT, "end": MOMENT},
        {"delay_bars": -1},
        {"delay_ms": 10**12},
        {"sizing": Sizing(by=SizeBy.RISK, amount=Decimal(101))},
        {"sizing": Sizing(amount=Decimal(0))},
        {"sizing": Sizing(amount=Decimal("NaN"))},
        {"account": Account(balance=Decimal(0))},
        {"account": Account(money_digits=9)},
        {"account": Account(leverage=100_000)},
        {"costs": CostSpec(slippage_points=Decimal(-1))},
        {"costs": CostSpec(spread_points=Decimal("Infinity"))},
        {"costs": CostSpec(swap_weights=(1, 1, 1, 1, 1, 1))},
        {"filling": Filling(per_symbol=0)},
        {"filling": Filling(fill_share=Decimal(0))},
    ],
)
def test_what_no_bars_could_make_good_is_refused_with_the_fix(changes: dict[str, Any]) -> None:
    with pytest.raises(BadSpec) as caught:
        checked(spec(**changes))
    assert caught.value.code == "INVALID_ARGUMENT"
    assert caught.value.fix


def test_a_spec_in_order_is_returned() -> None:
    assert checked(spec()) == spec()
