"""The tutorial as it is written: its commands, read from the page, run one after the other."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support.gateway_process import GatewayProcess, program
from support.recordings import REAL, real

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorial" / "from-a-price-file-to-a-scan.md"


def commands() -> list[list[str]]:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.strip()]
    return [shlex.split(line) for line in lines]


def run(home: Path, words: list[str]) -> subprocess.CompletedProcess[str]:
    assert words[0] == "ordergate"
    given = [word.replace("../shared/data", str(REAL)) for word in words[1:]]
    return subprocess.run(
        program(*given),
        cwd=home,
        env=GatewayProcess(home).environment | {"COLUMNS": "200", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_from_a_price_file_to_a_ranked_scan_and_a_packet(tmp_path: Path) -> None:
    real("eurusd_oanda_h1_bidask.csv.gz")
    said: dict[str, list[Any]] = {}
    drawn: dict[str, list[str]] = {}
    for words in commands():
        shown = run(tmp_path, words)
        assert shown.returncode == 0, f"{words}: {shown.stdout}{shown.stderr}"
        done = run(tmp_path, [*words, "--json"])
        name = " ".join(words[1:3])
        drawn.setdefault(name, []).append(shown.stdout)
        said.setdefault(name, []).append(json.loads(done.stdout)["data"])

    assert len(said["data import"]) == 4
    (stored,) = said["data list"]
    assert {one["symbol"] for one in stored["series"]} == {"EURUSD", "XAUUSD", "BTCUSD"}

    ranking, ruled = said["research scan"]
    assert [one["symbol"] for one in ranking["opportunities"]] == ["XAUUSD", "BTCUSD", "EURUSD"]
    scores = [abs(float(one["score"])) for one in ranking["opportunities"]]
    assert scores == sorted(scores, reverse=True)
    assert ranking["failures"] == []
    for line in PAGE.read_text("utf-8").splitlines():
        if line.startswith((" XAUUSD ", " BTCUSD ", " EURUSD ")):
            assert line.split() in [row.split() for row in drawn["research scan"][0].splitlines()]
    assert all(one["rule_holds"] for one in ruled["opportunities"])
    assert 0 < ruled["matched"] < ruled["scanned"]

    (packet,) = said["research packet"]
    views = {view["timeframe"]: view for view in packet["score"]["views"]}
    assert set(views) == {"M15", "H1", "H4", "D1"}
    assert views["M15"]["as_of"] == views["H1"]["as_of"] == "2014-05-08T12:00:00.000Z"
    assert "eurusd_oanda_m1_bidask" in views["M15"]["source"]
    assert all(view["as_of"] <= "2014-05-08T12:00:00.000Z" for view in views.values())
    assert all(float(view["age_s"]) > 10 * 365 * 86_400 for view in views.values())
    assert (packet["quote"], packet["killed"], packet["synthetic"]) == (None, None, False)
    assert packet["signals"]
    assert not any(one["proposed"] for one in packet["signals"])
