"""get_bars over what was imported: pages, higher timeframes, scales that break, unknown symbols."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ordergate.adapters.price_files import PriceTable
from ordergate.adapters.storage.bar_files import BarFiles
from ordergate.market.bars.ingest import Ingest
from ordergate.market.bars.reading import Choices
from ordergate.model.errors import Code
from ordergate.model.instruments import CalendarName
from ordergate.model.market import Timeframe
from support.doors import AGENT, doors
from support.manual_clock import ManualClock
from support.recordings import write_rows

BEGIN = datetime(2026, 1, 5, 22, tzinfo=UTC)  # a day of FX begins


def put(
    root: Path,
    closes: list[str],
    *,
    symbol: str = "ACME",
    venue: str = "mine",
    timeframe: Timeframe = Timeframe.M1,
    calendar: CalendarName | None = CalendarName.ALWAYS,
) -> None:
    rows = []
    for number, close in enumerate(closes):
        at = BEGIN + number * timeframe.length
        rows.append(f"{at:%Y-%m-%dT%H:%M:%SZ},{close},{close},{close},{close},{number}")
    path = write_rows(root / f"{symbol}.csv", "time,open,high,low,close,volume", rows)
    store = BarFiles(root / "bars")
    ingest = Ingest(store=store, calendar_of=lambda _: None, clock=ManualClock())
    said = Choices(venue=venue, symbol=symbol, timeframe=timeframe, calendar=calendar)
    ingest.take(PriceTable(path), said)


def asked(root: Path, **arguments: Any) -> dict[str, Any]:
    gate = doors(bars=root / "bars")
    request = {"symbol": "ACME", "timeframe": "M1", "source": "store", **arguments}
    envelope = asyncio.run(gate.dispatch(AGENT, "get_bars", request))
    return envelope.body()


def found(root: Path, **arguments: Any) -> dict[str, Any]:
    envelope = asked(root, **arguments)
    assert envelope["ok"], envelope
    data: dict[str, Any] = envelope["data"]
    return data


def test_an_imported_symbol_the_venue_does_not_have_is_read(tmp_path: Path) -> None:
    put(tmp_path, ["1.10000", "0.9", "1.00001"])
    answer = found(tmp_path)
    assert answer["close"] == ["1.1", "0.9", "1.00001"]
    assert answer["volume"] == ["0", "1", "2"]
    assert answer["source"] == "store:mine:ACME.csv"
    assert (answer["basis"], answer["synthetic"], answer["last_complete"]) == ("trade", False, True)
    assert answer["time"][0] == "2026-01-05T22:00:00Z"
    assert float(answer["age_s"]) == (ManualClock().now() - BEGIN).total_seconds() - 180


def test_live_stays_the_default(tmp_path: Path) -> None:
    put(tmp_path, ["1.1"], symbol="EURUSD")
    assert found(tmp_path, symbol="EURUSD", source="live")["source"] == "manual"


def test_pages_reach_the_beginning_and_hold_every_bar_once(tmp_path: Path) -> None:
    put(tmp_path, [str(1 + n / 10_000) for n in range(700)])
    times: list[str] = []
    before: dict[str, str] = {}
    for _ in range(10):
        page = found(tmp_path, limit=300, **before)
        times = [*page["time"], *times]
        if page["next_before"] is None:
            break
        before = {"before": page["next_before"]}
    expected = [BEGIN + timedelta(minutes=n) for n in range(700)]
    assert times == [f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in expected]


@pytest.mark.parametrize("limit", [1, 3, 7, 300])
def test_higher_timeframes_page_like_stored_ones(tmp_path: Path, limit: int) -> None:
    put(tmp_path, [str(1 + n % 100 / 1_000) for n in range(60 * 30 + 17)])
    whole = found(tmp_path, timeframe="H1", limit=300)
    assert len(whole["time"]) == 31
    assert whole["note"] == "made of M1"
    assert not whole["last_complete"]
    assert [float(v) for v in whole["volume"][:2]] == [sum(range(60)), sum(range(60, 120))]
    times: list[str] = []
    volumes: list[str] = []
    before: dict[str, str] = {}
    for _ in range(60):
        page = found(tmp_path, timeframe="H1", limit=limit, **before)
        assert 0 < len(page["time"]) <= limit
        times, volumes = [*page["time"], *times], [*page["volume"], *volumes]
        if page["next_before"] is None:
            break
        before = {"before": page["next_before"]}
    assert (times, volumes) == (whole["time"], whole["volume"])


def test_a_before_inside_a_bar_still_gives_that_bar_whole(tmp_path: Path) -> None:
    put(tmp_path, ["1"] * 600)
    page = found(tmp_path, timeframe="H1", limit=1, before="2026-01-06T00:30:00Z")
    assert page["time"] == ["2026-01-06T00:00:00Z"]
    assert float(page["volume"][0]) == sum(range(120, 180))


@pytest.mark.parametrize(
    ("calendar", "begins"),
    [
        (CalendarName.FX, "2026-01-06T22:00:00Z"),
        (CalendarName.ALWAYS, "2026-01-06T22:00:00Z"),
        (CalendarName.XNSE, "2026-01-06T18:30:00Z"),
    ],
)
def test_days_are_those_of_the_market(tmp_path: Path, calendar: CalendarName, begins: str) -> None:
    put(tmp_path, ["1"] * 36, timeframe=Timeframe.H1, calendar=calendar)
    assert found(tmp_path, timeframe="D1")["time"][-1] == begins


def test_no_page_holds_two_scales_and_the_next_goes_on_before_the_break(tmp_path: Path) -> None:
    put(tmp_path, ["400"] * 5 + ["100"] * 5, calendar=None)
    newer = found(tmp_path)
    assert newer["close"] == ["100"] * 5
    assert "4:1 split" in newer["note"]
    older = found(tmp_path, before=newer["next_before"])
    assert older["close"] == ["400"] * 5
    assert older["note"] is None
    higher = found(tmp_path, timeframe="M5", limit=10)
    assert set(higher["close"]) == {"100"}


def test_two_venues_of_one_symbol_are_never_mixed(tmp_path: Path) -> None:
    put(tmp_path, ["1"], venue="one")
    put(tmp_path, ["2"], venue="two")
    answer = asked(tmp_path)
    assert answer["error"]["code"] == Code.INVALID_ARGUMENT
    assert "store:one" in answer["error"]["fix"]
    assert found(tmp_path, source="store:two")["close"] == ["2"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"symbol": "ACMF"}, Code.RESOURCE_NOT_FOUND),
        ({"source": "store:nowhere"}, Code.RESOURCE_NOT_FOUND),
        ({"before": "2001-01-01T00:00:00Z"}, Code.DATA_UNAVAILABLE),
        ({"source": "store:../../etc"}, Code.INVALID_ARGUMENT),
        ({"source": "elsewhere"}, Code.INVALID_ARGUMENT),
        ({"symbol": "../../etc/passwd"}, Code.RESOURCE_NOT_FOUND),
    ],
)
def test_what_is_not_stored_is_said_not_to_be(
    tmp_path: Path, arguments: dict[str, str], code: Code
) -> None:
    put(tmp_path, ["1"])
    answer = asked(tmp_path, **arguments)
    assert answer["error"]["code"] == code
    assert answer["error"]["fix"]


def test_an_empty_store_says_how_to_fill_it(tmp_path: Path) -> None:
    assert "data import" in asked(tmp_path)["error"]["fix"]
