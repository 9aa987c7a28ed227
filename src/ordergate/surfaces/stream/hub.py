"""Fan-out of changes: to listeners at once, to followers through bounded, filtered feeds."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ordergate.model.principals import Kind, Principal
from ordergate.model.views import Change

TOPICS: Final = ("quotes", "orders", "approvals", "activity", "alerts")
USUAL: Final = TOPICS[:4]  # where a follower names none
BACKLOG_MAX: Final = 256
SYMBOLS_MAX: Final = 500
FEEDS_MAX: Final = 100
RECENT_MAX: Final = 50
SEES_ALL: Final = frozenset({Kind.OPERATOR, Kind.READ_ONLY})

Listener = Callable[[Change], None]


class TooManyFeeds(Exception):
    """All places at the hub are taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a follower wants to hear. `symbols` narrows quotes; empty = all of them."""

    principal: Principal
    topics: frozenset[str]
    symbols: frozenset[str] = frozenset()

    def wants(self, change: Change) -> bool:
        if change.topic not in self.topics:
            return False
        if change.topic == "quotes":
            return not self.symbols or change.body.get("symbol") in self.symbols
        owner = change.principal
        if change.topic == "alerts":  # what somebody waits for is their own affair
            return owner == self.principal.id or self.principal.kind is Kind.OPERATOR
        return owner is None or owner == self.principal.id or self.principal.kind in SEES_ALL


class Feed:
    """One follower's changes in order. Quotes are conflated: the newest a symbol is kept."""

    def __init__(self, wish: Wish) -> None:
        self._wish = wish
        self._backlog: deque[Change] = deque()
        self._quotes: dict[object, Change] = {}
        self._news = asyncio.Event()
        self.overflowed = False

    def offer(self, change: Change) -> None:
        if self.overflowed or not self._wish.wants(change):
            return
        if change.topic == "quotes":
            self._offer_quote(change)
        elif len(self._backlog) >= BACKLOG_MAX:
            self.overflowed = True
        else:
            self._backlog.append(change)
        self._news.set()

    def _offer_quote(self, change: Change) -> None:
        symbol = change.body.get("symbol")
        if symbol in self._quotes or len(self._quotes) < SYMBOLS_MAX:
            self._quotes[symbol] = change

    async def take(self) -> list[Change]:
        """Wait for news and return all of it; look at `overflowed` afterwards."""
        await self._news.wait()
        self._news.clear()
        taken = [*self._backlog, *self._quotes.values()]
        self._backlog.clear()
        self._quotes.clear()
        return taken


class Hub:
    """Where changes are published and followed, on one event loop."""

    def __init__(self) -> None:
        self._listeners: dict[object, Listener] = {}
        self._feeds: set[Feed] = set()
        self._recent: deque[Change] = deque(maxlen=RECENT_MAX)

    def publish(self, change: Change) -> None:
        """Tell everyone who may and wants to know; never waits, never raises for a follower."""
        if change.topic == "activity":
            self._recent.append(change)
        for listener in list(self._listeners.values()):
            listener(change)
        for feed in self._feeds:
            feed.offer(change)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every change; return the way to stop it."""
        token = object()
        self._listeners[token] = listener

        def stop() -> None:
            self._listeners.pop(token, None)

        return stop

    def subscribe(self, wish: Wish) -> Feed:
        """Return a feed that must be given back; raise TooManyFeeds."""
        if len(self._feeds) >= FEEDS_MAX:
            raise TooManyFeeds
        feed = Feed(wish)
        self._feeds.add(feed)
        return feed

    def unsubscribe(self, feed: Feed) -> None:
        self._feeds.discard(feed)

    def recent(self, wish: Wish) -> list[Change]:
        """Return the newest activity a follower may see, oldest first."""
        return [change for change in self._recent if wish.wants(change)]
