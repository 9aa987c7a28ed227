"""Real prices, known fills: EURUSD of 2014-05-08 at the venue port."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest

from ordergate.adapters.venues.paper.terms import PaperTerms
from ordergate.model.outcomes import VenueStatus
from support.manual_market import ManualMarket
from support.paper import PaperBench

TICKS = Path(__file__).parents[3] / "shared" / "data" / "eurusd_oanda_ticks.csv.gz"
DAY = "2014-05-08T"


def ticks_of_the_day() -> Iterator[tuple[datetime, str, str]]:
    with gzip.open(TICKS, "rt", newline="") as file:
        for row in csv.DictReader(file):
            if row["time"].startswith(DAY):
                yield datetime.fromisoformat(row["time"]), row["bid"], row["ask"]


@pytest.mark.skipif(not TICKS.exists(), reason=f"no real ticks at {TICKS}")
def test_the_fills_of_a_real_day_are_the_known_ones(tmp_path: Path) -> None:
    ticks = ticks_of_the_day()
    bench = PaperBench(
        tmp_path,
        market=ManualMarket(now=datetime(2014, 5, 8, tzinfo=UTC)),
        terms=PaperTerms(commission=False, swap=False),
    )
    for at, bid, ask in islice(ticks, 10):
        bench.market.set("EURUSD", bid, ask, at)
    assert bench.market.venue_now() == datetime(2014, 5, 8, 0, 1, 27, 721000, tzinfo=UTC)

    market = bench.buy("1.00")
    assert [(f.price, f.quantity) for f in market.fills] == [(Decimal("1.39111"), Decimal("1.00"))]
    limit = bench.buy("0.20", kind="limit", limit_price="1.38600")
    assert limit.status is VenueStatus.WORKING

    for at, bid, ask in ticks:
        bench.market.set("EURUSD", bid, ask, at)
    (fill,) = [f for f in bench.history().fills if f.venue_order_id == limit.venue_order_id]
    assert fill.time == datetime(2014, 5, 8, 14, 3, 32, 594000, tzinfo=UTC)
    assert (fill.price, fill.quantity) == (Decimal("1.38600"), Decimal("0.20"))
