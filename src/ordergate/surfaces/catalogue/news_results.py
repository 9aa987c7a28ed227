"""What is answered about news: words of others, labelled, and numbers made of them."""

from __future__ import annotations

from ordergate.surfaces.catalogue.fields import Result
from ordergate.surfaces.catalogue.results import UntrustedText


class ToneItem(Result):
    """-1 negative to 1 positive; null: no word of the lexicon stood in any of the articles."""

    score: str | None
    articles: int
    scored: int


class SectorTone(Result):
    sector: str
    tone: ToneItem


class ArticleItem(Result):
    title: UntrustedText
    text: UntrustedText
    provider: str
    published_at: str | None
    age_s: str | None
    sentiment: str | None
    relevance: str | None
    sectors: list[str]


class ReleaseItem(Result):
    time: str
    currency: str
    impact: str
    title: UntrustedText
    in_window: bool


class MarketResearchResult(Result):
    """`sentiment` counts words of a lexicon; `relevance` is the provider's own score.

    `no_trade_window`: a release of high impact is near, by the operator's news.window_*. The gate
    refuses openings by limits.news_blackout_s alone, where the operator has set it.
    """

    articles: list[ArticleItem]
    sentiment: ToneItem
    sectors: list[SectorTone]
    method: str
    releases: list[ReleaseItem]
    no_trade_window: bool | None
    sources: list[str]
    problems: list[str]
    as_of: str
    age_s: str
