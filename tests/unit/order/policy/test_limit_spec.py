from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ordergate.model.errors import InvalidArgument
from ordergate.order.policy.limit_spec import Stricter, parsed, shock, shown
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
