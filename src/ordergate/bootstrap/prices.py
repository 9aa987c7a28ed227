"""Where prices come from, by the settings: simulated, recorded, or live from an exchange."""

from __future__ import annotations

from datetime import datetime

from ordergate.adapters.feeds.ccxt_public.feed import CcxtFeed, Wanted
from ordergate.adapters.feeds.replay.feed import ReplayFeed
from ordergate.adapters.feeds.simulated.feed import SimulatedFeed
from ordergate.adapters.venues.mt5.feed import Mt5Feed
from ordergate.model.errors import IllegalState
from ordergate.ports.feed import Feed, Pace
from ordergate.ports.journal import JournalTx
from ordergate.ports.system import Clock
from ordergate.settings.load import Settings


def feed_of(settings: Settings, clock: Clock, *, resumed: datetime | None) -> Feed:
    """Open the chosen source where it was left, else at its start."""
    chosen = settings.feed
    if chosen.kind == "replay":
        replay = chosen.replay
        return ReplayFeed.open(
            replay.files,
            clock=clock,
            speed=replay.speed,
            start=resumed or replay.start,
            symbol=None,
        )
    if chosen.kind == "ccxt":
        live = chosen.ccxt
        return CcxtFeed(
            Wanted(
                exchange=live.exchange,
                symbols=live.symbols,
                poll_s=float(live.poll_s),
                url=live.url,
            ),
            clock=clock,
        )
    return SimulatedFeed(clock=clock, seed=chosen.seed, start=resumed or chosen.start)


def pace_of(feed: Feed) -> Pace | None:
    return feed if isinstance(feed, ReplayFeed) else None


def outside_of(feed: Feed) -> tuple[CcxtFeed | Mt5Feed, ...]:
    """Return the feed where it is a line to the outside, to be closed."""
    return (feed,) if isinstance(feed, CcxtFeed | Mt5Feed) else ()


def require_same_prices(tx: JournalTx, source: str) -> None:
    """Refuse to carry an account from one market into another: its clock and marks would lie."""
    known = tx.fact("price_source")
    if known is None:
        tx.put_fact("price_source", source)
    elif known != source:
        raise IllegalState(
            f"the account here lives on the prices of {known}, not of {source}",
            fix="give these prices a directory of their own: ORDERGATE_DATA_DIR=<dir> ordergate up",
        )
