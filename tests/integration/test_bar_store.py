"""The store of bars on a real disk: appends, deaths in the middle, damage, and two at once."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy
import pytest

from ordergate.adapters.storage import bar_files
from ordergate.adapters.storage.bar_files import PART_ROWS, BarFiles
from ordergate.model.errors import NotReady
from ordergate.model.holdings import Holding, Import, Jump, Rows, SeriesKey
from ordergate.model.instruments import CalendarName
from ordergate.model.market import PriceBasis, Timeframe
from ordergate.model.values import Symbol
from ordergate.ports.bars import StoreDamaged
from support.bar_series import MINUTE, ns, rows, series

KEY = SeriesKey("oanda", Symbol("EURUSD"), Timeframe.M1)
BEGIN = ns("2026-01-05T00:00")


def many(first: int, count: int, *, complete: bool = True, ask: bool = True) -> Rows:
    """Return bars from minute `first` on; each closes at 1 + its minute / 1000."""
    minutes = numpy.arange(first, first + count)
    made = series(
        (BEGIN + minutes * MINUTE).tolist(), 1 + minutes / 1000, complete=complete, ask=ask
    )
    return rows(made)


def holding(stored: Rows, total: int, key: SeriesKey = KEY) -> Holding:
    made = stored.series
    basis = PriceBasis.TRADE if made.ask is None else PriceBasis.BID_ASK
    origin = Import(1, "x.csv", "0" * 64, datetime(2026, 1, 7, tzinfo=UTC), total, "stamp=start")
    return Holding(
        key,
        basis,
        CalendarName.FX,
        total,
        BEGIN,
        int(made.time[-1]),
        made.complete,
        (origin,),
        (Jump(BEGIN, 1.0, 2.0, "2:1"),),
    )


def put(store: BarFiles, stored: Rows, total: int, key: SeriesKey = KEY) -> None:
    with store.edit(key) as shelf:
        shelf.put(stored, since=int(stored.series.time[0]), holding=holding(stored, total, key))


@pytest.fixture
def store(tmp_path: Path) -> BarFiles:
    return BarFiles(tmp_path / "bars")


def test_what_is_put_is_read_back_bit_for_bit(store: BarFiles) -> None:
    made = many(0, 1_000, complete=False)
    put(store, made, 1_000)
    found = store.read(KEY, limit=5_000)
    assert found is not None
    for name in ("time", "open", "high", "low", "close", "volume"):
        assert (getattr(found, name) == getattr(made.series, name)).all()
    assert found.ask is not None
    assert made.series.ask is not None
    assert (found.ask.low == made.series.ask.low).all()
    assert not found.complete
    assert found.source == "oanda:x.csv"
    assert store.holding(KEY) == holding(made, 1_000)
    assert [item.key for item in store.holdings()] == [KEY]


def test_appends_over_part_boundaries_lose_and_double_nothing(store: BarFiles) -> None:
    total = 0
    for count in (PART_ROWS - 10, 5, 5, 1, PART_ROWS + 7, 30_000):
        put(store, many(total, count), total + count)
        total += count
    found = store.read(KEY, limit=total + 1)
    assert found is not None
    assert (numpy.diff(found.time) == MINUTE).all()
    assert len(found) == total
    assert store.verify(KEY) == total


@pytest.mark.parametrize("before", [None, 1, 10, PART_ROWS, PART_ROWS + 1, 2 * PART_ROWS - 3])
@pytest.mark.parametrize("limit", [1, 7, 1_000, PART_ROWS + 5])
def test_a_page_is_the_newest_bars_before_a_moment(
    store: BarFiles, limit: int, before: int | None
) -> None:
    total = 2 * PART_ROWS
    put(store, many(0, total), total)
    edge = None if before is None else BEGIN + before * MINUTE
    found = store.read(KEY, limit=limit, before=edge)
    assert found is not None
    end = total if before is None else before
    expected = numpy.arange(max(0, end - limit), end)
    assert ((found.time - BEGIN) // MINUTE).tolist() == expected.tolist()


def test_a_change_in_the_middle_keeps_what_is_before_it(store: BarFiles) -> None:
    put(store, many(0, PART_ROWS + 100), PART_ROWS + 100)
    with store.edit(KEY) as shelf:
        since = BEGIN + 50 * MINUTE
        old = shelf.tail(since)
        assert old is not None
        assert len(old.series) == PART_ROWS + 50
        shelf.put(many(50, 10), since=since, holding=holding(many(50, 10), 60))
    found = store.read(KEY, limit=1_000)
    assert found is not None
    assert len(found) == 60


def test_a_series_nobody_stored_is_none(store: BarFiles) -> None:
    assert store.holding(KEY) is None
    assert store.read(KEY, limit=1) is None
    assert store.holdings() == ()
    assert store.verify(KEY) == 0


@pytest.mark.parametrize("symbol", ["BTC/USDT", "BRK.B", "..", "#US30", "A-B_C"])
def test_any_symbol_has_a_folder_of_its_own_inside_the_store(
    store: BarFiles, tmp_path: Path, symbol: str
) -> None:
    key = SeriesKey("x", Symbol(symbol), Timeframe.M1)
    put(store, many(0, 3), 3, key)
    assert store.holding(key) is not None
    manifests = list((tmp_path / "bars").glob("*/*/*/series.json"))
    assert len(manifests) == 1


HERE = Path(__file__).parent
PATHS = f"import sys; sys.path[:0] = {[str(HERE), str(HERE.parent)]!r}\n"
CHILD = """
import os
from pathlib import Path
import test_bar_store as here
steps = 0
real = {{"replace": Path.replace, "fsync": os.fsync}}
def die(name):
    def step(*args, **kwargs):
        global steps
        steps += 1
        if steps == {at}:
            os._exit(9)
        return real[name](*args, **kwargs)
    return step
