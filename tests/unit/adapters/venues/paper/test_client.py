"""The venue's file: durable or nothing, and never another program's."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ordergate.adapters.venues.paper.client import ForeignFile
from ordergate.adapters.venues.paper.core import SpecChanged
from ordergate.adapters.venues.paper.terms import PaperTerms
from ordergate.adapters.venues.paper.venue import PULSE_S, last_venue_time
from support.manual_market import STANDARD, ManualMarket
from support.paper import PaperBench, run

D = Decimal


@pytest.fixture
def bench(tmp_path: Path) -> PaperBench:
    made = PaperBench(tmp_path)
    made.quote()
    return made


def test_a_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "paper.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE diary (entry TEXT)")
    other.close()
    with pytest.raises(ForeignFile):
        PaperBench(tmp_path)


def test_books_kept_in_other_units_are_not_reinterpreted(bench: PaperBench) -> None:
    bench.buy("0.10")
    run(bench.venue.close())
    coarse = [replace(i, tick_size=D("0.0001")) for i in STANDARD if i.symbol == "EURUSD"]
    with pytest.raises(SpecChanged):
        PaperBench(bench.path.parent, market=ManualMarket(instruments=coarse))


def test_a_position_survives_a_market_that_no_longer_lists_it(bench: PaperBench) -> None:
    bench.buy("0.10")
    run(bench.venue.close())
    others = [i for i in STANDARD if i.symbol != "EURUSD"]
    later = PaperBench(bench.path.parent, market=ManualMarket(instruments=others))
    (position,) = later.snapshot().positions
    assert (position.quantity, position.current_price) == (D("0.1"), None)


def test_a_change_that_cannot_be_written_never_happened(bench: PaperBench) -> None:
    before = bench.snapshot()
    blocker = sqlite3.connect(bench.path, isolation_level=None)
    blocker.execute(
        "CREATE TRIGGER full BEFORE INSERT ON fills BEGIN SELECT RAISE(ABORT, 'x'); END"
    )
    with pytest.raises(sqlite3.Error):
        bench.buy("0.10")
    assert bench.snapshot() == before
    assert bench.history().orders == ()
    blocker.execute("DROP TRIGGER full")
    blocker.close()
    bench.buy("0.10")
    assert len(bench.snapshot().positions) == 1


def test_the_last_venue_time_is_kept_with_changes_pulses_and_the_end(bench: PaperBench) -> None:
    start = bench.market.venue_now()
    bench.market.set("EURUSD", "1.1", "1.1001", start + timedelta(seconds=1))
    assert last_venue_time(bench.path) == start
    assert bench.venue.last_venue_time() == start + timedelta(seconds=1)
    bench.clock.advance(PULSE_S)
    bench.market.set("EURUSD", "1.1", "1.1001", start + timedelta(seconds=2))
    assert last_venue_time(bench.path) == start + timedelta(seconds=2)
    bench.market.advance(seconds=1)
    bench.buy("0.10")
    assert last_venue_time(bench.path) == start + timedelta(seconds=3)
    bench.market.set("EURUSD", "1.1", "1.1001", start + timedelta(seconds=4))
    run(bench.venue.close())
    assert last_venue_time(bench.path) == start + timedelta(seconds=4)
    assert last_venue_time(bench.path.with_name("none.db")) is None


def test_closing_twice_is_closing_once(bench: PaperBench) -> None:
    run(bench.venue.close())
    run(bench.venue.close())


def test_the_file_s_balance_counts_not_the_terms(bench: PaperBench) -> None:
    run(bench.venue.close())
    later = PaperBench(bench.path.parent, market=bench.market, terms=PaperTerms(balance=D(5)))
    assert later.snapshot().account.balance == D(100_000)


def test_a_market_clock_that_went_back_leaves_stops_alive(bench: PaperBench) -> None:
    bench.buy("0.10", stop_loss="1.09000")
    run(bench.venue.close())
    earlier = ManualMarket(now=bench.market.venue_now() - timedelta(days=400))
    again = PaperBench(bench.path.parent, market=earlier)
    again.quote(bid="1.08000", ask="1.08010")
    assert again.snapshot().positions == ()
    assert again.snapshot().account.day == earlier.venue_now().date()
