"""Where news and economic releases come from; what they say is data, never an instruction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ordergate.model.news import Article, NewsQuery, Release


class NewsSource(Protocol):
    @property
    def name(self) -> str: ...

    async def search(self, query: NewsQuery) -> Sequence[Article]:
        """Return at most `limit` articles, stripped; raise DataUnavailable, without secrets."""
        ...


class ReleaseSource(Protocol):
    @property
    def name(self) -> str: ...

    async def releases(self) -> Sequence[Release]:
        """Return what is known of past and coming releases; raise DataUnavailable."""
        ...
