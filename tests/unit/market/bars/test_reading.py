from __future__ import annotations

from dataclasses import replace

import numpy
import pytest

from ordergate.market.bars.faults import Fault, Raw
from ordergate.market.bars.reading import Choices, Reading, read_symbol, symbol_of
from ordergate.model.errors import InvalidArgument
from ordergate.model.holdings import Holding, SeriesKey
from ordergate.model.instruments import CalendarName
from ordergate.model.market import PriceBasis, Timeframe
from ordergate.model.values import Symbol
from support.bar_series import DAY, HOUR, MINUTE, iso, ns, series

NOW = ns("2026-06-01T00:00")
SAID = Choices(venue="test", symbol="eurusd", timeframe=Timeframe.H1)


def raw(begin: str, count: int, step: int, columns: int = 4) -> Raw:
    time = ns(begin) + numpy.arange(count, dtype=numpy.int64) * step
    return Raw(
        time,
        tuple(
            numpy.full(count, 2.0 + (n >= columns // 2) * (columns == 8)) for n in range(columns)
        ),
        None,
        numpy.arange(2, count + 2),
        numpy.zeros(count, numpy.bool_),
    )


def read(rows: Raw, said: Choices = SAID, file: str = "x.csv", written: int = NOW) -> Reading:
    return read_symbol(rows, None, said, file, (NOW, written))


def faults(reading: Reading) -> list[Fault]:
    return [item.fault for item in reading.report.findings]


def test_end_stamps_are_moved_to_the_start() -> None:
    made = read(raw("2026-01-07T11:00", 3, HOUR), replace(SAID, ends=True))
    assert iso(made.series.time[0]) == "2026-01-07T10:00"


def test_what_is_not_said_is_taken_from_the_file_s_name_and_told() -> None:
    said = Choices(venue="test")
    made = read(raw("2026-01-07T10:00", 3, 5 * MINUTE), said, "gbpusd_m5.csv")
    assert (made.report.key.symbol, made.report.key.timeframe) == ("GBPUSD", Timeframe.M5)
    assert any("GBPUSD" in note for note in made.report.notes)
    assert symbol_of(" ibm ", said, "x.csv") == "IBM"


def test_a_timeframe_nobody_names_is_the_distance_of_the_rows() -> None:
    made = read(raw("2026-01-07T10:00", 5, 15 * MINUTE), Choices(venue="test"))
    assert made.report.key.timeframe is Timeframe.M15
    with pytest.raises(InvalidArgument, match="420 s apart"):
        read(raw("2026-01-07T10:00", 5, 7 * MINUTE), Choices(venue="test"))


@pytest.mark.parametrize("step", [MINUTE, 4 * HOUR])
def test_a_timeframe_the_rows_contradict_is_refused(step: int) -> None:
    with pytest.raises(InvalidArgument) as refused:
        read(raw("2026-01-07T00:00", 30, step))
    assert refused.value.fix.startswith("--timeframe ")


def test_sparse_bars_keep_their_timeframe() -> None:
    rows = raw("2026-01-07T00:00", 60, HOUR).where(numpy.arange(60) % 7 != 3)
    assert read(rows).report.findings == ()


def test_a_stray_bar_is_misaligned() -> None:
    rows = raw("2026-01-07T00:00", 30, HOUR)
    rows.time[7] += MINUTE
    assert faults(read(rows)) == [Fault.MISALIGNED]


def test_the_last_bar_is_complete_only_when_the_file_was_written_after_it() -> None:
    rows = raw("2026-01-07T10:00", 3, HOUR)
    assert read(rows, written=ns("2026-01-07T13:00")).series.complete
    assert not read(rows, written=ns("2026-01-07T12:59")).series.complete


def test_ticks_become_minutes_whose_last_is_never_complete() -> None:
    rows = raw("2026-01-07T10:00", 100, MINUTE // 4, columns=2)
    made = read(rows, Choices(venue="test", symbol="EURUSD"))
    assert (len(made.series), made.report.rows) == (25, 100)
    assert made.report.basis == "bid_ask"
    assert not made.series.complete


def test_a_wrong_zone_is_refused_unless_the_hours_are_accepted() -> None:
    week = numpy.arange(ns("2026-01-04T22:00"), ns("2026-01-09T22:00"), HOUR)
    rows = replace(raw("2026-01-04T22:00", len(week), HOUR), time=week - 5 * HOUR)
    said = replace(SAID, calendar=CalendarName.FX)
    found = read(rows, said)
    assert faults(found) == [Fault.WRONG_ZONE]
    assert found.report.presence is not None
    assert found.report.presence.shift_h == 5
    assert read(rows, replace(said, accept_hours=True)).report.open_findings == ()


def test_days_that_begin_elsewhere_are_told() -> None:
    said = replace(SAID, timeframe=Timeframe.D1, calendar=CalendarName.FX)
    assert "00:00 UTC" in " ".join(read(raw("2026-01-05T00:00", 5, DAY), said).report.notes)
    ours = read(raw("2026-01-04T22:00", 5, DAY), said)
    assert ours.report.notes == ()


@pytest.mark.parametrize("columns", [1, 2, 4, 8])
def test_a_file_of_nothing_but_faults_is_one(columns: int) -> None:
    rows = raw("2026-01-07T10:00", 3, HOUR, columns)
    rows.garbled[:] = True
    assert read(rows, replace(SAID, drop=frozenset({Fault.UNREADABLE}))).report.open_findings


def test_a_page_is_judged_like_a_file() -> None:
    page = series("2026-01-07T10:00", [1.0, -2.0])
    found = Reading.of_page(SeriesKey("x", page.symbol, page.timeframe), page, None, NOW)
    assert faults(found) == [Fault.NEGATIVE]


def test_a_stored_series_is_looked_through() -> None:
    page = series("2026-01-07T10:00", [100.0] * 5 + [25.0] * 5, timeframe=Timeframe.H1)
    opens = page.close.copy()
    held = Holding(
        SeriesKey("x", Symbol("AAPL"), Timeframe.H1),
        PriceBasis.TRADE,
        CalendarName.XNYS,
        *(10, int(page.time[0]), int(page.time[-1]), True, (), ()),
    )
    report = Reading.of_stored(replace(page, open=opens), held)
    assert [jump.split for jump in report.jumps] == ["4:1"]
    assert report.presence is not None


def test_choices_are_kept_as_words() -> None:
    said = replace(SAID, zone="UTC", ends=True, drop=frozenset({Fault.NAN}), sort=True)
    assert said.told() == "zone=UTC stamp=end drop=nan sort"


@pytest.mark.parametrize("name", ["", "  ", "A B", "EURUSD\x00", "X" * 33, "ÄPFEL"])
def test_a_symbol_no_request_could_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgument, match="is no symbol"):
        symbol_of(name, Choices(venue="test"), "x.csv")