store = here.BarFiles(Path({root!r}))
Path.replace, os.fsync = die("replace"), die("fsync")
here.put(store, here.many(1_000, {count}), 1_000 + {count})
"""


@pytest.mark.parametrize("at", range(1, 9))
def test_a_death_at_any_write_leaves_the_old_or_the_new_series(tmp_path: Path, at: int) -> None:
    """Killed at its at-th write to the disk; the store then holds all of one of the two."""
    root = tmp_path / "bars"
    store = BarFiles(root)
    put(store, many(0, 1_000), 1_000)
    count = PART_ROWS  # two parts: the last one made full, and a new one
    program = PATHS + CHILD.format(root=str(root), at=at, count=count)
    done = subprocess.run([sys.executable, "-c", program], timeout=50, check=False)
    whole = store.verify(KEY)
    assert whole in (1_000, 1_000 + count)
    assert whole == 1_000 + count or done.returncode == 9
    found = store.read(KEY, limit=10**6)
    assert found is not None
    assert len(found) == whole
    put(store, many(whole, 10), whole + 10)  # the next change sweeps what was left
    assert not list(root.rglob("*.new"))
    assert store.verify(KEY) == whole + 10


def test_damage_is_found_and_never_read_over(store: BarFiles, tmp_path: Path) -> None:
    put(store, many(0, 1_000), 1_000)
    part = next((tmp_path / "bars").rglob("*.parquet"))
    whole = part.read_bytes()
    part.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreDamaged) as damaged:
        store.read(KEY, limit=10)
    assert "import it again" in damaged.value.fix
    flipped = bytearray(whole)
    flipped[len(flipped) // 3] ^= 1
    part.write_bytes(flipped)
    with pytest.raises(StoreDamaged):
        store.verify(KEY)
    part.unlink()
    with pytest.raises(StoreDamaged):
        store.read(KEY, limit=10)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 2}', '{"format": 1}'])
def test_a_manifest_that_is_none_says_so(store: BarFiles, tmp_path: Path, text: str) -> None:
    put(store, many(0, 10), 10)
    next((tmp_path / "bars").rglob("series.json")).write_text(text)
    with pytest.raises(StoreDamaged):
        store.holdings()


def test_a_folder_put_under_another_name_is_not_believed(store: BarFiles, tmp_path: Path) -> None:
    put(store, many(0, 10), 10)
    shutil.copytree(tmp_path / "bars/oanda/EURUSD", tmp_path / "bars/oanda/GBPUSD")
    with pytest.raises(StoreDamaged, match="holds oanda EURUSD M1"):
        store.read(SeriesKey("oanda", Symbol("GBPUSD"), Timeframe.M1), limit=1)


def test_two_writers_of_one_series_wait_for_each_other(
    store: BarFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bar_files, "LOCK_WAIT_S", 0.2)
    with store.edit(KEY), pytest.raises(NotReady, match="EURUSD"), store.edit(KEY):
        pass
    with store.edit(KEY):
        pass


FULL = """
import resource, signal
from pathlib import Path
import test_bar_store as here
from ordergate.ports.bars import StoreUnwritable
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))
try:
    here.put(here.BarFiles(Path({root!r})), here.many(1_000, 60_000), 61_000)
except StoreUnwritable as no:
    raise SystemExit(0 if no.fix else 2)
raise SystemExit(1)
"""


@pytest.mark.parametrize("most", [0, 4_096, 300_000])
def test_a_disk_that_takes_no_more_leaves_the_old_series(tmp_path: Path, most: int) -> None:
    root = tmp_path / "bars"
    store = BarFiles(root)
    put(store, many(0, 1_000), 1_000)
    before = sorted(path.name for path in root.rglob("*.*"))
    program = PATHS + FULL.format(root=str(root), most=most)
    done = subprocess.run([sys.executable, "-c", program], timeout=50, check=False)
    assert done.returncode == 0
    assert store.verify(KEY) == 1_000
    assert sorted(path.name for path in root.rglob("*.*")) == before, "its rests are swept"


APPEND = """
from pathlib import Path
import test_bar_store as here
store = here.BarFiles(Path({root!r}))
for step in range(5):
    with store.edit(here.KEY) as shelf:
        there = 0 if shelf.holding is None else shelf.holding.rows
        made = here.many(there, 100 + {worker} + step)
        total = there + len(made.series)
        shelf.put(made, since=int(made.series.time[0]), holding=here.holding(made, total))
"""


@pytest.mark.slow
def test_many_writers_and_a_reader_see_whole_series_alone(tmp_path: Path) -> None:
    root = str(tmp_path / "bars")
    programs = [PATHS + APPEND.format(root=root, worker=number) for number in range(3)]
    writers = [subprocess.Popen([sys.executable, "-c", program]) for program in programs]
    store = BarFiles(Path(root))
    until = time.monotonic() + 40
    try:
        while any(writer.poll() is None for writer in writers) and time.monotonic() < until:
            found = store.read(KEY, limit=10**6)
            assert found is None or (numpy.diff(found.time) == MINUTE).all()
    finally:
        ended = [writer.wait(40) for writer in writers]
    assert ended == [0, 0, 0]
    assert store.verify(KEY) == sum(100 + w + s for w in range(3) for s in range(5))
