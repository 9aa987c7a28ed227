"""Every real price file imported and looked at; and files that tell the same story compared."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy
import pytest

from ordergate.adapters.instruments import KNOWN
from ordergate.adapters.price_files import PriceTable
from ordergate.adapters.storage.bar_files import BarFiles
from ordergate.market.bars.columnar import resample_columns
from ordergate.market.bars.ingest import Ingest
from ordergate.market.bars.reading import Choices
from ordergate.market.bars.report import RowsRefused, SeriesReport
from ordergate.model.holdings import SeriesKey
from ordergate.model.instruments import CalendarName
from ordergate.model.market import Timeframe
from ordergate.model.series import Series
from ordergate.model.values import Symbol
from support.bar_series import iso
from support.manual_clock import ManualClock
from support.recordings import real


def desk(root: Path) -> tuple[BarFiles, Ingest]:
    store = BarFiles(root)
    hours = {symbol: item.calendar for symbol, item in KNOWN.items()}
    return store, Ingest(store=store, calendar_of=hours.get, clock=ManualClock())


def taken(root: Path, name: str, *, venue: str = "x", indian: bool = False) -> list[SeriesReport]:
    _, ingest = desk(root)
    said = Choices(venue=venue, calendar=CalendarName.XNSE if indian else None)
    return list(ingest.take(PriceTable(real(name)), said))


def stored(root: Path, symbol: str, timeframe: Timeframe, *, venue: str = "x") -> Series:
    found = desk(root)[0].read(SeriesKey(venue, Symbol(symbol), timeframe), limit=10**7)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "bars", "gaps", "closed"),
    [
        ("eurusd_oanda_m1_bidask.csv.gz", 18_184, 437, 0),
        ("eurusd_oanda_h1_bidask.csv.gz", 43_265, 19, 0),
        ("eurusd_oanda_d1_bidask.csv.gz", 3_738, 9, 0),
        # Gold was quoted some minutes into the break, and in its first years all through it.
        ("xauusd_oanda_m1_bidask.csv.gz", 15_222, 63, 117),
        ("xauusd_oanda_h1_bidask.csv.gz", 41_712, 342, 746),
        ("xauusd_oanda_d1_bidask.csv.gz", 3_949, 77, 0),
        ("aapl_h1.csv.gz", 12_720, 0, 0),  # against NYSE's table: 7 years without a gap
        ("btcusd_coinbase_h1.csv.gz", 20_111, 0, 0),
        ("btcusd_coinbase_d1.csv.gz", 1_318, 8, 0),
        ("btcusdt_bybit_m1_20221213_bidask.csv.gz", 721, 0, 0),
    ],
)
def test_a_real_file_is_whole_and_keeps_its_market_s_hours(
    tmp_path: Path, name: str, bars: int, gaps: int, closed: int
) -> None:
    (report,) = taken(tmp_path, name)
    assert (report.rows, report.added, report.findings) == (bars, bars, ())
    assert report.presence is not None
    assert (report.presence.gaps, report.presence.closed) == (gaps, closed)
    assert report.presence.shift_h is None


def test_two_indian_shares_keep_the_nse_s_hours(tmp_path: Path) -> None:
    first, second = taken(tmp_path, "nse_m1.csv.gz", indian=True)
    assert (first.key.symbol, first.rows, second.key.symbol, second.rows) == (
        *("JUNIORBEES", 783),
        *("YESBANK", 1_130),
    )
    assert first.presence is not None
    assert second.presence is not None
    # A few minutes of the closing session after 15:30.
    assert (first.presence.closed, second.presence.closed) == (0, 5)


def test_apple_s_two_splits_are_named(tmp_path: Path) -> None:
    (report,) = taken(tmp_path, "aapl_h1.csv.gz")
    found = [(iso(jump.at)[:10], jump.split) for jump in report.jumps]
    assert found == [("2014-06-09", "7:1"), ("2020-08-31", "4:1")]


def test_a_file_read_in_the_wrong_zone_is_refused(tmp_path: Path) -> None:
    """Hours of UTC taken for Tokyo's lie in the weekend."""
    lines = gzip.decompress(real("eurusd_oanda_h1_bidask.csv.gz").read_bytes()).decode()
    path = tmp_path / "eurusd_h1.csv"
    path.write_text(lines.replace("Z,", ","))
    _, ingest = desk(tmp_path / "bars")
    with pytest.raises(RowsRefused, match=r"wrong_zone: [\d,]+ rows .* moved by \+?-?\d+ hours"):
        ingest.take(PriceTable(path), Choices(venue="x", zone="Asia/Tokyo"))
    ingest.take(PriceTable(path), Choices(venue="x", zone="UTC"))


def test_ticks_and_minutes_of_one_source_tell_the_same_story(tmp_path: Path) -> None:
    taken(tmp_path, "eurusd_oanda_m1_bidask.csv.gz")
    (report,) = taken(tmp_path, "eurusd_oanda_ticks.csv.gz")
    # All but the last, unfinished one, bit for bit: bids and asks.
    assert (report.rows, report.added, report.same, report.differing) == (210_119, 0, 5_647, 0)


def test_minutes_resampled_are_the_hours_of_the_same_source(tmp_path: Path) -> None:
    taken(tmp_path, "eurusd_oanda_m1_bidask.csv.gz")
    taken(tmp_path, "eurusd_oanda_h1_bidask.csv.gz")
    made = resample_columns(stored(tmp_path, "EURUSD", Timeframe.M1), Timeframe.H1)
    theirs = stored(tmp_path, "EURUSD", Timeframe.H1)
    both, ours_at, theirs_at = numpy.intersect1d(made.time, theirs.time, return_indices=True)
    assert len(both) > 290
    assert made.ask is not None
    assert theirs.ask is not None
    # Its hours open at the last hour's close, ours at their own first tick: opens are not compared.
    for name, share in (("close", 1.0), ("high", 0.98), ("low", 0.98)):
        for ours, other in ((made, theirs), (made.ask, theirs.ask)):
            left, right = getattr(ours, name)[ours_at], getattr(other, name)[theirs_at]
            assert (left == right).mean() >= share, name
