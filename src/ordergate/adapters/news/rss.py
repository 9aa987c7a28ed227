"""News by RSS and Atom feeds that the operator chose: no key, and no search but our own."""

from __future__ import annotations

import asyncio
import re
from calendar import timegm
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ordergate.adapters.news.asking import DEADLINE_S, ask, host_of
from ordergate.adapters.reach import Reach
from ordergate.model.errors import DataUnavailable
from ordergate.model.foreign_text import TITLE_MAX, stripped
from ordergate.model.news import Article, NewsQuery
from ordergate.ports.system import Clock

ENTRIES_MAX: Final = 500


class Rss:
    """Implements ports.news.NewsSource over one feed."""

    def __init__(self, url: str, *, clock: Clock, allow_loopback: bool = False) -> None:
        self._url = url
        self._clock = clock
        self._reach = Reach(allow_loopback=allow_loopback, deadline_s=DEADLINE_S)

    @property
    def name(self) -> str:
        return f"rss:{host_of(self._url)}"

    async def search(self, query: NewsQuery) -> Sequence[Article]:
        body = await ask(self._reach, "GET", self._url)
        articles = await asyncio.to_thread(_read, body, self.name)
        since = self._clock.now() - timedelta(days=query.days)
        wanted = _any_of(query.terms)
        return [
            one
            for one in articles
            if (one.published_at is None or one.published_at >= since)
            and wanted.search(f"{one.title} {one.text}")
        ][: query.limit]


def _read(body: bytes, provider: str) -> list[Article]:
    # Imported here: a tenth of a second, and only who reads feeds needs it.
    import feedparser

    read = feedparser.parse(body)  # bytes: it never takes them for an address or a file
    if not read.entries and (read.bozo or not read.version):
        raise DataUnavailable("it is no feed")
    return [_article(entry, provider) for entry in read.entries[:ENTRIES_MAX]]


def _article(entry: Any, provider: str) -> Article:
    at = entry.get("published_parsed") or entry.get("updated_parsed")
    return Article(
        title=stripped(str(entry.get("title", "")), most=TITLE_MAX),
        text=stripped(str(entry.get("summary", ""))),
        publisher=host_of(str(entry.get("link", ""))),
        provider=provider,
        published_at=_moment(at),
    )


def _moment(at: Any) -> datetime | None:
    try:
        return None if at is None else datetime.fromtimestamp(timegm(at), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _any_of(terms: Sequence[str]) -> re.Pattern[str]:
    """Return what finds any of the terms as whole words, or all of them where there is none."""
    return re.compile("|".join(rf"\b{re.escape(term)}\b" for term in terms), re.IGNORECASE)
