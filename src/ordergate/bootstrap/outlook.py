"""What looks at the market beside the order line: price alerts and watchlists, news."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from ordergate.adapters.news.calendar import CalendarFile, CalendarUrl
from ordergate.adapters.news.newsapi import NewsApi
from ordergate.adapters.news.rss import Rss
from ordergate.adapters.news.tavily import Tavily
from ordergate.audit.seal import Seal
from ordergate.market.alerts.watch import Watch
from ordergate.market.feed.subscribe import Market
from ordergate.market.news.fetch import Calendar, News
from ordergate.model.views import Change
from ordergate.ports.news import NewsSource, ReleaseSource
from ordergate.ports.price_alerts import WatchStore
from ordergate.ports.system import Clock, Ids
from ordergate.settings.outside import News as NewsSettings

CALENDAR_FILE_S: Final = 15.0
CALENDAR_URL_S: Final = 900.0  # published calendars forbid more


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    watch: Watch
    news: News


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the outlook stands on: the books, the seal, the clock, and who is told."""

    store: WatchStore
    seal: Seal
    clock: Clock
    ids: Ids
    publish: Callable[[Change], None]


def news_of(settings: NewsSettings, clock: Clock) -> News:
    """Return what reads the sources of news and the calendar that the settings name."""
    return News(sources=_sources(settings, clock), calendar=_calendar(settings), clock=clock)


def outlook(news: News, market: Market, on: Standing) -> Outlook:
    return Outlook(
        watch=Watch(
            store=on.store,
            seal=on.seal,
            market=market,
            clock=on.clock,
            ids=on.ids,
            publish=on.publish,
        ),
        news=news,
    )


def _sources(settings: NewsSettings, clock: Clock) -> list[NewsSource]:
    """Return the sources that the settings name; without a key a service is not there at all."""
    local = settings.allow_loopback
    found: list[NewsSource] = []
    for key, url, kind in (
        (settings.tavily_key, settings.tavily_url, Tavily),
        (settings.newsapi_key, settings.newsapi_url, NewsApi),
    ):
        if key is not None:
            secret = key.get_secret_value()
            found.append(kind(url=url, key=secret, clock=clock, allow_loopback=local))
    return [*found, *(Rss(url, clock=clock, allow_loopback=local) for url in settings.rss)]


def _calendar(settings: NewsSettings) -> Calendar | None:
    source: ReleaseSource
    every_s = CALENDAR_URL_S
    if settings.calendar_path is not None:
        source, every_s = CalendarFile(settings.calendar_path), CALENDAR_FILE_S
    elif settings.calendar_url is not None:
        source = CalendarUrl(settings.calendar_url, allow_loopback=settings.allow_loopback)
    else:
        return None
    return Calendar(
        source=source,
        before=timedelta(seconds=settings.window_before_s),
        after=timedelta(seconds=settings.window_after_s),
        every_s=every_s,
    )
