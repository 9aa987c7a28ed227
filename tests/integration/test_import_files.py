"""Price files as people have them, good and bad: all of a file is imported, or nothing of it."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars
import pytest

from ordergate.adapters import price_files
from ordergate.adapters.price_files import PriceTable
from ordergate.adapters.storage.bar_files import BarFiles
from ordergate.market.bars.faults import Fault
from ordergate.market.bars.ingest import Ingest
from ordergate.market.bars.merging import Conflict
from ordergate.market.bars.reading import Choices
from ordergate.market.bars.report import SeriesReport
from ordergate.model.errors import Code, GateError
from ordergate.model.holdings import SeriesKey
from ordergate.model.instruments import CalendarName
from ordergate.model.market import Timeframe
from ordergate.model.series import Series
from ordergate.model.values import Symbol
from support.bar_series import iso
from support.manual_clock import ManualClock
from support.recordings import write_rows

HEADER = "time,open,high,low,close,volume"
GOOD = tuple(f"2026-01-07T10:{minute:02d}:00Z,1.1,1.3,1.0,1.2,{minute}" for minute in range(20))
SAID = Choices(venue="test", symbol="EURUSD", timeframe=Timeframe.M1)


class Desk:
    """An import desk over a store in a directory of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = BarFiles(root / "bars")
        clock = ManualClock()
        self.now = clock.now()
        self.ingest = Ingest(
            store=self.store,
            calendar_of=lambda symbol: CalendarName.FX if symbol == "EURUSD" else None,
            clock=clock,
        )

    def take(self, path: Path, said: Choices = SAID) -> tuple[SeriesReport, ...]:
        return self.ingest.take(PriceTable(path), said)

    def refused(self, path: Path, said: Choices = SAID) -> GateError:
        before = self.files()
        with pytest.raises(GateError) as no:
            self.take(path, said)
        assert self.files() == before, "something of it was stored"
        assert no.value.fix, "no way out is named"
        return no.value

    def files(self) -> dict[Path, bytes]:
        found = (self.root / "bars").rglob("*.*")
        return {path: path.read_bytes() for path in found if path.name != ".lock"}

    def stored(self, symbol: str = "EURUSD", timeframe: Timeframe = Timeframe.M1) -> Series:
        found = self.store.read(SeriesKey("test", Symbol(symbol), timeframe), limit=10**6)
        assert found is not None
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    assert made.now > datetime(2026, 1, 7, 11, tzinfo=UTC)
    yield made
    assert not list(tmp_path.rglob("*.new"))


def csv(desk: Desk, *rows: str, header: str = HEADER, name: str = "x.csv") -> Path:
    return write_rows(desk.root / name, header, rows)


def test_a_good_file_is_stored_with_where_it_came_from(desk: Desk) -> None:
    path = csv(desk, *GOOD, name="eurusd_m1.csv.gz")
    (report,) = desk.take(path, Choices(venue="test"))
    assert (report.rows, report.added, report.findings) == (20, 20, ())
    held = desk.store.holding(SeriesKey("test", Symbol("EURUSD"), Timeframe.M1))
    assert held is not None
    (origin,) = held.imports
    assert (origin.source, origin.rows, origin.imported_at) == (path.name, 20, desk.now)
    assert origin.sha256 == PriceTable(path).sha256()
    assert desk.stored().source == "test:eurusd_m1.csv.gz"
    assert desk.stored().volume.tolist() == [float(n) for n in range(20)]


def test_prices_are_the_file_s_own_to_the_last_digit(desk: Desk) -> None:
    rows = [f"2026-01-07T10:{n:02d}:00Z,1.1,17207.18,0.1,{0.1 + n / 1e5:.5f},1" for n in range(60)]
    desk.take(csv(desk, *rows))
    texts = [f"{close:.15g}" for close in desk.stored().close]
    assert texts == [f"{float(row.split(',')[4]):.5f}".rstrip("0") for row in rows]


