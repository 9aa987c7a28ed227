"""Analyses of imported bars: on them alone, as they were known, dated, and never traded on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ordergate.adapters.price_files import PriceTable
from ordergate.adapters.storage.bar_files import BarFiles
from ordergate.bootstrap.lookback import look_back
from ordergate.market.bars.ingest import Ingest
from ordergate.market.bars.reading import Choices
from ordergate.model.errors import GateError
from ordergate.model.instruments import CalendarName
from ordergate.model.market import Timeframe
from ordergate.settings.load import load
from support.doors import AGENT, doors
from support.manual_clock import ManualClock
from support.recordings import write_rows

BEGIN = datetime(2025, 6, 2, tzinfo=UTC)
QUOTED = "time,bid_open,bid_high,bid_low,bid_close,ask_open,ask_high,ask_low,ask_close"


def put(
    root: Path,
    closes: list[float],
    *,
    symbol: str = "ACME",
    venue: str = "mine",
    timeframe: Timeframe = Timeframe.H1,
    begin: datetime = BEGIN,
    spread: float | None = 0.0002,
) -> None:
    """Import bars whose four prices are all the close; the ask lies `spread` above."""
    rows = []
    for number, close in enumerate(closes):
        at = begin + number * timeframe.length
        one = ",".join([f"{close:.5f}"] * 4)
        both = one if spread is None else one + "," + ",".join([f"{close + spread:.5f}"] * 4)
        rows.append(f"{at:%Y-%m-%dT%H:%M:%SZ},{both}")
    header = "time,open,high,low,close" if spread is None else QUOTED
    path = write_rows(root / f"{symbol}{timeframe}{begin:%Y%m%d}.csv", header, rows)
    ingest = Ingest(store=BarFiles(root / "bars"), calendar_of=lambda _: None, clock=ManualClock())
    said = Choices(venue=venue, symbol=symbol, timeframe=timeframe, calendar=CalendarName.ALWAYS)
    ingest.take(PriceTable(path), said)


def asked(root: Path, tool: str, **arguments: Any) -> dict[str, Any]:
    gate = doors(bars=root / "bars")
    request = {"source": "store", **arguments}
    return asyncio.run(gate.dispatch(AGENT, tool, request)).body()


def found(root: Path, tool: str, **arguments: Any) -> dict[str, Any]:
    envelope = asked(root, tool, **arguments)
    assert envelope["ok"], envelope
    data: dict[str, Any] = envelope["data"]
    return data


def wave(count: int) -> list[float]:
    return [1.1 + (n % 24) / 1_000 + n / 100_000 for n in range(count)]


def test_an_average_is_of_the_bars_that_had_closed_by_then(tmp_path: Path) -> None:
    put(tmp_path, [101.0, 102.0, 103.0, 104.0, 105.0, 106.0])
    sma = {"symbol": "ACME", "indicators": ["sma(3)"], "limit": 2}
    whole = found(tmp_path, "compute_indicators", **sma)
    assert whole["columns"][0]["values"] == ["104", "105"]  # (103+104+105)/3, ...
    then = found(tmp_path, "compute_indicators", **sma, as_of="2025-06-02T04:59:59Z")
    assert then["columns"][0]["values"] == ["102", "103"]  # the fifth bar ends a second later
    at = found(tmp_path, "compute_indicators", **sma, as_of="2025-06-02T05:00:00Z")
    assert at["columns"][0]["values"] == ["103", "104"]
    assert (at["as_of"], at["source"]) == (
        "2025-06-02T05:00:00.000Z",
        "store:mine:ACMEH120250602.csv",
    )
    age = (ManualClock().now() - datetime(2025, 6, 2, 5, tzinfo=UTC)).total_seconds()
    assert float(at["age_s"]) == age
    assert at["synthetic"] is False


def test_a_made_bar_is_not_there_before_its_last_part_has_closed(tmp_path: Path) -> None:
    put(tmp_path, [1001.0 + n for n in range(24 * 5)])
    ask = {"symbol": "ACME", "timeframe": "H4", "indicators": ["sma(2)"], "limit": 1}
    # Days begin at 17:00 New York, 21:00 UTC in June: H4 bars at 21, 01, 05, 09, 13, 17.
    early = found(tmp_path, "compute_indicators", **ask, as_of="2025-06-04T04:59:00Z")
    assert early["time"] == ["2025-06-03T21:00:00Z"]
    ripe = found(tmp_path, "compute_indicators", **ask, as_of="2025-06-04T05:00:00Z")
    assert ripe["time"] == ["2025-06-04T01:00:00Z"]
    assert ripe["close"] == ["1053"]  # the hour of 2025-06-04T04:00 is the 53rd since 06-02T00:00
    assert ripe["notes"][-1] == "ACME H4: made of H1"


def test_days_of_their_own_beginning_end_when_they_end(tmp_path: Path) -> None:
    """A D1 bar from 00:00 UTC is not known at 21:00, when New York's day ends."""
    put(tmp_path, [101.0, 102.0, 103.0, 104.0], timeframe=Timeframe.D1)
    ask = {"symbol": "ACME", "timeframe": "D1", "indicators": ["sma(2)"], "limit": 1}
    early = found(tmp_path, "compute_indicators", **ask, as_of="2025-06-04T23:59:59Z")
    assert early["close"] == ["102"]
    assert found(tmp_path, "compute_indicators", **ask, as_of="2025-06-05T00:00:00Z")["close"] == [
        "103"
    ]


