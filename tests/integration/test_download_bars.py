"""Downloads: page by page into the store, on from where a break left them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ordergate.adapters.storage.bar_files import BarFiles
from ordergate.market.bars import ingest as module
from ordergate.market.bars.ingest import Ingest, Progress
from ordergate.market.bars.report import RowsRefused, SeriesReport
from ordergate.model.errors import DataUnavailable, GateError, RateLimited, SymbolNotFound
from ordergate.model.holdings import SeriesKey
from ordergate.model.market import Timeframe
from ordergate.model.values import Symbol
from support.bar_series import HOUR, ns
from support.fake_bar_source import FakeBarSource
from support.manual_clock import START, ManualClock

KEY = SeriesKey("fake", Symbol("EURUSD"), Timeframe.H1)
SINCE = datetime(2025, 11, 1, tzinfo=UTC)
TIMES = [at for at in range(ns("2025-10-01T00:00"), ns("2026-01-07T14:00"), HOUR) if at % 7 != 3]


class Desk:
    def __init__(self, root: Path) -> None:
        self.store = BarFiles(root)
        self.told: list[Progress] = []
        self.clock = ManualClock()
        self._ingest = Ingest(store=self.store, calendar_of=lambda _: None, clock=self.clock)

    def run(
        self,
        source: FakeBarSource,
        *,
        key: SeriesKey = KEY,
        since: datetime = SINCE,
        until: datetime = START,
    ) -> SeriesReport:
        return asyncio.run(
            self._ingest.download(source, key, since=since, until=until, tell=self.told.append)
        )

    def times(self) -> list[int]:
        found = self.store.read(KEY, limit=10**6)
        return [] if found is None else [int(at) for at in found.time]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def expected(since: datetime = SINCE, until: datetime = START) -> list[int]:
    return [at for at in TIMES if ns(since.isoformat()) <= at < ns(until.isoformat())]


def test_pages_become_one_series_with_one_import(desk: Desk) -> None:
    report = desk.run(FakeBarSource(TIMES))
    assert desk.times() == expected()
    assert report.added == len(expected())
    held = desk.store.holding(KEY)
    assert held is not None
    assert [(item.source, item.rows) for item in held.imports] == [("fake:past", len(expected()))]


def test_progress_goes_forward_to_the_end(desk: Desk) -> None:
    desk.run(FakeBarSource(TIMES))
    shares = [(one.at - one.begin) / (one.until - one.begin) for one in desk.told]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] > 0.99


def test_a_broken_download_goes_on_where_it_stopped(desk: Desk) -> None:
    source = FakeBarSource(TIMES)
    source.faults.extend(["", "", "", "gone"])
    with pytest.raises(ConnectionResetError):
        desk.run(source)
    there = desk.times()
    assert there == expected()[: len(there)]
    assert len(there) == 300
    again = FakeBarSource(TIMES)
    desk.run(again)
    assert ns(again.asked[0].isoformat()) >= there[-1]
    assert desk.times() == expected()


def test_what_is_there_is_not_fetched_again(desk: Desk) -> None:
    desk.run(FakeBarSource(TIMES))
    again = FakeBarSource(TIMES)
    report = desk.run(again)
    assert len(again.asked) == 1
    assert report.added == 0


def test_an_earlier_beginning_is_filled_up(desk: Desk) -> None:
    desk.run(FakeBarSource(TIMES), since=SINCE + timedelta(days=30))
    desk.run(FakeBarSource(TIMES))
    assert desk.times() == expected()


def test_a_break_while_filling_up_leaves_no_hole_for_ever(desk: Desk) -> None:
    desk.run(FakeBarSource(TIMES), since=SINCE + timedelta(days=30))
    broken = FakeBarSource(TIMES)
    broken.faults.extend(["", "", "gone"])
    with pytest.raises(ConnectionResetError):
        desk.run(broken)
    desk.run(FakeBarSource(TIMES))
    assert desk.times() == expected()


def test_what_another_source_fetched_is_not_taken_for_this_one_s(desk: Desk) -> None:
    """Every third bar is missing there; a second source has them all."""
    sparse = FakeBarSource(TIMES[::3])
    sparse.name = "fake:sparse"
    desk.run(sparse)
    desk.run(FakeBarSource(TIMES))
    assert desk.times() == expected()


def test_it_ends_where_it_was_told_to(desk: Desk) -> None:
    until = SINCE + timedelta(days=3, hours=5)
    desk.run(FakeBarSource(TIMES), until=until)
    assert desk.times() == expected(until=until)


def test_a_running_bar_is_replaced_by_the_next_download(desk: Desk) -> None:
    desk.run(FakeBarSource(TIMES[:-5], running=True))
    held = desk.store.holding(KEY)
    assert held is not None
    assert not held.complete
    desk.run(FakeBarSource(TIMES))
    assert desk.times() == expected()
    held = desk.store.holding(KEY)
    assert held is not None
    assert held.complete


def test_a_source_that_wants_to_be_asked_slowly_is(desk: Desk) -> None:
    source = FakeBarSource(TIMES)
    source.faults.extend(["slow down", "", "slow down", "slow down"])
    desk.run(source)
    assert desk.times() == expected()
    assert desk.clock.monotonic() >= 4


def test_a_source_that_never_lets_go_ends_it(desk: Desk) -> None:
    source = FakeBarSource(TIMES)
    source.faults.extend(["slow down"] * 10)
    with pytest.raises(RateLimited):
        desk.run(source)
    assert len(source.asked) == module.READ_ATTEMPTS_MAX


def test_a_source_that_hangs_is_given_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE_WITHIN_S", 0.05)
    source = FakeBarSource(TIMES)
    source.faults.extend(["hang"] * 10)
    with pytest.raises(DataUnavailable) as no:
        desk.run(source)
    assert "again" in no.value.fix


@pytest.mark.parametrize(
    ("fault", "error"), [("from the start", DataUnavailable), ("crossed", RowsRefused)]
)
def test_a_source_that_gives_nonsense_stores_none_of_it(
    desk: Desk, fault: str, error: type[GateError]
) -> None:
    source = FakeBarSource(TIMES)
    source.faults.extend(["", fault])
    with pytest.raises(error):
        desk.run(source)
    assert desk.times() == expected()[:100]


def test_an_unknown_symbol_is_the_source_s_word(desk: Desk) -> None:
    with pytest.raises(SymbolNotFound):
        desk.run(FakeBarSource(TIMES), key=SeriesKey("fake", Symbol("XYZ"), Timeframe.H1))
    assert desk.store.holdings() == ()


def test_a_source_without_bars_there_stores_nothing(desk: Desk) -> None:
    report = desk.run(FakeBarSource([]))
    assert (report.rows, desk.store.holdings()) == (0, ())
    shares = [(one.at - one.begin) / (one.until - one.begin) for one in desk.told]
    assert (shares[0], shares[-1]) == (0, 1)


def test_a_hole_wider_than_a_page_does_not_end_it(desk: Desk) -> None:
    """A symbol that was listed years after `since`, and an outage of months."""
    all_of_it = expected()
    source = FakeBarSource([at for at in TIMES if not all_of_it[5] < at < all_of_it[-9]])
    source.narrow = True
    desk.run(source, since=SINCE - timedelta(days=2_000))
    assert desk.times() == [at for at in source.times() if at < ns(START.isoformat())]
    assert len(source.asked) < 60