@pytest.mark.parametrize(
    ("rows", "fault", "number"),
    [
        (("2026-01-07T11:00:00Z,1.1,1.3,NaN,1.2,1",), Fault.NAN, 1),
        (("2026-01-07T11:00:00Z,1.1,1.3,inf,1.2,1",), Fault.NAN, 1),
        (("2026-01-07T11:00:00Z,1.1,1.3,-1,1.2,1",), Fault.NEGATIVE, 1),
        (("2026-01-07T11:00:00Z,1.1,1.3,,1.2,1",), Fault.UNREADABLE, 1),
        (("2026-01-07T11:00:00Z,1.1,1.3,abc,1.2,1",), Fault.UNREADABLE, 1),
        (("2026-01-07T11:00:00Z,1.1",), Fault.UNREADABLE, 1),
        (("yesterday,1.1,1.3,1.0,1.2,1",), Fault.UNREADABLE, 1),
        (("2026-02-30T11:00:00Z,1.1,1.3,1.0,1.2,1",), Fault.UNREADABLE, 1),
        (("2026-01-07T11:00:00Z,1.1,1.15,1.0,1.2,1",), Fault.INVERTED, 1),
        ((GOOD[3],), Fault.UNSORTED, 1),
        ((GOOD[-1],), Fault.DUPLICATE, 1),
        (("2026-01-07T10:19:00Z,1.1,1.3,1.0,1.25,1",), Fault.CONTRADICTION, 2),
        (("2027-01-07T10:19:00Z,1.1,1.3,1.0,1.25,1",), Fault.FUTURE, 1),
        (("2026-01-07T11:00:30Z,1.1,1.3,1.0,1.25,1",), Fault.MISALIGNED, 1),
    ],
)
def test_bad_rows_refuse_the_file_with_their_number_and_a_way_out(
    desk: Desk, rows: tuple[str, ...], fault: Fault, number: int
) -> None:
    no = desk.refused(csv(desk, *GOOD, *rows))
    found = {item["fault"]: item["rows"] for item in no.details["report"][0]["faults"]}
    assert found.get(fault.value) == number
    assert f"{fault}: {number} rows" in no.message
    assert no.code in (Code.INVALID_ARGUMENT, Code.INVALID_PRICE)


def test_rows_left_out_by_word_are_counted_and_kept_in_the_record(desk: Desk) -> None:
    path = csv(desk, *GOOD, "2026-01-07T11:00:00Z,1.1,1.3,-1,1.2,1")
    (report,) = desk.take(path, replace(SAID, drop=frozenset({Fault.NEGATIVE})))
    assert (report.added, report.findings[0].rows) == (20, 1)
    held = desk.store.holding(report.key)
    assert held is not None
    assert "drop=negative" in held.imports[0].choices


def test_crossed_bars_are_refused(desk: Desk) -> None:
    header = "time,bid_open,bid_high,bid_low,bid_close,ask_open,ask_high,ask_low,ask_close"
    good = "2026-01-07T10:00:00Z,1,2,1,2,1.1,2.1,1.1,2.1"
    crossed = "2026-01-07T10:01:00Z,1,2,1,2,1.1,2.1,1.1,1.9"
    no = desk.refused(csv(desk, good, crossed, header=header))
    assert no.code is Code.INVALID_PRICE
    assert "row 3" in no.message


def test_one_bad_symbol_keeps_a_whole_file_out(desk: Desk) -> None:
    header = "time,symbol,open,high,low,close"
    rows = ["2026-01-07T10:00:00Z,AAA,1,1,1,1", "2026-01-07T10:00:00Z,BBB,1,1,1,-1"]
    path = csv(desk, *rows, header=header)
    desk.refused(path, Choices(venue="test", timeframe=Timeframe.M1))
    said = Choices(venue="test", timeframe=Timeframe.M1, symbol="AAA")
    assert len(desk.take(path, said)) == 1
    no = desk.refused(path, replace(said, symbol="CCC"))
    assert "AAA" in no.fix


def test_one_symbol_written_in_two_ways_is_one(desk: Desk) -> None:
    header = "time,symbol,open,high,low,close"
    rows = ["2026-01-07T10:00:00Z,aaa,1,1,1,1", "2026-01-07T10:01:00Z, AAA ,1,1,1,1"]
    (report,) = desk.take(
        csv(desk, *rows, header=header), Choices(venue="test", timeframe=Timeframe.M1)
    )
    assert (report.key.symbol, report.added) == ("AAA", 2)


def test_another_history_keeps_a_whole_file_out(desk: Desk) -> None:
    header = "time,symbol,open,high,low,close"
    said = Choices(venue="test", timeframe=Timeframe.M1)
    desk.take(csv(desk, "2026-01-07T10:00:00Z,BBB,1,1,1,1", header=header), said)
    rows = ["2026-01-07T10:00:00Z,AAA,1,1,1,1", "2026-01-07T10:00:00Z,BBB,2,2,2,2"]
    path = csv(desk, *rows, header=header, name="y.csv")
    no = desk.refused(path, said)
    assert "1 complete bars are stored otherwise" in no.message
    assert no.code is Code.ILLEGAL_STATE
    desk.take(path, replace(said, conflict=Conflict.REPLACE))
    assert desk.stored("BBB").close.tolist() == [2]
    held = desk.store.holding(SeriesKey("test", Symbol("BBB"), Timeframe.M1))
    assert held is not None
    assert [item.source for item in held.imports] == ["x.csv", "y.csv"]


def test_the_same_file_again_changes_nothing(desk: Desk) -> None:
    path = csv(desk, *GOOD)
    desk.take(path)
    before = desk.files()
    (again,) = desk.take(path)
    assert (again.added, again.same) == (0, 20)
    assert desk.files() == before


