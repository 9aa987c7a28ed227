"""Ask the news sources that the settings name, all at once, and say which did not answer."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ordergate.model.errors import DataUnavailable, RateLimited
from ordergate.model.news import Article, NewsQuery, Release
from ordergate.ports.news import NewsSource, ReleaseSource
from ordergate.ports.system import Clock

KEPT_S: Final = 120.0  # an answer is given again within it, with its true age
KEPT_MAX: Final = 64
ASKED_A_MINUTE_MAX: Final = 30  # questions that go out; what is kept costs none
DEADLINE_S: Final = 9.0
FIX: Final = (
    "The operator sets news.rss, or ORDERGATE_NEWS__TAVILY_KEY in the config directory's .env."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the sources said, newest first, and which of them said nothing for what reason."""

    articles: tuple[Article, ...]
    asked_at: datetime
    answered: tuple[str, ...]
    problems: tuple[tuple[str, str], ...]  # source, reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Where releases come from, and how far their windows reach."""

    source: ReleaseSource
    before: timedelta
    after: timedelta


class News:
    """Answers questions about the news. Nothing of an answer is ever an input of policy."""

    def __init__(
        self, *, sources: Sequence[NewsSource], calendar: Calendar | None, clock: Clock
    ) -> None:
        self.calendar: Final = calendar
        self._sources = tuple(sources)
        self._clock = clock
        self._kept: OrderedDict[NewsQuery, tuple[float, Found]] = OrderedDict()
        self._asked: deque[float] = deque(maxlen=ASKED_A_MINUTE_MAX)

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
