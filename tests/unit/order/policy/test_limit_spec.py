from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ordergate.model.errors import InvalidArgument
from ordergate.order.policy.limit_spec import SYMBOLS_MAX, Stricter, parsed, shock, shown
from ordergate.order.policy.limits import spec_named


def test_a_shock_is_stricter_the_larger_it_is() -> None:
    row = shock("0.03", "something").metadata
    assert (row["stricter"], row["most"]) == (Stricter.HIGHER, "1")


@pytest.mark.parametrize("raw", [0.5, "1e3", True, None, "NaN", Decimal("NaN"), -1, "0"])
def test_what_is_no_number_of_a_limit(raw: Any) -> None:
    with pytest.raises(InvalidArgument):
        parsed(spec_named("limits.daily_loss_fraction"), raw)


def test_a_value_is_written_as_the_file_has_it() -> None:
    assert shown(Decimal("0.020")) == "0.02"
    assert shown(True) == "true"
    assert shown(("A", "B")) == '["A", "B"]'


@pytest.mark.parametrize(
    ("raw", "good"),
    [
        (["A"] * SYMBOLS_MAX, True),
        (["A"] * (SYMBOLS_MAX + 1), False),
        (["A" * 64], True),
        (["A" * 65], False),
        ([""], False),
        ([1], False),
        ("AB", False),
    ],
)
def test_a_list_of_symbols_has_bounds(raw: Any, good: bool) -> None:
    spec = spec_named("limits.symbols_allow")
    if good:
        assert parsed(spec, raw) == tuple(raw)
    else:
        with pytest.raises(InvalidArgument):
            parsed(spec, raw)
