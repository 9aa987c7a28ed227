"""Recordings of every shape, good and bad, written on the spot."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ordergate.adapters.feeds.replay.feed import ReplayFeed
from ordergate.adapters.feeds.replay.table import ReplayError
from ordergate.model.instruments import CalendarName
from ordergate.model.market import PriceBasis, Slice, Timeframe
from ordergate.model.values import Symbol
from support.manual_clock import ManualClock
from support.recordings import utc, write_rows

TICKS = [
    "2014-05-07T00:00:07.135Z,1.39286,1.39298",
    "2014-05-07T00:00:16.860Z,1.39286,1.39297",
    "2014-05-07T00:01:00Z,1.39290,1.39300",
    "2014-05-07T00:02:30.500Z,1.39300,1.39310",
]


def replay(
    path: Path, *, clock: ManualClock | None = None, symbol: str | None = None
) -> ReplayFeed:
    return ReplayFeed.open((path,), clock=clock or ManualClock(), symbol=symbol)


def everything(feed: ReplayFeed, clock: ManualClock) -> list[Slice]:
    clock.advance(10**8)
    taken: list[Slice] = []
    while batch := feed.advance(500):
        taken.extend(batch)
    return taken


@pytest.mark.parametrize("name", ["eurusd_oanda.csv", "eurusd_oanda.csv.gz"])
def test_ticks_come_at_their_time_and_the_feed_ends_with_them(tmp_path: Path, name: str) -> None:
    clock = ManualClock()
    feed = replay(write_rows(tmp_path / name, "time,bid,ask", TICKS), clock=clock)
    assert (feed.source, feed.synthetic) == (f"replay:{name}", False)
    assert feed.venue_now() == utc("2014-05-07T00:00:07.135")
    assert [piece.bid_close for piece in feed.advance(10)] == [Decimal("1.39286")]
    clock.advance(60)
    assert [piece.end for piece in feed.advance(10)] == [
        utc("2014-05-07T00:00:16.860"),
        utc("2014-05-07T00:01:00"),
    ]
    assert feed.alive()
    clock.advance(3_600)
    assert feed.advance(10)[0].ask_close == Decimal("1.39310")
    assert not feed.alive()
    assert feed.venue_now() == utc("2014-05-07T00:02:30.500")


def test_a_running_bar_holds_only_what_was_handed_out(tmp_path: Path) -> None:
    clock = ManualClock()
    feed = replay(write_rows(tmp_path / "eurusd.csv", "time,bid,ask", TICKS), clock=clock)
    feed.advance(10)
    clock.advance(55)
    feed.advance(10)
    bars = feed.bars(Symbol("EURUSD"), Timeframe.M1, limit=10, before=None)
    assert [(bar.close, bar.complete) for bar in bars] == [
        (Decimal("1.39286"), True),
        (Decimal("1.39290"), False),
    ]
    (hour,) = feed.bars(Symbol("EURUSD"), Timeframe.H1, limit=10, before=None)
    assert (hour.high, hour.close, hour.complete) == (Decimal("1.39290"), Decimal("1.39290"), False)


def test_a_bar_is_shown_at_its_end_and_not_before(tmp_path: Path) -> None:
    clock = ManualClock()
    rows = [
        "2014-01-02T14:00:00Z,555.68,557.07,553.18,554.04,1832676",
        "2014-01-02T15:00:00Z,554,554.49,552.64,553.5,1578181",
    ]
    path = write_rows(tmp_path / "aapl_h1.csv", "time,open,high,low,close,volume", rows)
    feed = replay(path, clock=clock)
    clock.advance(3_599)
    assert feed.advance(10) == ()
    assert feed.bars(Symbol("AAPL"), Timeframe.H1, limit=5, before=None) == ()
    clock.advance(1)
    (piece,) = feed.advance(10)
    assert (piece.basis, piece.bid_high, piece.ask_high) == (
        PriceBasis.TRADE,
        Decimal("557.07"),
        Decimal("557.07"),
    )
    (bar,) = feed.bars(Symbol("AAPL"), Timeframe.H1, limit=5, before=None)
    assert (bar.time, bar.complete, bar.volume) == (utc("2014-01-02T14:00"), True, Decimal(1832676))
    assert feed.bars(Symbol("AAPL"), Timeframe.M5, limit=5, before=None) == ()


def test_pause_holds_the_clock_and_speed_changes_do_not_jump(tmp_path: Path) -> None:
    clock = ManualClock()
    feed = replay(write_rows(tmp_path / "eurusd.csv", "time,bid,ask", TICKS), clock=clock)
    begin = feed.venue_now()
    clock.advance(2)
    feed.pause()
    clock.advance(1_000)
    assert (feed.venue_now(), feed.alive()) == (begin + timedelta(seconds=2), False)
    feed.resume()
    clock.advance(3)
    assert (feed.venue_now(), feed.alive()) == (begin + timedelta(seconds=5), True)
    feed.set_speed(Decimal(10))
    assert feed.venue_now() == begin + timedelta(seconds=5)
    clock.advance(4)
    assert feed.venue_now() == begin + timedelta(seconds=45)
    with pytest.raises(ValueError, match="speed"):
        feed.set_speed(Decimal(0))


def test_a_changed_speed_while_paused_counts_from_the_resume(tmp_path: Path) -> None:
    clock = ManualClock()
    path = write_rows(tmp_path / "eurusd.csv", "time,bid,ask", TICKS)
    feed = ReplayFeed.open((path,), clock=clock, paused=True)
    begin = feed.venue_now()
    clock.advance(50)
    feed.set_speed(Decimal(3))
    feed.resume()
    clock.advance(10)
    assert feed.venue_now() == begin + timedelta(seconds=30)


def test_bad_rows_are_skipped_and_counted_and_crossed_ones_kept(tmp_path: Path) -> None:
    clock = ManualClock()
    rows = [
        TICKS[0],
        "2014-05-07T00:00:08Z,,1.39298",
        "2014-05-07T00:00:09Z,nan,1.39298",
        "2014-05-07T00:00:10Z,-1.2,1.39298",
        "2014-05-07T00:00:61Z,1.39286,1.39298",
        "yesterday,1.39286,1.39298",
        "2014-05-07T00:00:11Z,1.39286",
        "",
        "2014-05-07T00:00:12Z,1.39299,1.39298",
        TICKS[1],
    ]
    feed = replay(write_rows(tmp_path / "eurusd.csv", "time,bid,ask", rows), clock=clock)
    assert len(everything(feed, clock)) == 3
    assert feed.problems() == {
        "eurusd.csv: crossed row": 1,
        "eurusd.csv: unreadable row": 7,
    }


def test_a_bar_outside_its_own_range_or_told_twice_is_skipped(tmp_path: Path) -> None:
    clock = ManualClock()
    rows = [
        "2014-01-02T14:00:00Z,5,7,4,6",
        "2014-01-02T14:00:00Z,5,7,4,6",
        "2014-01-02T15:00:00Z,5,4,4,6",
        "2014-01-02T16:00:00Z,5,7,4,6",
    ]
    path = write_rows(tmp_path / "tsla_h1.csv", "time,open,high,low,close", rows)
    feed = replay(path, clock=clock)
    assert len(everything(feed, clock)) == 2
    assert feed.problems() == {"tsla_h1.csv: repeated bar": 1, "tsla_h1.csv: unreadable row": 1}


@pytest.mark.parametrize(
    ("header", "rows", "why"),
    [
        ("time,bid,ask", [TICKS[1], TICKS[0]], "row 3 goes back in time"),
        ("time,bid,ask", ["x,y,z"], "no usable row"),
        ("time,price", ["2014-05-07T00:00:07Z,1"], "neither bid,ask nor bars"),
        ("bid,ask", ["1,2"], "no column time"),
        ("time,open,high,low,close", ["2014-01-02T14:00:00Z,5,7,4,6"], "name the timeframe"),
    ],
)
def test_what_is_no_recording_is_refused_with_the_reason(
    tmp_path: Path, header: str, rows: list[str], why: str
) -> None:
    path = write_rows(tmp_path / "eurusd.csv", header, rows)
    with pytest.raises(ReplayError, match=why):
        replay(path)


def test_a_start_outside_the_recording_and_an_absent_file_are_refused(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "eurusd.csv", "time,bid,ask", TICKS)
    for start, why in (("2014-05-06T00:00", "starts at"), ("2014-05-08T00:00", "ends at")):
        with pytest.raises(ReplayError, match=why):
            ReplayFeed.open((path,), clock=ManualClock(), start=utc(start))
    with pytest.raises(ReplayError, match="No such file"):
        replay(tmp_path / "absent.csv")
    with pytest.raises(ReplayError, match="no file"):
        ReplayFeed.open((), clock=ManualClock())
    with pytest.raises(ReplayError, match="more than one file"):
        ReplayFeed.open((path, path), clock=ManualClock())


def test_a_recording_that_breaks_off_later_ends_there_and_says_why(tmp_path: Path) -> None:
    clock = ManualClock()
    rows = [f"2014-05-07T{n // 60:02}:{n % 60:02}:00Z,1.3,1.4" for n in range(1_000)]
    rows.append("2014-05-06T00:00:00Z,1.3,1.4")
    feed = replay(write_rows(tmp_path / "eurusd.csv", "time,bid,ask", rows), clock=clock)
    assert len(everything(feed, clock)) == 1_000
    assert not feed.alive()
    assert feed.problems() == {"eurusd.csv: row 1002 goes back in time": 1}


def test_rows_before_the_start_are_history(tmp_path: Path) -> None:
    clock = ManualClock()
    path = write_rows(tmp_path / "eurusd.csv", "time,bid,ask", TICKS)
    feed = ReplayFeed.open((path,), clock=clock, start=utc("2014-05-07T00:01:30"))
    assert feed.venue_now() == utc("2014-05-07T00:01:30")
    assert feed.advance(10) == ()
    assert len(feed.bars(Symbol("EURUSD"), Timeframe.M1, limit=9, before=None)) == 2


def test_a_symbol_column_makes_several_symbols(tmp_path: Path) -> None:
    clock = ManualClock()
    rows = [
        "2019-01-01T03:45:00Z,JUNIORBEES,290,292,290,292,3",
        "2019-01-01T03:46:00Z,YESBANK,180,181,179,180.5,118",
    ]
    path = write_rows(tmp_path / "nse_m1.csv", "time,symbol,open,high,low,close,volume", rows)
    feed = replay(path, clock=clock)
    assert [spec.symbol for spec in feed.instruments()] == ["JUNIORBEES", "YESBANK"]
    assert {piece.symbol for piece in everything(feed, clock)} == {"JUNIORBEES", "YESBANK"}
    only = replay(path, symbol="yesbank")
    assert [spec.symbol for spec in only.instruments()] == ["YESBANK"]
    with pytest.raises(ReplayError, match="no rows of TCS"):
        replay(path, symbol="TCS")


def test_two_files_are_one_market_in_time_order(tmp_path: Path) -> None:
    clock = ManualClock()
    euro = write_rows(tmp_path / "eurusd.csv", "time,bid,ask", TICKS)
    yen = [row.replace(":00:1", ":00:0").replace("1.39", "101.39") for row in TICKS]
    dollar = write_rows(tmp_path / "usdjpy.csv", "time,bid,ask", sorted(yen))
    feed = ReplayFeed.open((euro, dollar), clock=clock)
    pieces = everything(feed, clock)
    assert len(pieces) == 8
    assert [piece.end for piece in pieces] == sorted(piece.end for piece in pieces)
    assert feed.source == "replay:eurusd.csv+usdjpy.csv"


@pytest.mark.parametrize(
    ("name", "price", "tick", "calendar", "leverage"),
    [
        ("eurusd_x.csv", "1.39286", "0.00001", CalendarName.FX, 30),
        ("xauusd_x.csv", "1291.677", "0.001", CalendarName.METAL, 30),
        ("xauusd_x.csv", "1291.500000", "0.01", CalendarName.METAL, 30),
        ("nzdusd_x.csv", "0.61234", "0.00001", CalendarName.FX, 30),
        ("tsla_x.csv", "250.5", "0.1", CalendarName.ALWAYS, 1),
        ("pepe_x.csv", "1.25e-05", "0.0000001", CalendarName.ALWAYS, 1),
    ],
)
def test_specs_are_the_known_ones_or_careful(
    tmp_path: Path, name: str, price: str, tick: str, calendar: CalendarName, leverage: int
) -> None:
    rows = [f"2014-05-07T00:00:07Z,{price},{price}"]
    feed = replay(write_rows(tmp_path / name, "time,bid,ask", rows))
    (spec,) = feed.instruments()
    assert (spec.tick_size, spec.calendar, spec.leverage) == (Decimal(tick), calendar, leverage)
    assert feed.advance(1)[0].bid_close == Decimal(price)


def test_the_timeframe_is_the_smallest_gap_when_the_name_tells_none(tmp_path: Path) -> None:
    rows = [f"2014-01-0{day}T14:{minute}:00Z,5,7,4,6" for day in (2, 3) for minute in (15, 30)]
    path = write_rows(tmp_path / "tsla.csv", "time,open,high,low,close", rows)
    feed = replay(path)
    assert feed.bars(Symbol("TSLA"), Timeframe.M5, limit=1, before=None) == ()
    clock = ManualClock()
    assert everything(replay(path, clock=clock), clock)[0].end == utc("2014-01-02T14:30")


def test_parquet_gives_what_csv_gives(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    path = write_rows(tmp_path / "eurusd.csv", "time,bid,ask", TICKS)
    frame = polars.read_csv(path)
    frame.write_parquet(tmp_path / "eurusd.parquet")
    frame.with_columns(polars.col("time").str.to_datetime(time_zone="UTC")).write_parquet(
        tmp_path / "eurusd_typed.parquet"
    )
    told = []
    for name in ("eurusd.csv", "eurusd.parquet", "eurusd_typed.parquet"):
        clock = ManualClock()
        told.append(everything(replay(tmp_path / name, clock=clock), clock))
    assert told[0] == told[1] == told[2]
