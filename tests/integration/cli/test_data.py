"""`ordergate data` as a person types it, over a real store."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ordergate.bootstrap import bar_data, bar_sources
from ordergate.settings.load import Settings, load
from ordergate.surfaces.cli.starts import DataStarts
from support.bar_series import HOUR, ns
from support.cli_gateway import ordergate
from support.fake_bar_source import FakeBarSource
from support.recordings import write_rows

HEADER = "time,open,high,low,close,volume"
ROWS = [f"2026-01-07T10:{n:02d}:00Z,1.1,1.3,1.0,1.2,{n}" for n in range(30)]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    places = {"ORDERGATE_CONFIG_DIR": tmp_path / "config", "ORDERGATE_DATA_DIR": tmp_path / "data"}
    for place in places.values():
        place.mkdir(mode=0o700)
    return load({name: str(place) for name, place in places.items()})


@pytest.fixture
def run(settings: Settings, capsys: pytest.CaptureFixture[str]) -> Run:
    starts = DataStarts(
        take=lambda file, wanted: bar_data.import_bars(settings, file, wanted),
        listing=lambda: bar_data.list_bars(settings),
        check=lambda wanted: bar_data.check_bars(settings, wanted),
        download=lambda source, wanted, span, tell: bar_data.download_bars(
            settings, source, wanted, span, tell
        ),
    )

    def typed(*words: str) -> tuple[int, str, str]:
        code = ordergate(settings.directories.data, "data", *words, data=starts)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return typed


def test_a_file_is_imported_listed_and_checked(run: Run, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "eurusd_m1.csv.gz", HEADER, [*ROWS[:9], *ROWS[12:]])
    code, out, _ = run("import", str(path), "--venue", "OANDA")
    assert code == 0
    assert "27 rows in" in out
    assert "gap of 3 bars after 2026-01-07T10:08:00Z, till 2026-01-07T10:12:00Z" in out
    _, listed, _ = run("list", "--json")
    (item,) = json.loads(listed)["data"]["series"]
    assert (item["venue"], item["rows"], item["calendar"]) == ("oanda", 27, "fx")
    assert len(item["imports"][0]["sha256"]) == 64
    assert item["imports"][0]["choices"] == "stamp=start"
    assert run("check", "eurusd")[0] == 0
    assert "eurusd_m1.csv.gz" in run("list")[1]


def test_a_refused_file_shows_its_faults_and_exits_so(run: Run, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "eurusd_m1.csv", HEADER, [*ROWS, "2026-01-07T11:00:00Z,1,1,1,-1,"])
    code, out, err = run("import", str(path))
    assert code == 1
    assert "negative" in out
    assert "row 32" in out
    assert "INVALID_PRICE" in err
    assert "--drop negative" in err
    assert "nothing is stored" in run("list")[1]
    code, out, _ = run("import", str(path), "--drop", "negative", "--drop", "inverted")
    assert code == 0
    assert "left out" in out


def test_json_is_the_bare_envelope(run: Run, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "eurusd_m1.csv", HEADER, [*ROWS, ROWS[-1]])
    code, out, _ = run("import", str(path), "--json")
    envelope = json.loads(out)
    assert (code, envelope["error"]["code"]) == (2, "INVALID_ARGUMENT")
    (fault,) = envelope["error"]["details"]["report"][0]["faults"]
    assert (fault["fault"], fault["rows"], fault["first"][0]["row"]) == ("duplicate", 1, 32)


def test_a_check_that_finds_a_split_or_damage_fails(run: Run, tmp_path: Path) -> None:
    split = [row.replace("1.1,1.3,1.0,1.2", "4,4,4,4") for row in ROWS[:9]] + ROWS[9:]
    path = write_rows(tmp_path / "acme_m1.csv", HEADER, split)
    assert run("import", str(path))[0] == 0
    code, out, _ = run("check")
    assert code == 1
    assert "JUMP at 2026-01-07T10:09:00Z: 4 -> 1.1" in out
    part = next(tmp_path.rglob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-9])
    code, _, err = run("check")
    assert code == 1
    assert "import it again" in err
    assert run("check", "nothing")[0] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--timeframe", "M2"), "M1, M5"),
        (("--calendar", "moon"), "xnse"),
        (("--stamp", "middle"), "start or end"),
        (("--drop", "future"), "cannot be left out"),
        (("--drop", "nam"), "unreadable"),
        (("--on-conflict", "shrug"), "keep"),
        (("--venue", "../x"), "letters"),
    ],
)
def test_a_word_that_is_none_names_those_that_are(
    run: Run, tmp_path: Path, words: tuple[str, str], said: str
) -> None:
    path = write_rows(tmp_path / "eurusd_m1.csv", HEADER, ROWS)
    code, _, err = run("import", str(path), *words)
    assert code == 2
    assert said in err


def test_a_download_fills_the_store_and_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    times = list(range(ns("2026-01-05T00:00"), ns("2026-01-07T00:00"), HOUR))
    sources: dict[str, Callable[[Any], Any]] = {"fake": lambda _: FakeBarSource(times)}
    monkeypatch.setattr(bar_sources, "SOURCES", sources)
    words = ("download", "EURUSD", "--source", "fake", "--since", "2026-01-05", "--until")
    code, out, err = run(*words, "2026-01-08")
    assert (code, err) == (0, "")
    assert "fake EURUSD H1 (trade)" in out
    _, listed, _ = run("list", "--json")
    (item,) = json.loads(listed)["data"]["series"]
    assert (item["rows"], item["imports"][0]["source"]) == (48, "fake:past")
    assert run(*words, "2026-01-01")[0] == 2
    assert run(*words, "soon")[0] == 2


def test_a_source_nobody_knows_names_those_there_are(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bar_sources, "SOURCES", {"kraken": lambda _: FakeBarSource([])})
    code, _, err = run("download", "EURUSD", "--source", "mtgox", "--since", "2026-01-05")
    assert code == 1
    assert "there are: kraken" in err
