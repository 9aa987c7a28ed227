"""Where bars rest, and where `ordergate data download` may fetch them: names and builders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from ordergate.adapters.storage.bar_files import BarFiles
from ordergate.adapters.system import SystemClock
from ordergate.model.errors import NotSupported
from ordergate.ports.bars import BarSource
from ordergate.settings.load import Settings

BARS: Final = "bars"
EXCHANGES: Final = ("kraken", "coinbase", "bitstamp", "binance", "bybit", "okx")


def _exchange(name: str, settings: Settings) -> BarSource:
    from ordergate.adapters.feeds.ccxt_public.history import CcxtBars  # the extra `crypto`

    told = settings.feed.ccxt
    url = told.url if told.exchange == name else None
    return CcxtBars(name, clock=SystemClock(), url=url)


SOURCES: Final[Mapping[str, Callable[[Settings], BarSource]]] = {
    name: partial(_exchange, name) for name in EXCHANGES
}


def bars_at(settings: Settings) -> BarFiles:
    """Return the store of bars in the data directory."""
    return BarFiles(settings.directories.data / BARS)


def bar_source(name: str, settings: Settings) -> BarSource:
    """Return the source of this name; raise NotSupported with the names there are."""
    build = SOURCES.get(name)
    if build is None:
        names = ", ".join(sorted(SOURCES)) or "none yet"
        raise NotSupported(
            f"no source of bars is called {name[:40]!r}; there are: {names}",
            fix="`ordergate data import FILE` takes a file",
        )
    return build(settings)
