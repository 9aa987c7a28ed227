"""What an analysis stands on: the running feed, or bars that were imported. Never both at once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from ordergate.model.errors import DataUnavailable, InvalidArgument
from ordergate.model.hours import session_window
from ordergate.model.market import PriceBasis, Quality, SessionState
from ordergate.surfaces.catalogue.fields import read_time
from ordergate.surfaces.catalogue.history import end_of
from ordergate.surfaces.catalogue.market import age_text, offered, quote_item
from ordergate.surfaces.catalogue.rendering import time_text
from ordergate.surfaces.catalogue.stored_ground import StoredGround

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from decimal import Decimal

    from ordergate.market.scan.scan import Fetched
    from ordergate.model.market import Bar, Timeframe
    from ordergate.model.series import Series
    from ordergate.model.values import Symbol
    from ordergate.surfaces.catalogue.analysis_requests import Grounded
    from ordergate.surfaces.catalogue.past import Past
    from ordergate.surfaces.catalogue.results import QuoteItem
    from ordergate.surfaces.catalogue.services import Services, SignalFloors
    from ordergate.surfaces.catalogue.workbench import Workbench

LATE_BARS: Final = 2  # in an open session a bar closes at least once in so many bars' time
LIVE: Final = "live"


class Ground(Protocol):
    """Closed bars and what is known beside them; made for one question."""

    @property
    def bench(self) -> Workbench: ...

    @property
    def floors(self) -> SignalFloors: ...

    async def symbol(self, name: str) -> Symbol:
        """Return the symbol of a name; raise SymbolNotFound where the feed has none."""
        ...

    async def symbols(self) -> Sequence[Symbol]:
        """Return every symbol there is."""
        ...

    async def closed(
        self,
        symbol: Symbol,
        timeframe: Timeframe,
        *,
        limit: int,
        before: datetime | None = None,
        running: bool = False,
        known_at: datetime | None = None,
    ) -> Series:
        """Return at most `limit` closed bars; raise DataUnavailable where there are none.

        `before`: bars that start before. `running`: with the bar that still runs, which `complete`
        then tells. `known_at`: bars that had closed by then, no other.
        """
        ...

    def together(self, fetched: Fetched) -> Fetched:
        """Return what may be told of in one breath; what may not is a failure."""
        ...

    def end(self, series: Series) -> datetime:
        """Return when the last bar ends."""
        ...

    def dated(self, series: Series) -> dict[str, Any]:
        """Return where a series comes from, the end of its last bar, and its true age."""
        ...

    def overall(self, found: Sequence[Series]) -> dict[str, Any]:
        """Return source, synthetic and as_of of an answer about several series."""
        ...

    def spread(self, symbol: Symbol) -> float | None:
        """Return the spread that belongs to the last bars; None where it is not known."""
        ...

    def held(self, symbol: Symbol, series: Series) -> list[str]:
        """Return why nothing should be opened now whatever a signal says; [] for no reason."""
        ...

    def quote(self, symbol: Symbol) -> QuoteItem | None:
        """Return the price of now; None where this ground has none."""
        ...

    def tick(self, symbol: Symbol) -> Decimal | None:
        """Return the smallest step of the price; None where it is not known."""
        ...

    def notes(self) -> list[str]:
        """Return what a reader must know of the bars that were used."""
        ...


def ground_of(services: Services, request: Grounded) -> Ground:
    """Return the ground a request names; raise InvalidArgument for a moment it cannot have."""
    if request.source == LIVE:
        if request.as_of is not None:
            raise InvalidArgument(
                "as_of looks back, and the feed is now", fix='Send source "store", too.'
            )
        return FeedGround(services)
    return stored_ground(services, request)


def stored_ground(services: Past, request: Grounded) -> StoredGround:
    """Return the store as a ground."""
    return StoredGround(
        services,
        venue=request.source.partition(":")[2] or None,
        as_of=None if request.as_of is None else read_time(request.as_of),
    )


class FeedGround:
    """The feed of the running gateway."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._market = services.market
        self.bench = services.bench
        self.floors = services.floors

    async def symbol(self, name: str) -> Symbol:
        return (await offered(self._services, name)).symbol

    async def symbols(self) -> Sequence[Symbol]:
        return [item.symbol for item in self._market.instruments()]

    async def closed(
        self,
        symbol: Symbol,
        timeframe: Timeframe,
        *,
        limit: int,
        before: datetime | None = None,
        running: bool = False,
        known_at: datetime | None = None,
    ) -> Series:
        wanted = limit + 1 + (known_at is not None)
        found = await self._market.bars(symbol, timeframe, limit=wanted, before=before)
        # numpy is not loaded before the first analysis, and never on the loop that carries orders.
        series = await self.bench.run(
            _closed, found, self._market.source, wanted - 1, running=running
        )
        return series if known_at is None else await self.bench.run(_known, series, known_at)

    def together(self, fetched: Fetched) -> Fetched:
        return fetched

    def end(self, series: Series) -> datetime:
        return end_of(series)

    def dated(self, series: Series) -> dict[str, Any]:
        now = self._market.venue_now()
        ended = min(end_of(series), now)
        return {
            "source": series.source,
            "synthetic": self._market.synthetic,
            "as_of": time_text(ended),
            "age_s": age_text(now, ended),
        }

    def overall(self, found: Sequence[Series]) -> dict[str, Any]:
        return {
            "source": self._market.source,
            "synthetic": self._market.synthetic,
            "as_of": time_text(self._market.venue_now()),
        }

    def spread(self, symbol: Symbol) -> float | None:
        """Return the spread of a quote that may be believed; None where trades alone are known."""
        quote = self._market.quote(symbol)
        if quote is None or quote.basis is PriceBasis.TRADE:
            return None
        good = self._market.quality(symbol).verdict is Quality.OK
        return float(quote.spread) if good else None

    def held(self, symbol: Symbol, series: Series) -> list[str]:
        found = []
        session = self._market.session(symbol)
        if session.state is not SessionState.OPEN:
            found.append(f"the session is {session.state.value}: {session.reason}")
        quality = self._market.quality(symbol)
        if quality.verdict is not Quality.OK:
            found.append(f"the quote is {quality.verdict.value}")
        late = self._late(symbol, series)
        if session.state is SessionState.OPEN and late > LATE_BARS * series.timeframe.length:
            found.append(f"the newest closed bar is {late} late")
        return found

    def quote(self, symbol: Symbol) -> QuoteItem | None:
        return quote_item(self._market, symbol)

    def tick(self, symbol: Symbol) -> Decimal | None:
        spec = self._market.instrument(symbol)
        return None if spec is None else spec.tick_size

    def notes(self) -> list[str]:
        return []

    def _late(self, symbol: Symbol, series: Series) -> timedelta:
        """Return how long no bar has closed; a night or a weekend does not count."""
        now, spec = self._market.venue_now(), self._market.instrument(symbol)
        window = None if spec is None else session_window(spec.calendar, now)
        ended = end_of(series)
        return now - (ended if window is None else max(ended, window.opens))


def _closed(bars: tuple[Bar, ...], source: str, limit: int, *, running: bool) -> Series:
    from ordergate.market.features.frame import series_of

    whole = [bar for bar in bars if bar.complete or running]
    if not whole:
        raise DataUnavailable("there are no closed bars there", fix="Try another timeframe.")
    return series_of(whole[-limit:], source)


def _known(series: Series, at: datetime) -> Series:
    from ordergate.market.features.frame import cut
    from ordergate.market.features.higher import close_times
    from ordergate.market.features.sessions import nanoseconds

    whole = int((close_times(series) <= nanoseconds(at)).sum())
    return cut(series, whole)
