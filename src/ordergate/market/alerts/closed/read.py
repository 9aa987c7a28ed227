"""Read the bars that have closed, for the alerts that are rules: each bar once, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from ordergate.market.feed.subscribe import Market
from ordergate.model.errors import GateError
from ordergate.model.hours import bar_window
from ordergate.model.market import Bar, Timeframe
from ordergate.model.price_alerts import PriceAlert
from ordergate.model.values import Symbol
from ordergate.ports.system import Clock

if TYPE_CHECKING:
    from ordergate.market.alerts.condition import Word

READ_S: Final = 10.0
AGAIN_S: Final = 2.0  # a bar that is due and not there yet is asked for again, ever more seldom
AGAIN_MAX_S: Final = 60.0  # a night, a weekend
Key = tuple[Symbol, Timeframe]


@dataclass(slots=True)
class Heard:
    """What bars said to one alert: the words nobody has acted on yet, and what stands in the way.

    `since`: the end of the last bar that was read.
    """

    since: datetime | None
    words: tuple[Word, ...] = ()
    problem: str | None = "not looked at yet"


@dataclass(slots=True)
class _Turn:
    """When a series is read again."""

    due: datetime | None = None  # by the venue's clock: the end of the bar that runs
    tried: float = float("-inf")
    wait_s: float = AGAIN_S


class Reader:
    """Reads each series once when a bar of it has closed, for all its alerts together."""

    def __init__(self, *, market: Market, clock: Clock) -> None:
        self._market = market
        self._clock = clock
        self._turns: dict[Key, _Turn] = {}
        self.heard: dict[str, Heard] = {}

    def forget(self, alert_id: str) -> None:
        self.heard.pop(alert_id, None)

    async def round(self, alerts: Iterable[PriceAlert]) -> None:
        """Read what is due; a series that cannot be read is a problem of its alerts alone."""
        groups: dict[Key, list[PriceAlert]] = {}
        kept = list(alerts)
        for gone in self.heard.keys() - {alert.alert_id for alert in kept}:
            del self.heard[gone]
        for alert in kept:
            groups.setdefault((alert.symbol, Timeframe(alert.timeframe)), []).append(alert)
        for key in self._turns.keys() - groups.keys():
            del self._turns[key]
        for key, group in groups.items():
            if self._is_due(key, group):
                await self._read(key, group)

    def _is_due(self, key: Key, group: list[PriceAlert]) -> bool:
        turn = self._turns.setdefault(key, _Turn())
        fresh = any(alert.alert_id not in self.heard for alert in group)
        closed = turn.due is None or self._market.venue_now() >= turn.due
        return fresh or (closed and self._clock.monotonic() - turn.tried >= turn.wait_s)

    async def _read(self, key: Key, group: list[PriceAlert]) -> None:
        symbol, timeframe = key
        turn = self._turns[key]
        turn.tried = self._clock.monotonic()
        waiting = {
            alert.alert_id: self.heard.setdefault(alert.alert_id, Heard(alert.seen_to))
            for alert in group
        }
        texts = {alert.alert_id: alert.rule for alert in group}
        since = {name: heard.since for name, heard in waiting.items()}
        try:
            async with asyncio.timeout(READ_S):
                limit = await asyncio.to_thread(_wanted, tuple(texts.values()), timeframe)
                bars = await self._market.bars(symbol, timeframe, limit=limit + 1)
                named = (self._market.source, self._market.synthetic)
                said = await asyncio.to_thread(_said, texts, since, bars, named)
        except TimeoutError:
            said = dict.fromkeys(texts, f"no bars within {READ_S:g} s")
        except GateError as error:
            said = dict.fromkeys(texts, error.message)
        turn.wait_s = min(2 * turn.wait_s, AGAIN_MAX_S)
        for name, word in said.items():
            heard = waiting[name]
            if isinstance(word, str):
                heard.problem = word
                continue
            heard.problem = None
            heard.words += word
            if word:
                heard.since = word[-1].ends
                turn.due, turn.wait_s = bar_window(timeframe, word[-1].ends).closes, AGAIN_S


def _wanted(texts: tuple[str, ...], timeframe: Timeframe) -> int:
    from ordergate.market.alerts.closed.reading import wanted

    return wanted(texts, timeframe)


def _said(
    texts: Mapping[str, str],
    since: Mapping[str, datetime | None],
    bars: tuple[Bar, ...],
    named: tuple[str, bool],
) -> dict[str, tuple[Word, ...] | str]:
    """Return each rule's words on the new bars, or why there are none."""
    from ordergate.market.alerts.closed.reading import words
    from ordergate.market.features.frame import series_of

    made: dict[str, tuple[Word, ...] | str] = {}
    source, synthetic = named
    series = series_of(bars, source)
    for name, text in texts.items():
        try:
            made[name] = words(text, series, since=since[name], synthetic=synthetic)
        except GateError as error:
            made[name] = error.message
    return made
