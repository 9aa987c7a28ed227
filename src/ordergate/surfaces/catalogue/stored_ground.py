"""Imported bars as the ground of an analysis: a look back, dated as such, never a price of now."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from ordergate.model.errors import Code, DataUnavailable, InvalidArgument
from ordergate.model.values import Symbol
from ordergate.surfaces.catalogue.past import notes_of
from ordergate.surfaces.catalogue.rendering import seconds, time_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordergate.market.bars.library.page import Past as Read
    from ordergate.market.scan.scan import Fetched
    from ordergate.model.market import Timeframe
    from ordergate.model.series import Series
    from ordergate.surfaces.catalogue.past import Past

SYMBOLS_MAX: Final = 100
NOTES_MAX: Final = 12
BEHIND: Final = timedelta(days=10)  # no market rests so long: older than that, a history has ended
LOOKS_BACK: Final = "imported bars: a look back, never a price to trade on"


class StoredGround:
    """The bars of the store as they were known at `as_of`; without one, each to its newest bar."""

    def __init__(self, of: Past, *, venue: str | None, as_of: datetime | None) -> None:
        now = of.clock.now()
        if as_of is not None and as_of > now:
            raise InvalidArgument("as_of is in the future", fix="Leave it out, or look back.")
        self.bench = of.bench
        self.floors = of.floors
        self._library = of.stored
        self._now = now
        self._venue = venue
        self._as_of = as_of
        self._past: dict[tuple[Symbol, Timeframe], Read] = {}

    async def symbol(self, name: str) -> Symbol:
        return Symbol(name.upper())

    async def symbols(self) -> Sequence[Symbol]:
        held = await self._library.holdings()
        found = sorted({one.key.symbol for one in held if self._venue in (None, one.key.venue)})
        if not found:
            raise DataUnavailable("nothing is stored there", fix="`ordergate data import` adds it.")
        if len(found) > SYMBOLS_MAX:
            raise InvalidArgument(
                f"{len(found)} symbols are stored, at most {SYMBOLS_MAX} at once", fix="Name them."
            )
        return found

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
        from ordergate.market.bars.library.page import past

        moments = [one for one in (self._as_of, known_at) if one is not None]
        by = min(moments, default=None)
        begin = min((one for one in (before, by) if one is not None), default=None)
        page = await self._library.bars(
            symbol, timeframe, venue=self._venue, limit=limit + 2, before=begin
        )
        found = await self.bench.run(past, page, limit=limit, known_at=by, running=running)
        if not len(found.series):
            raise DataUnavailable("there are no closed bars there", fix="Try a later as_of.")
        if self._as_of is not None and self._as_of - found.ends > BEHIND + timeframe.length:
            raise DataUnavailable(
                f"its bars ended {found.ends:%Y-%m-%d %H:%M}Z,"
                f" {(self._as_of - found.ends).days} days before as_of",
                fix="Look back to a time they reach.",
            )
        self._past[symbol, timeframe] = found
        return found.series

    def together(self, fetched: Fetched) -> Fetched:
        """Keep the timeframes of a symbol that end at about one time; the others are failures."""
        from ordergate.market.scan.scan import Failure, Fetched

        newest: dict[Symbol, datetime] = {}
        for symbol, timeframe in fetched.series:
            ends = self._past[symbol, timeframe].ends
            newest[symbol] = max(ends, newest.get(symbol, ends))
        failures = list(fetched.failures)
        kept = {}
        for (symbol, timeframe), series in fetched.series.items():
            ends = self._past[symbol, timeframe].ends
            behind = newest[symbol] - ends
            if behind <= BEHIND + timeframe.length:
                kept[symbol, timeframe] = series
                continue
            del self._past[symbol, timeframe]
            message = (
                f"its bars ended {ends:%Y-%m-%d %H:%M}Z, {behind.days} days before those of"
                " another timeframe; as_of looks back to then"
            )
            failures.append(Failure(symbol, timeframe, Code.DATA_UNAVAILABLE.value, message))
        return Fetched(kept, tuple(failures))

    def end(self, series: Series) -> datetime:
        return self._of(series).ends

    def dated(self, series: Series) -> dict[str, Any]:
        ended = min(self.end(series), self._now)
        age = Decimal(str((self._now - ended).total_seconds()))
        return {
            "source": f"store:{series.source}",
            "synthetic": False,
            "as_of": time_text(ended),
            "age_s": seconds(max(Decimal(0), age)),
        }

    def overall(self, found: Sequence[Series]) -> dict[str, Any]:
        ends = max(min(self.end(series), self._now) for series in found)
        name = "store" if self._venue is None else f"store:{self._venue}"
        return {"source": name, "synthetic": False, "as_of": time_text(ends)}

    def spread(self, symbol: Symbol) -> float | None:
        """Return the spread at the last close of the shortest timeframe that was read."""
        known = [(one, past) for (name, one), past in self._past.items() if name == symbol]
        shortest = min(known, key=lambda pair: pair[0].length, default=None)
        return None if shortest is None else shortest[1].spread

    def held(self, symbol: Symbol, series: Series) -> list[str]:
        days = (self._now - self.end(series)).days
        return [f"{LOOKS_BACK}; the newest of them ended {days} days ago"]

    def quote(self, symbol: Symbol) -> None:
        return None

    def tick(self, symbol: Symbol) -> Decimal | None:
        return None

    def notes(self) -> list[str]:
        said: dict[str, list[str]] = {}
        for (symbol, timeframe), past in self._past.items():
            notes = notes_of(past.page, timeframe)
            if past.hole is not None:
                notes.append(f"older bars lie before {past.hole.days} days without any: left out")
            for note in notes:
                said.setdefault(note, []).append(f"{symbol} {timeframe}")
        found = [LOOKS_BACK, *self._apart()]
        found += [f"{', '.join(whats)}: {note}" for note, whats in said.items()]
        return found[:NOTES_MAX]

    def _apart(self) -> list[str]:
        """Say where symbols end at times that are far apart: their scores are of different days."""
        newest: dict[Symbol, datetime] = {}
        for (symbol, _), past in self._past.items():
            newest[symbol] = max(past.ends, newest.get(symbol, past.ends))
        ends = sorted(newest.values())
        if not ends or ends[-1] - ends[0] <= BEHIND:
            return []
        span = f"{ends[0]:%Y-%m-%d} to {ends[-1]:%Y-%m-%d}"
        return [f"the symbols end at different times, {span}; as_of compares them at one"]

    def _of(self, series: Series) -> Read:
        return self._past[series.symbol, series.timeframe]