def test_no_indicator_reaches_over_a_hole(tmp_path: Path) -> None:
    put(tmp_path, [99.0] * 50, begin=BEGIN - timedelta(days=60))
    put(tmp_path, [101.0, 102.0, 103.0])
    short = asked(tmp_path, "compute_indicators", symbol="ACME", indicators=["sma(4)"])
    assert "insufficient_history: 3 closed H1 bars, 4 needed" in short["error"]["message"]
    signal = asked(tmp_path, "generate_signal", symbol="ACME", long_when="close > 0")
    assert "57 days without any: left out" in signal["error"]["fix"]
    said = found(tmp_path, "compute_indicators", symbol="ACME", indicators=["sma(3)"], limit=1)
    assert said["columns"][0]["values"] == ["102"]
    assert "57 days without any: left out" in said["notes"][-1]


def test_a_signal_is_held_back_and_has_no_price_of_now(tmp_path: Path) -> None:
    put(tmp_path, wave(800), symbol="EURUSD")  # the feed has it, too, at another price
    said = found(tmp_path, "generate_signal", symbol="EURUSD", long_when="close > 0")
    assert (said["direction"], said["proposed"], said["quote"]) == ("long", False, None)
    assert any("never a price to trade on" in why for why in said["held_back"])
    assert float(said["entry"]) == pytest.approx(wave(800)[-1], abs=1e-5)
    risk = float(said["entry"]) - float(said["stop"])
    sure, reward = float(said["confidence"]), float(said["reward_risk"])
    edge = sure * reward - (1 - sure) - 0.0002 / risk  # the spread of the last imported bar
    assert float(said["edge"]) == pytest.approx(edge, abs=2e-3)


def test_trades_alone_have_no_spread_so_no_edge(tmp_path: Path) -> None:
    put(tmp_path, wave(800), spread=None)
    said = found(tmp_path, "generate_signal", symbol="ACME", long_when="close > 0")
    assert said["edge"] is None
    assert any("spread" in why for why in said["held_back"])


def test_a_scan_ranks_what_is_stored_and_says_when_days_differ(tmp_path: Path) -> None:
    put(tmp_path, wave(1_500))
    put(tmp_path, wave(1_500)[::-1], symbol="OTHER", begin=BEGIN - timedelta(days=40))
    put(tmp_path, [1.0] * 20, symbol="YOUNG")
    said = found(tmp_path, "scan_opportunities", timeframes=["H1", "H4"])
    assert {one["symbol"] for one in said["opportunities"]} == {"ACME", "OTHER"}
    assert {one["what"].split()[0] for one in said["failures"]} == {"YOUNG"}
    assert any("different times" in note for note in said["notes"])
    then = found(tmp_path, "scan_opportunities", timeframes=["H1"], as_of="2025-06-20T00:00:00Z")
    assert {one["as_of"] for one in then["opportunities"]} == {"2025-06-20T00:00:00.000Z"}
    assert not any("different times" in note for note in then["notes"])


