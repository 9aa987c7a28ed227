"""A picture of the equity and its drawdown, for a chat: PNG, small, without a display.

matplotlib comes with the extra `research` and is loaded here alone; its object interface keeps no
state between two pictures.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import numpy

from ordergate.model.errors import NotSupported
from ordergate.research.report.curves import drawdowns, thinned

if TYPE_CHECKING:
    from ordergate.research.backtest.outcome import Outcome

BYTES_MAX: Final = 150_000
DOTS: Final = (110, 80, 55)  # per inch, tried from the finest
INCHES: Final = (8.0, 5.0)


def equity_png(outcome: Outcome, title: str) -> bytes:
    """Return the picture; raise NotSupported without matplotlib."""
    figure = _drawn(outcome, title)
    for dots in DOTS:
        out = io.BytesIO()
        figure.savefig(out, format="png", dpi=dots, metadata={"Software": None})
        if out.tell() <= BYTES_MAX:
            break
    return out.getvalue()


def _drawn(outcome: Outcome, title: str) -> Any:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise NotSupported(
            "pictures need matplotlib, which is not installed",
            fix="pip install 'ordergate[research]'; the HTML report needs nothing.",
        ) from None
    equity = outcome.equity.astype(numpy.float64) / outcome.money_scale
    start = outcome.start / outcome.money_scale
    figure = Figure(figsize=INCHES, layout="constrained")
    FigureCanvasAgg(figure)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    for axes, values, word in (
        (upper, equity, "equity"),
        (lower, drawdowns(equity, start) * 100, "drawdown %"),
    ):
        at, kept = thinned(outcome.time, values)
        stamps = at.astype("datetime64[ns]")
        axes.plot(stamps, kept, linewidth=0.9, color="#1f4e79")
        axes.set_ylabel(word)
        axes.grid(visible=True, linewidth=0.3)
    upper.axhline(start, linewidth=0.6, color="#777777")
    upper.set_title(title[:100], fontsize=10, parse_math=False)
    return figure
