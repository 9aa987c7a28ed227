"""Ask the news sources that the settings name, all at once, and say which did not answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import structlog

from ordergate.market.news.releases import Schedule
from ordergate.model.errors import DataUnavailable, RateLimited
from ordergate.model.instruments import Instrument
from ordergate.model.news import Article, NewsQuery, Release
from ordergate.ports.news import NewsSource, ReleaseSource
from ordergate.ports.system import Clock

KEPT_S: Final = 120.0  # an answer is given again within it, with its true age
KEPT_MAX: Final = 64
ASKED_A_MINUTE_MAX: Final = 30  # questions that go out; what is kept costs none
DEADLINE_S: Final = 9.0
SCHEDULE_KEPT_S: Final = 3_600.0  # a calendar that could not be read for so long is none
FIX: Final = (
    "The operator sets news.rss, or ORDERGATE_NEWS__TAVILY_KEY in the config directory's .env."
)

_log = structlog.get_logger("ordergate.news")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the sources said, newest first, and which of them said nothing for what reason."""

    articles: tuple[Article, ...]
    asked_at: datetime
    answered: tuple[str, ...]
    problems: tuple[tuple[str, str], ...]  # source, reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Where releases come from, how far their windows reach, and how often it is read anew."""

    source: ReleaseSource
    before: timedelta
    after: timedelta
    every_s: float = 900.0


class News:
    """Answers questions about the news. No article is ever an input of policy; releases are one."""

    def __init__(
        self, *, sources: Sequence[NewsSource], calendar: Calendar | None, clock: Clock
    ) -> None:
        self.calendar: Final = calendar
        self._sources = tuple(sources)
        self._clock = clock
        self._kept: OrderedDict[NewsQuery, tuple[float, Found]] = OrderedDict()
        self._asked: deque[float] = deque(maxlen=ASKED_A_MINUTE_MAX)
        self._schedule: tuple[float, Schedule] | None = None

    async def search(self, query: NewsQuery) -> Found:
        """Return what the sources have; raises DataUnavailable (none there, or none answers)."""
        if not self._sources:
            raise DataUnavailable("no source of news is set up", fix=FIX)
        now_s = self._clock.monotonic()
        kept = self._kept.get(query)
        if kept is not None and now_s - kept[0] < KEPT_S:
            return kept[1]
        self._admit(now_s)
        asked_at = self._clock.now()
        said = await asyncio.gather(*(self._ask(source, query) for source in self._sources))
        told = list(zip((source.name for source in self._sources), said, strict=True))
        problems = tuple((name, one) for name, one in told if isinstance(one, str))
        if len(problems) == len(self._sources):
            raise DataUnavailable(
                f"no source of news answers: {'; '.join(f'{n}: {why}' for n, why in problems)}",
                fix="Ask again later, or ask the operator about the source.",
            )
        found = Found(
            articles=merged([one for one in said if not isinstance(one, str)], query.limit),
            asked_at=asked_at,
            answered=tuple(name for name, one in told if not isinstance(one, str)),
            problems=problems,
        )
        self._kept[query] = (now_s, found)
        self._kept.move_to_end(query)
        if len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)
        return found

    async def releases(self) -> Sequence[Release]:
        """Return the releases that are known; raises DataUnavailable."""
        if self.calendar is None:
            raise DataUnavailable(
                "no economic calendar is set up",
                fix="The operator sets news.calendar_path or news.calendar_url.",
            )
        async with asyncio.timeout(DEADLINE_S):
            return await self.calendar.source.releases()

    def release_away_s(self, spec: Instrument | None, at: datetime) -> Decimal | None:
        """Return the seconds from a venue's time to the nearest release that moves an instrument.

        From memory. None where it is not known: no calendar, none that could be read lately.
        """
        if spec is None or self._schedule is None:
            return None
        read_s, schedule = self._schedule
        if self._clock.monotonic() - read_s > SCHEDULE_KEPT_S:
            return None
        return schedule.away_s({spec.base, spec.quote_currency}, now=at)

    async def keep_schedule(self) -> None:
        """Read the calendar once; where it cannot be read, what was known grows old."""
        try:
            found = await self.releases()
        except (DataUnavailable, TimeoutError) as error:
            _log.warning("news.calendar", reason=str(error))
            return
        self._schedule = (self._clock.monotonic(), Schedule(found))

    async def run(self, stop: asyncio.Event) -> None:
        """Keep the schedule of releases until `stop` is set."""
        while not stop.is_set():
            every_s = None  # without a calendar there is nothing to keep
            if self.calendar is not None:
                await self.keep_schedule()
                every_s = self.calendar.every_s
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(every_s):
                    await stop.wait()

    async def _ask(self, source: NewsSource, query: NewsQuery) -> Sequence[Article] | str:
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await source.search(query)
        except TimeoutError:
            return f"no answer within {DEADLINE_S:.0f} s"
        except DataUnavailable as error:
            return error.message

    def _admit(self, now_s: float) -> None:
        while self._asked and now_s - self._asked[0] >= 60:
            self._asked.popleft()
        if len(self._asked) >= ASKED_A_MINUTE_MAX:
            raise RateLimited(
                f"{ASKED_A_MINUTE_MAX} questions a minute go out to news sources",
                fix="Wait a minute.",
            )
        self._asked.append(now_s)


def merged(answers: Sequence[Sequence[Article]], limit: int) -> tuple[Article, ...]:
    """Return each title once, newest first, what has no time behind what has one."""
    once: dict[str, Article] = {}
    for article in (one for answer in answers for one in answer):
        once.setdefault(article.title.casefold(), article)
    dated = [(one.published_at, one) for one in once.values() if one.published_at is not None]
    newest = [one for _, one in sorted(dated, key=lambda pair: pair[0], reverse=True)]
    undated = [one for one in once.values() if one.published_at is None]
    return tuple([*newest, *undated][:limit])
