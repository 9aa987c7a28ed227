"""`ordergate research leakage`: on simulated and on recorded bars, with its exit codes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy
import pytest
from typer.testing import CliRunner

from ordergate.bootstrap.leakage import leakage
from ordergate.model.errors import DataUnavailable, InvalidArgument
from ordergate.research.validation import subjects
from ordergate.surfaces.cli.app import build
from ordergate.surfaces.cli.starts import Suspects
from support.cli_gateway import starts_for
from support.recordings import real, write_rows

FEW = Suspects(bars=600)


def test_everything_built_in_passes_on_the_simulated_market() -> None:
    found = leakage(FEW)
    assert found["passed"] is True
    assert (found["source"], found["bars"], found["timeframe"]) == ("simulated", 600, "M15")
    names = [report["subject"] for report in found["reports"]]
    assert {"rule_baseline", "ensemble", "ema(20)", "swing points and trend"} <= set(names)
    assert set(found["skipped"]) == {"volume_breakout", "obv()", "vwap()"}
    assert all("no volume" in why for why in found["skipped"].values())


def test_recorded_bars_with_volume_leave_nothing_out() -> None:
    found = leakage(Suspects(file=real("aapl_h1.csv.gz"), bars=1_500))
    assert found["passed"] is True
    assert found["skipped"] == {}
    assert found["symbol"] == "AAPL"
    assert len(found["reports"]) == 7 + 15 + 1


def test_own_rules_are_checked_alone() -> None:
    found = leakage(replace(FEW, rules=("close > ema(20)",)))
    assert [report["subject"] for report in found["reports"]] == ["close > ema(20)"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (replace(FEW, bars=10), "--bars must be from 500"),
        (replace(FEW, timeframe="H7"), "no such timeframe"),
        (replace(FEW, strategies=("rule_base",)), "no such strategy"),
        (replace(FEW, rules=("close >",)), "rule at 8"),
    ],
)
def test_what_cannot_be_asked_is_refused(asked: Suspects, words: str) -> None:
    with pytest.raises(InvalidArgument, match=words):
        leakage(asked)


def test_a_short_or_unreadable_file_proves_nothing(tmp_path: Path) -> None:
    rows = [f"2026-01-07T{hour:02d}:00:00Z,1.1,1.2,1.0,1.1,5" for hour in range(20)]
    file = write_rows(tmp_path / "eurusd_h1.csv", "time,open,high,low,close,volume", rows)
    with pytest.raises(DataUnavailable, match="20 closed bars, 500 are needed"):
        leakage(replace(FEW, file=file))
    with pytest.raises(DataUnavailable, match="cannot be read"):
        leakage(replace(FEW, file=tmp_path / "absent.csv"))


def test_the_command_exits_with_1_where_something_leaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = build(replace(starts_for(tmp_path), leakage=leakage))
    asked = ["research", "leakage", "rule_baseline", "--bars", "600"]
    good = CliRunner().invoke(app, asked)
    assert good.exit_code == 0, good.output
    assert "nothing leaks" in good.output

    honest = subjects.of_speaker

    def knowing(speaker: object) -> subjects.Subject:
        """The same strategy, shown one bar before it could know."""
        inside = honest(speaker)  # type: ignore[arg-type]
        return lambda series: {
            name: numpy.concatenate([column[1:], [numpy.nan]])
            for name, column in inside(series).items()
        }

    monkeypatch.setattr(subjects, "of_speaker", knowing)
    bad = CliRunner().invoke(app, asked)
    assert bad.exit_code == 1
    assert "SOMETHING LEAKS" in bad.output
    assert "FAIL" in bad.output
