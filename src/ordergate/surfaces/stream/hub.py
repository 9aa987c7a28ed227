"""Fan-out of changes: to listeners at once, to followers through bounded, filtered feeds."""

from __future__ import annotations

import asyncio
import json
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
FEEDS_MAX: Final = 256
RECENT_MAX: Final = 50
QUOTES_EVERY_S: Final = 0.1  # a follower gets what has moved since, each symbol's newest, at once
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
    """One follower's changes in order; quotes apart, ten times a second, the newest a symbol."""

    def __init__(self, wish: Wish) -> None:
        self._wish = wish
        self._symbols = wish.symbols
        self._backlog: deque[Change] = deque()
        self._quotes: dict[object, Change] = {}
        self._news = asyncio.Event()
        self._resting = False  # quotes were just taken: the next ones wait for each other
        self.overflowed = False

    def offer(self, change: Change) -> None:
        if self.overflowed or not self._wish.wants(change):
            return
        if len(self._backlog) >= BACKLOG_MAX:
            self.overflowed = True
        else:
            self._backlog.append(change)
        self._news.set()

    def offer_quote(self, symbol: object, change: Change) -> None:
        """Keep a symbol's newest quote; called for every quote and follower, so it does little."""
        if self._symbols and symbol not in self._symbols:
            return
        if symbol in self._quotes or len(self._quotes) < SYMBOLS_MAX:
            self._quotes[symbol] = change
        if not self._resting:
            self._news.set()

    async def take(self) -> list[Change]:
        """Wait for news and return all of it; look at `overflowed` afterwards."""
        await self._news.wait()
        self._news.clear()
        taken = [*self._backlog]
        self._backlog.clear()
        if self._quotes and not self._resting:
            taken += self._quotes.values()
            self._quotes.clear()
            self._resting = True
            asyncio.get_running_loop().call_later(QUOTES_EVERY_S, self._rested)
        return taken

    def _rested(self) -> None:
        self._resting = False
        if self._quotes:
            self._news.set()


class Hub:
    """Where changes are published and followed, on one event loop."""

    def __init__(self) -> None:
        self._listeners: dict[object, Listener] = {}
        self._feeds: set[Feed] = set()
        self._of_quotes: set[Feed] = set()  # those of them that follow quotes
        self._recent: deque[Change] = deque(maxlen=RECENT_MAX)
        self._written: dict[object, tuple[Change, str]] = {}  # each symbol's newest quote

    def publish(self, change: Change) -> None:
        """Tell everyone who may and wants to know; never waits, never raises for a follower."""
        if change.topic == "activity":
            self._recent.append(change)
        for listener in list(self._listeners.values()):
            listener(change)
        if change.topic == "quotes":
            symbol = change.body.get("symbol")
            for feed in self._of_quotes:
                feed.offer_quote(symbol, change)
            return
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
        if "quotes" in wish.topics:
            self._of_quotes.add(feed)
        return feed

    def unsubscribe(self, feed: Feed) -> None:
        self._feeds.discard(feed)
        self._of_quotes.discard(feed)

    def text(self, quote: Change) -> str:
        """Return a quote's body as JSON, written once for all who hear of it."""
        symbol = quote.body.get("symbol")
        kept = self._written.get(symbol)
        if kept is not None and kept[0] is quote:
            return kept[1]
        written = json.dumps(quote.body, separators=(",", ":"))
        self._written[symbol] = (quote, written)
        return written

    def recent(self, wish: Wish) -> list[Change]:
        """Return the newest activity a follower may see, oldest first."""
        return [change for change in self._recent if wish.wants(change)]