def test_overlapping_files_make_one_history(desk: Desk) -> None:
    desk.take(csv(desk, *GOOD[:12], name="a.csv"))
    (report,) = desk.take(csv(desk, *GOOD[8:], name="b.csv"))
    assert (report.added, report.same) == (8, 4)
    (earlier,) = desk.take(csv(desk, "2026-01-07T09:30:00Z,1.1,1.3,1.0,1.2,9", name="c.csv"))
    assert earlier.added == 1
    assert len(desk.stored()) == 21
    assert desk.stored().source == "test:a.csv+b.csv+c.csv"


def test_bid_ask_and_trades_never_mix(desk: Desk) -> None:
    desk.take(csv(desk, *GOOD))
    no = desk.refused(csv(desk, "2026-01-07T11:00:00Z,1.1,1.2", header="time,bid,ask"))
    assert "--venue" in no.fix


def test_a_file_written_in_the_middle_of_a_bar_leaves_it_incomplete(desk: Desk) -> None:
    path = csv(desk, *GOOD)
    written = datetime(2026, 1, 7, 10, 19, 30, tzinfo=UTC).timestamp()
    os.utime(path, (written, written))
    desk.take(path)
    assert not desk.stored().complete
    later = csv(desk, "2026-01-07T10:19:00Z,1.1,1.5,1.0,1.4,77", name="later.csv")
    desk.take(later)
    assert desk.stored().complete
    assert desk.stored().close[-1] == 1.4


def _torn_gzip(path: Path) -> None:
    path.write_bytes(gzip.compress(f"{HEADER}\n{chr(10).join(GOOD * 500)}".encode())[:-200])