def test_bars_that_ended_long_before_are_not_told_as_of_then(tmp_path: Path) -> None:
    put(tmp_path, wave(1_500))
    error = asked(
        tmp_path,
        "compute_indicators",
        symbol="ACME",
        indicators=["sma(3)"],
        as_of="2025-12-01T00:00:00Z",
    )["error"]
    assert error["code"] == "DATA_UNAVAILABLE"
    assert "ended 2025-08-03 12:00Z, 119 days before as_of" in error["message"]


def test_timeframes_that_end_far_apart_are_not_one_score(tmp_path: Path) -> None:
    put(tmp_path, wave(1_500))
    old = BEGIN - timedelta(days=30)
    put(tmp_path, wave(20_000), timeframe=Timeframe.M1, begin=old)
    said = found(tmp_path, "scan_opportunities", symbols=["ACME"], timeframes=["M15", "H1"])
    (one,) = said["opportunities"]
    assert [view["timeframe"] for view in one["views"]] == ["H1"]
    assert "before those of another timeframe" in said["failures"][0]["message"]


def test_context_and_comparison_stand_on_the_same_ground(tmp_path: Path) -> None:
    put(tmp_path, wave(4_000))
    put(tmp_path, [2 * one for one in wave(4_000)], symbol="DOUBLE")
    as_of = "2025-10-01T10:30:00Z"
    both = found(tmp_path, "compare_symbols", symbols=["ACME", "DOUBLE"], as_of=as_of)
    assert [one["spread"] for one in both["symbols"]] == ["0.0002", "0.0002"]
    assert float(both["symbols"][1]["correlation"]) == pytest.approx(1, abs=0.01)
    above = found(tmp_path, "htf_context", symbol="ACME", timeframe="H1", as_of=as_of)
    assert above["as_of"] == "2025-10-01T10:00:00.000Z"
    assert all(view["as_of"] <= above["as_of"] for view in above["views"])


def test_a_packet_of_imported_bars_tells_nothing_of_now(tmp_path: Path) -> None:
    put(tmp_path, wave(4_000), symbol="EURUSD")
    said = found(tmp_path, "analysis_packet", symbol="EURUSD", timeframes=["H1", "H4"])
    assert (said["quote"], said["positions"], said["killed"], said["mode"]) == (None,) * 4
    assert said["headroom"] == []
    assert "say nothing of now" in said["left_out"][0]
    assert said["score"]["views"][0]["source"].startswith("store:mine:")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"symbol": "NONE"}, "RESOURCE_NOT_FOUND"),
        ({"symbol": "ACME", "as_of": "2999-01-01T00:00:00Z"}, "INVALID_ARGUMENT"),
        ({"symbol": "ACME", "as_of": "2020-01-01T00:00:00Z"}, "DATA_UNAVAILABLE"),
        (
            {"symbol": "EURUSD", "source": "live", "as_of": "2025-01-01T00:00:00Z"},
            "INVALID_ARGUMENT",
        ),
        ({"symbol": "ACME", "source": "live"}, "SYMBOL_NOT_FOUND"),
    ],
)
def test_what_cannot_be_told_is_refused(
    tmp_path: Path, arguments: dict[str, Any], code: str
) -> None:
    put(tmp_path, wave(100))
    error = asked(tmp_path, "compute_indicators", indicators=["sma(3)"], **arguments)["error"]
    assert error["code"] == code
    if code == "SYMBOL_NOT_FOUND":
        assert 'source "store:mine"' in error["fix"]


def test_the_same_answers_come_without_a_gateway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, wave(1_500))
    environment = {
        "ORDERGATE_DATA_DIR": str(tmp_path),
        "ORDERGATE_CONFIG_DIR": str(tmp_path / "config"),
    }
    asking = {"timeframes": ["H1", "H4"], "as_of": "2025-07-01T00:00:00Z"}
    alone = look_back(load(environment), "scan_opportunities", {"source": "store", **asking})
    gate = found(tmp_path, "scan_opportunities", **asking)
    ages = ("age_s",)

    def ageless(item: Any) -> Any:
        if isinstance(item, dict):
            return {name: ageless(value) for name, value in item.items() if name not in ages}
        return [ageless(one) for one in item] if isinstance(item, list) else item

    assert ageless(dict(alone)) == ageless(gate)
    with pytest.raises(GateError):
        look_back(load(environment), "scan_opportunities", {"source": "live"})
