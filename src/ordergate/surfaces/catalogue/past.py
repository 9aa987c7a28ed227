"""Bars that were imported, as an answer of get_bars."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Protocol

from ordergate.model.market import PriceBasis, Timeframe
from ordergate.model.values import plain
from ordergate.surfaces.catalogue import requests
from ordergate.surfaces.catalogue.fields import read_time
from ordergate.surfaces.catalogue.rendering import seconds, time_text
from ordergate.surfaces.catalogue.results import BarsResult

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ordergate.market.bars.library.fetch import Library
    from ordergate.market.bars.library.page import Page
    from ordergate.surfaces.catalogue.services import SignalFloors, WallClock
    from ordergate.surfaces.catalogue.workbench import Workbench

BASIS: Final = {PriceBasis.BID_ASK: "bid", PriceBasis.TRADE: "trade"}
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Past(Protocol):
    """What a look back needs: it is there without a gateway, too."""

    @property
    def stored(self) -> Library: ...

    @property
    def clock(self) -> WallClock: ...

    @property
    def bench(self) -> Workbench: ...

    @property
    def floors(self) -> SignalFloors: ...


async def stored_bars(services: Past, request: requests.Bars) -> BarsResult:
    """Answer from the store; the symbol need not be one of the venue's."""
    timeframe = Timeframe(request.timeframe)
    page = await services.stored.bars(
        request.symbol,
        timeframe,
        venue=request.source.partition(":")[2] or None,
        limit=request.limit,
        before=None if request.before is None else read_time(request.before),
    )
    series = page.series
    starts = [EPOCH + timedelta(microseconds=int(at) // 1000) for at in series.time]
    now = services.clock.now()
    as_of = min(now, starts[-1] + timeframe.length)
    return BarsResult(
        symbol=series.symbol,
        timeframe=timeframe.value,
        time=[f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in starts],
        open=_texts(series.open),
        high=_texts(series.high),
        low=_texts(series.low),
        close=_texts(series.close),
        volume=[None if math.isnan(number) else _text(number) for number in series.volume],
        last_complete=series.complete,
        next_before=f"{starts[0]:%Y-%m-%dT%H:%M:%SZ}" if page.full else None,
        basis=BASIS[page.holding.basis],
        note="; ".join(notes_of(page, timeframe)) or None,
        source=f"store:{series.source}",
        synthetic=False,
        as_of=time_text(as_of),
        age_s=seconds(max(Decimal(0), Decimal(str((now - as_of).total_seconds())))),
    )


def notes_of(page: Page, timeframe: Timeframe) -> list[str]:
    """Return what a reader must know of bars that were not stored as they are shown."""
    words = []
    if page.holding.key.timeframe is not timeframe:
        words.append(f"made of {page.holding.key.timeframe}")
    if page.cut is not None:
        kind = f"an unadjusted {page.cut.split} split" if page.cut.split else "a jump of the scale"
        words.append(f"older bars are on another scale: {kind} before the first bar here")
    return words


def _texts(numbers: Iterable[float]) -> list[str]:
    return [_text(number) for number in numbers]


def _text(number: float) -> str:
    """Write a stored number as its file had it: 15 digits hold every price and no float's dust."""
    return plain(Decimal(f"{number:.15g}"))
