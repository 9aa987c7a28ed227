"""Whatever bytes a price file holds: it is imported whole, or refused with a way out."""

from __future__ import annotations

import gzip
import shutil
import tempfile
from pathlib import Path

import numpy
from hypothesis import given
from hypothesis import strategies as st

from ordergate.adapters.price_files import PriceTable
from ordergate.adapters.storage.bar_files import BarFiles
from ordergate.market.bars.faults import DROPPABLE
from ordergate.market.bars.ingest import Ingest
from ordergate.market.bars.reading import Choices
from ordergate.model.errors import GateError
from ordergate.model.instruments import CalendarName
from support.examples import examples
from support.manual_clock import ManualClock

HEADERS = (
    "time,open,high,low,close,volume",
    "time,bid,ask",
    "time;bid;ask",
    "timestamp,price,size",
    "date,time,open,high,low,close",
    "time,symbol,open,high,low,close",
)
CELLS = st.one_of(
    st.integers(1, 30).map(lambda n: f"2026-01-07T10:{n:02d}:00Z"),
    st.integers(-5, 5).map(str),
    st.floats(width=32).map(str),
    st.sampled_from(["", "NaN", "-inf", "1e400", '"', "1767780000", "2026-01-07", "abc", "\x00"]),
    st.text(max_size=6),
)
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=7), max_size=12)


def outcome(content: bytes, said: Choices) -> str:
    root = Path(tempfile.mkdtemp())
    try:
        path = root / "x_m1.csv"
        path.write_bytes(content)
        store = BarFiles(root / "bars")
        ingest = Ingest(store=store, calendar_of=lambda _: None, clock=ManualClock())
        refused: GateError | None = None
        try:
            ingest.take(PriceTable(path), said)
        except GateError as no:
            refused = no
        if refused is not None:
            assert refused.fix
            assert len(refused.message) <= 1_000
            assert store.holdings() == ()
            return "refused"
        for held in store.holdings():
            found = store.read(held.key, limit=10**6)
            assert found is not None
            assert len(found) == held.rows > 0
            assert (numpy.diff(found.time) > 0).all()
            assert (found.low > 0).all()
            assert (found.high >= numpy.maximum(found.open, found.close)).all()
            assert found.ask is None or (found.open <= found.ask.open).all()
        return "taken"
    finally:
        shutil.rmtree(root)


@examples(250)
@given(st.sampled_from(HEADERS), ROWS, st.booleans(), st.booleans())
def test_tables_of_anything(header: str, rows: list[list[str]], loose: bool, packed: bool) -> None:
    separator = ";" if ";" in header else ","
    text = "\n".join([header, *(separator.join(row) for row in rows)])
    content = text.encode("utf-8", errors="replace")
    said = Choices(venue="x")
    if loose:
        said = Choices(venue="x", drop=DROPPABLE, sort=True, zone="UTC", calendar=CalendarName.FX)
    outcome(gzip.compress(content) if packed else content, said)


@examples(150)
@given(st.binary(max_size=300), st.booleans())
def test_any_bytes(content: bytes, parquet: bool) -> None:
    outcome((b"PAR1" if parquet else b"") + content, Choices(venue="x", zone="UTC"))


def test_a_good_table_is_taken() -> None:
    """The other two would pass if everything were refused."""
    rows = "\n".join(f"2026-01-07T10:{n:02d}:00Z,1,2,1,2,5" for n in range(30))
    assert outcome(f"{HEADERS[0]}\n{rows}".encode(), Choices(venue="x")) == "taken"
