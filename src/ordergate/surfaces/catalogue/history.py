"""Closed bars for analysis, as columns, and the numbers made of them as text."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from ordergate.model.errors import DataUnavailable
from ordergate.model.hours import bar_window, session_window
from ordergate.model.market import PriceBasis, Quality, SessionState
from ordergate.model.values import plain
from ordergate.surfaces.catalogue.market import age_text
from ordergate.surfaces.catalogue.rendering import time_text

if TYPE_CHECKING:
    from ordergate.market.feed.subscribe import Market
    from ordergate.model.market import Bar, Timeframe
    from ordergate.model.series import Series
    from ordergate.model.values import Symbol
    from ordergate.surfaces.catalogue.services import Services

DIGITS: Final = 8  # significant; more than a price needs and fewer than a float pretends to
LATE_BARS: Final = 2  # in an open session a bar closes at least once in so many bars' time


async def closed_bars(
    services: Services,
    symbol: Symbol,
    timeframe: Timeframe,
    *,
    limit: int,
    before: datetime | None = None,
    running: bool = False,
) -> Series:
    """Return at most `limit` closed bars; raise DataUnavailable where there are none.

    `running`: with the bar that still runs, which `complete` then tells.
    """
    found = await services.market.bars(symbol, timeframe, limit=limit + 1, before=before)
    # numpy is not loaded before the first analysis, and never on the loop that carries orders.
    return await services.bench.run(_closed, found, services.market.source, limit, running=running)


def _closed(bars: tuple[Bar, ...], source: str, limit: int, *, running: bool) -> Series:
    from ordergate.market.features.frame import series_of

    whole = [bar for bar in bars if bar.complete or running]
    if not whole:
        raise DataUnavailable("there are no closed bars there", fix="Try another timeframe.")
    return series_of(whole[-limit:], source)


def enough(series: Series, required: int) -> None:
    """Raise DataUnavailable where the history is too short for a number that can be trusted."""
    if len(series) >= required:
        return
    raise DataUnavailable(
        f"insufficient_history: {len(series)} closed {series.timeframe} bars, {required} needed",
        fix="Use a lower timeframe or shorter periods.",
        details={
            "source": "insufficient_history",
            "bars": len(series),
            "required_history": required,
        },
    )


def dated(market: Market, series: Series) -> dict[str, Any]:
    """Return where the numbers of a series come from, and the end of its last bar with its age."""
    now = market.venue_now()
    ended = min(end_of(series), now)
    return {
        "source": series.source,
        "synthetic": market.synthetic,
        "as_of": time_text(ended),
        "age_s": age_text(now, ended),
    }


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


def no_trade(market: Market, symbol: Symbol, series: Series) -> list[str]:
    """Return why nothing should be opened now whatever a signal says; [] for no reason."""
    found = []
    session = market.session(symbol)
    if session.state is not SessionState.OPEN:
        found.append(f"the session is {session.state.value}: {session.reason}")
    quality = market.quality(symbol)
    if quality.verdict is not Quality.OK:
        found.append(f"the quote is {quality.verdict.value}")
    late = _late(market, symbol, series)
    if session.state is SessionState.OPEN and late > LATE_BARS * series.timeframe.length:
        found.append(f"the newest closed bar is {late} late")
    return found


def _late(market: Market, symbol: Symbol, series: Series) -> timedelta:
    """Return how long no bar has closed; a night or a weekend does not count."""
    now, spec = market.venue_now(), market.instrument(symbol)
    window = None if spec is None else session_window(spec.calendar, now)
    ended = end_of(series)
    return now - (ended if window is None else max(ended, window.opens))


def spread_of(market: Market, symbol: Symbol) -> float | None:
    """Return the spread of a quote that may be believed; None where trades alone are known."""
    quote = market.quote(symbol)
    if quote is None or quote.basis is PriceBasis.TRADE:
        return None
    return float(quote.spread) if market.quality(symbol).verdict is Quality.OK else None
