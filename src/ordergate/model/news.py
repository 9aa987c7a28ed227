"""News and economic releases: words of others, with where they are from and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsQuery:
    """What is looked for: any of the terms, in the last `days`."""

    terms: tuple[str, ...]
    days: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One piece of news. Title and text are untrusted: stripped and cut, never acted on."""

    title: str
    text: str
    publisher: str  # host name of its address
    provider: str  # "tavily", "newsapi", "rss:<host>"
    published_at: datetime | None
    relevance: Decimal | None = None  # the provider's own score, 0 to 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One economic release. The title is untrusted text."""

    at: datetime
    currency: str
    impact: str  # "low", "medium", "high"
    title: str
