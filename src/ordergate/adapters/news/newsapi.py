"""News by a service that speaks NewsAPI's dialect.

Contract: GET /v2/everything with X-Api-Key; q, from, language, sortBy, pageSize; {"status": "ok",
"articles": [{source: {id, name}, title, description, url, publishedAt, content}]}.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from ordergate.adapters.news.asking import DEADLINE_S, ask, host_of, moment, rows, words
from ordergate.adapters.reach import Reach
from ordergate.model.foreign_text import TITLE_MAX, stripped
from ordergate.model.news import Article, NewsQuery
from ordergate.ports.system import Clock

PAGE_MAX: Final = 100
QUERY_MAX: Final = 500


class NewsApi:
    """Implements ports.news.NewsSource."""

    def __init__(self, *, url: str, key: str, clock: Clock, allow_loopback: bool = False) -> None:
        self._url = url.rstrip("/") + "/v2/everything"
        self._key = key
        self._clock = clock
        self._reach = Reach(allow_loopback=allow_loopback, deadline_s=DEADLINE_S)

    @property
    def name(self) -> str:
        return "newsapi"

    async def search(self, query: NewsQuery) -> Sequence[Article]:
        since = self._clock.now() - timedelta(days=query.days)
        asked = {
            "q": " OR ".join(map(_phrase, query.terms))[:QUERY_MAX],
            "from": since.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "language": "en",
            "sortBy": "publishedAt",
            "pageSize": str(min(query.limit, PAGE_MAX)),
        }
        body = await ask(
            self._reach, "GET", f"{self._url}?{urlencode(asked)}", headers={"x-api-key": self._key}
        )
        return [_article(row) for row in rows(body, "articles")[: query.limit]]


def _phrase(term: str) -> str:
    return '"' + term.replace('"', " ") + '"'


def _article(row: dict[str, Any]) -> Article:
    return Article(
        title=stripped(words(row, "title"), most=TITLE_MAX),
        text=stripped(words(row, "description") or words(row, "content")),
        publisher=host_of(words(row, "url")),
        provider="newsapi",
        published_at=moment(words(row, "publishedAt")),
    )
