"""Numbers of closed bars as text, and whether there are bars enough for them."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ordergate.model.errors import DataUnavailable
from ordergate.model.hours import bar_window
from ordergate.model.values import plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ordergate.model.series import Series

DIGITS: Final = 8  # significant; more than a price needs and fewer than a float pretends to


def enough(series: Series, required: int, *, notes: Sequence[str] = ()) -> None:
    """Raise DataUnavailable where the history is too short for a number that can be trusted.

    `notes` say why it begins where it does.
    """
    if len(series) >= required:
        return
    raise DataUnavailable(
        f"insufficient_history: {len(series)} closed {series.timeframe} bars, {required} needed",
        fix=f"Use a lower timeframe or shorter periods. {'; '.join(notes)}".rstrip(),
        details={
            "source": "insufficient_history",
            "bars": len(series),
            "required_history": required,
        },
    )


def end_of(series: Series) -> datetime:
    from ordergate.market.features.sessions import moment

    return bar_window(series.timeframe, moment(int(series.time[-1]))).closes


def number(value: float | None) -> str | None:
    """Write a number in plain digits, 8 significant; None for none."""
    if value is None or not math.isfinite(value):
        return None
    return plain(Decimal(f"{value:.{DIGITS}g}"))


def share(value: float | None) -> str | None:
    """Write a share, a score or a ratio with three decimals."""
    return None if value is None or not math.isfinite(value) else plain(Decimal(f"{value:.3f}"))