def _broken_gzip(path: Path) -> None:
    packed = bytearray(gzip.compress(f"{HEADER}\n{chr(10).join(GOOD)}".encode()))
    packed[len(packed) // 2] ^= 0xFF
    path.write_bytes(packed)


def _torn_parquet(path: Path) -> None:
    polars.DataFrame({"time": [1], "price": [1.0]}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-30])


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.write(f"{HEADER}\n".encode())
        file.truncate(10 * 1024**3)  # no disk is used by it


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated gzip": (_torn_gzip, "ends too early or is damaged"),
    "damaged gzip": (_broken_gzip, "ends too early or is damaged"),
    "truncated parquet": (_torn_parquet, "ends too early or is damaged"),
    "10 GB": (_huge, "10,737,418,240 bytes"),
    "empty": (lambda path: path.write_text(""), "is empty"),
    "a header alone": (lambda path: path.write_text(f"{HEADER}\n"), "has no rows"),
    "no header": (lambda path: path.write_text("\n".join(GOOD)), "no column holds"),
    "a picture": (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256))), ""),
    "missing": (lambda path: None, "there is no file"),
    "a folder": (lambda path: path.mkdir(), "there is no file"),
    "one endless line": (lambda path: path.write_bytes(b"a" * 300_000), ""),
    "a decimal comma": (
        lambda path: path.write_text(f"{HEADER}\n2026-01-07T10:00:00Z,1,1,1,3,1,0,1,2,1\n"),
        "a row has more cells than its header",
    ),
    "a carriage return inside the header": (
        lambda path: path.write_bytes(b"time,open\rhigh,low,close\n1,1,1,1,1\n"),
        "no readable header",
    ),
    "a column twice": (
        lambda path: path.write_text("time,open,open,high,low,close\n"),
        "names a column twice",
    ),
    "times in no known form": (
        lambda path: path.write_text(f"{HEADER}\n7/1/26 10:00,1,1,1,1,1\n"),
        "in no known form",
    ),
    "times without a zone": (
        lambda path: path.write_text(f"{HEADER}\n2026-01-07 10:00,1,1,1,1,1\n"),
        "name no zone",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_is_none_is_refused_at_once(desk: Desk, case: str) -> None:
    make, words = BROKEN[case]
    path = desk.root / "x.csv"
    make(path)
    no = desk.refused(path)
    assert words in no.message
    assert len(no.message) < 500


def test_a_gzip_that_unpacks_without_end_is_stopped(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(price_files, "BYTES_MAX", 10_000)
    path = csv(desk, *GOOD * 100, name="x.csv.gz")
    assert path.stat().st_size < 10_000
    no = desk.refused(path)
    assert no.code is Code.PAYLOAD_TOO_LARGE
    assert "split it" in no.fix


def test_too_many_rows_are_stopped(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(price_files, "ROWS_MAX", 10)
    assert desk.refused(csv(desk, *GOOD)).code is Code.PAYLOAD_TOO_LARGE


@pytest.mark.parametrize(
    ("header", "row", "zone", "pattern", "expected"),
    [
        (HEADER, "2026-01-07T10:00:00.000Z,1,1,1,1,1", None, None, "2026-01-07T10:00"),
        (HEADER, "2026-01-07 10:00:00+02:00,1,1,1,1,1", None, None, "2026-01-07T08:00"),
        (HEADER, "1767780000,1,1,1,1,1", None, None, "2026-01-07T10:00"),
        (HEADER, "1767780000000,1,1,1,1,1", None, None, "2026-01-07T10:00"),
        (HEADER, "1767780000000000,1,1,1,1,1", None, None, "2026-01-07T10:00"),
        (HEADER, "1767780000000000000,1,1,1,1,1", None, None, "2026-01-07T10:00"),
        (HEADER, "2026-01-07 05:00,1,1,1,1,1", "America/New_York", None, "2026-01-07T10:00"),
        (HEADER, "20260107 050000,1,1,1,1,1", "America/New_York", None, "2026-01-07T10:00"),
        (HEADER, "2026.01.07 12:00,1,1,1,1,1", "America/New_York+7", None, "2026-01-07T10:00"),
        (HEADER, "2025.03.20 13:00,1,1,1,1,1", "America/New_York+7", None, "2025-03-20T10:00"),
        (HEADER, "7.1.2026 10:00,1,1,1,1,1", "UTC", "%d.%m.%Y %H:%M", "2026-01-07T10:00"),
        (HEADER.replace(",", ";"), "2026-01-07 10:00;1;1;1;1;1", "UTC", None, "2026-01-07T10:00"),
        (
            "date,time,open,high,low,close",
            "2026-01-08,2026-01-07T10:00:00Z,1,1,1,1",
            *(None, None, "2026-01-07T10:00"),
        ),
        (
            "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>",
            "2026.01.07\t12:00:00\t1\t1\t1\t1\t5\t0\t9",
            "Etc/GMT-2",
            None,
            "2026-01-07T10:00",
        ),
    ],
)
def test_times_are_read_in_the_forms_files_have(
    desk: Desk, header: str, row: str, zone: str | None, pattern: str | None, expected: str
) -> None:
    desk.take(csv(desk, row, header=header), replace(SAID, zone=zone, time_format=pattern))
    assert [iso(at) for at in desk.stored().time] == [expected]


def test_a_time_the_clock_showed_twice_is_not_guessed(desk: Desk) -> None:
    rows = [f"2025-11-02 {hour}:30,1,1,1,1,1" for hour in ("00", "01", "02")]
    said = replace(SAID, zone="America/New_York", calendar=CalendarName.ALWAYS)
    no = desk.refused(csv(desk, *rows), said)
    assert "unreadable: 1 rows" in no.message


def test_an_unknown_zone_is_said_to_be_one(desk: Desk) -> None:
    no = desk.refused(csv(desk, "2026-01-07 10:00,1,1,1,1,1"), replace(SAID, zone="Moon/Base"))
    assert "Moon/Base" in no.message


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_parquet_is_read_with_its_own_times(desk: Desk, zone: str | None) -> None:
    at = [datetime(2026, 1, 7, 10, minute) for minute in range(3)]  # noqa: DTZ001  # as files have
    frame = polars.DataFrame({"Time": at, "bid": [1.0, 1.1, 1.2], "ask": [1.1, 1.2, 1.3]})
    if zone is None:
        frame = frame.with_columns(polars.col("Time").dt.replace_time_zone("UTC"))
    path = desk.root / "x.parquet"
    frame.write_parquet(path)
    desk.take(path, replace(SAID, zone=zone))
    assert iso(desk.stored().time[0]) == "2026-01-07T10:00"
    assert desk.stored().ask is not None


def test_windows_line_ends_a_mark_and_a_missing_last_newline_do_no_harm(desk: Desk) -> None:
    path = desk.root / "x.csv"
    path.write_bytes(b"\xef\xbb\xbf" + f"{HEADER}\r\n{chr(13) + chr(10)}".encode()[:-2])
    path.write_bytes(path.read_bytes() + "\r\n".join(GOOD).encode())
    (report,) = desk.take(path)
    assert report.added == 20


def test_quoted_cells_are_read_and_an_odd_quote_is_no_disaster(desk: Desk) -> None:
    quoted = [",".join(f'"{cell}"' for cell in row.split(",")) for row in GOOD]
    header = ",".join(f'"{name}"' for name in HEADER.split(","))
    (report,) = desk.take(csv(desk, *quoted, header=header))
    assert report.added == 20
    assert desk.refused(csv(desk, '"', header="time;bid;ask")).code is Code.INVALID_ARGUMENT


def test_blocks_are_cut_at_lines_wherever_they_fall(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(price_files, "BLOCK_BYTES", 37)
    (report,) = desk.take(csv(desk, *GOOD, name="x.csv.gz"))
    assert (report.rows, report.added) == (20, 20)
