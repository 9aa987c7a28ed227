"""News by Tavily's search, over plain HTTP: no key, no question.

Contract: POST /search with a Bearer key; query, topic, search_depth, max_results, start_date,
end_date; `results` of title, url, content, score (relevance, 0 to 1) and, for news, published_date.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from ordergate.adapters.news.asking import DEADLINE_S, ask, host_of, moment, rows, words
from ordergate.adapters.reach import Reach
from ordergate.model.foreign_text import TITLE_MAX, stripped
from ordergate.model.news import Article, NewsQuery
from ordergate.ports.system import Clock

RESULTS_MAX: Final = 20
QUERY_MAX: Final = 400  # characters Tavily takes


class Tavily:
    """Implements ports.news.NewsSource."""

    def __init__(self, *, url: str, key: str, clock: Clock, allow_loopback: bool = False) -> None:
        self._url = url.rstrip("/") + "/search"
        self._key = key
        self._clock = clock
        self._reach = Reach(allow_loopback=allow_loopback, deadline_s=DEADLINE_S)

    @property
    def name(self) -> str:
        return "tavily"

    async def search(self, query: NewsQuery) -> Sequence[Article]:
        today = self._clock.now().date()
        asked = {
            "query": " ".join(query.terms)[:QUERY_MAX],
            "topic": "news",
            "search_depth": "basic",
            "max_results": min(query.limit, RESULTS_MAX),
            "start_date": (today - timedelta(days=query.days)).isoformat(),
            "end_date": (today + timedelta(days=1)).isoformat(),
            "include_answer": False,
            "include_raw_content": False,
            "include_images": False,
        }
        body = await ask(
            self._reach,
            "POST",
            self._url,
            body=json.dumps(asked).encode(),
            headers={"authorization": f"Bearer {self._key}", "content-type": "application/json"},
        )
        return [_article(row) for row in rows(body, "results")[: query.limit]]


def _article(row: dict[str, Any]) -> Article:
    return Article(
        title=stripped(words(row, "title"), most=TITLE_MAX),
        text=stripped(words(row, "content")),
        publisher=host_of(words(row, "url")),
        provider="tavily",
        published_at=moment(words(row, "published_date")),
        relevance=_relevance(row.get("score")),
    )


def _relevance(score: object) -> Decimal | None:
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
        return None
    return Decimal(str(round(score, 4)))
