"""Research through the doors of a running gateway: jobs, their reports, cancellation, restarts."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from ordergate.adapters.storage.trial_file import TrialFile
from ordergate.research.backtest.tapes import MarketData
from support.gateway_process import GatewayProcess, gateway
from support.markets import noise, swinging
from support.recordings import write_rows

pytestmark = [pytest.mark.slow, pytest.mark.timeout(290)]

DATASET = "file EURUSD H1"
CROSSING = {"symbols": ["EURUSD"], "strategy": "ma_crossover"}
AXES = ["fast=3:11:2", "slow=15,21,34"]
LONG = {**CROSSING, "axes": ["fast=2:101:1", "slow=102:201:1"]}  # 10,000: half a minute


def bars(place: Path, data: MarketData) -> Path:
    """Write a market as a file for `data import`."""
    series = data.tapes[0].series
    ask = series.ask
    assert ask is not None
    stamps = series.time.astype("datetime64[ns]").astype("datetime64[s]")
    sides = (series.open, series.high, series.low, series.close)
    sides += (ask.open, ask.high, ask.low, ask.close)
    rows = [
        f"{at}Z," + ",".join(f"{value:.5f}" for value in prices)
        for at, *prices in zip(stamps, *sides, strict=True)
    ]
    names = ("bid_open,bid_high,bid_low,bid_close", "ask_open,ask_high,ask_low,ask_close")
    return write_rows(place / "eurusd_h1.csv", f"time,{names[0]},{names[1]}", rows)


def furnished(one: GatewayProcess, data: MarketData) -> None:
    path = bars(one.root, data)
    words = (
        "--symbol",
        "EURUSD",
        "--timeframe",
        "H1",
        "--accept-hours",
    )  # made without summer time
    done = one.command("data", "import", str(path), *words)
    assert done.returncode == 0, done.stdout + done.stderr


def ended(one: GatewayProcess, job_id: str, *, within_s: float = 120) -> dict[str, Any]:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        found = one.good("get_job", job_id=job_id)
        if found["job"]["state"] not in ("queued", "running"):
            return found
        time.sleep(0.4)
    raise AssertionError((one.data / "jobs" / job_id / "log.txt").read_text()[-2000:])


def begun(one: GatewayProcess, job_id: str) -> None:
    """Wait until a job has something to show: a large one compiles the loop first."""
    deadline = time.monotonic() + 200
    while one.good("get_job", job_id=job_id)["job"]["done"] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.25)


def test_a_sweep_is_a_job_with_a_report_that_can_be_judged_anew(tmp_path: Path) -> None:
    with gateway(tmp_path, {}) as one:
        furnished(one, noise(1_200))
        asked = one.good("run_sweep", **CROSSING, axes=AXES)["job"]
        assert asked["state"] in ("queued", "running")
        found = ended(one, asked["job_id"])
        assert found["job"]["state"] == "done", found
        report = found["report"]
        assert report["overfit"]["trials"] == 15
        assert not report["believable"]
        assert report["again"]["command"].startswith("ordergate backtest sweep EURUSD")
        folder = one.data / "jobs" / asked["job_id"]
        assert (folder / "report.html").stat().st_size < 300_000
        assert (folder / "trades.csv").read_text().startswith("symbol,side")
        pytest.importorskip("matplotlib", reason="the extra `research` is not installed")
        picture = one.good("get_job", job_id=asked["job_id"], plot=True)["image"]
        assert picture["data"].startswith("iVBOR")

        single = one.good("run_backtest", **CROSSING)["job"]["job_id"]
        assert ended(one, single)["report"]["overfit"]["trials"] == 16
        anew = one.good("overfit_report", job_id=asked["job_id"])
        assert anew["overfit"]["trials"] == 16  # one more than when the report was written
        stress = one.good("cost_stress", job_id=single)
        assert [row["name"] for row in stress["table"]][:2] == ["as given", "no costs"]
        compared = one.good("compare_backtests", job_ids=[asked["job_id"], single])
        _, second = compared["backtests"]
        assert second["same_bars"]
        assert float(second["difference_low"]) <= float(second["difference"])
        listed = one.good("get_job")["jobs"]
        assert [item["job_id"] for item in listed] == [single, asked["job_id"]]


def test_a_walk_forward_is_a_job(tmp_path: Path) -> None:
    with gateway(tmp_path, {}) as one:
        furnished(one, swinging(1_500))
        rule = {"long_when": "close > sma({n})", "style": "target"}
        sizes = {"train_bars": 500, "test_bars": 250, "gap_bars": 10}
        asked = one.good("walk_forward", symbols=["EURUSD"], axes=["n=5:30:5"], **rule, **sizes)
        found = ended(one, asked["job"]["job_id"])
        assert found["job"]["state"] == "done", found
        assert len(found["report"]["rows"]) == 4
        assert TrialFile(one.data).tally(DATASET).trials == 4 * 6 + 1
        assert one.refusal("cost_stress", job_id=asked["job"]["job_id"]) == "NOT_SUPPORTED"


def test_a_refusal_comes_before_any_work_with_its_code_and_its_way_out(tmp_path: Path) -> None:
    with gateway(tmp_path, {}) as one:
        vast = ["fast=2:200:0.2", "slow=3:400:0.4", "reward=0.2:20:0.02"]
        answer = one.call("run_sweep", **CROSSING, axes=vast)
        assert answer["error"]["code"] == "INVALID_ARGUMENT"
        assert "combinations" in answer["error"]["message"]
        assert "random" in answer["error"]["fix"]
        assert one.refusal("run_sweep", **CROSSING, axes=["oversold=20"]) == "INVALID_ARGUMENT"
        assert one.refusal("run_backtest", symbols=["EURUSD"]) == "INVALID_ARGUMENT"
        assert one.refusal("get_job", job_id="0" * 32) == "RESOURCE_NOT_FOUND"
        assert not (one.data / "jobs").exists()
        missing = one.good("run_backtest", **CROSSING)["job"]["job_id"]
        found = ended(one, missing)["job"]
        assert (found["state"], found["error"]["code"]) == ("failed", "RESOURCE_NOT_FOUND")
        assert "data import" in found["error"]["fix"]


def test_a_job_that_is_cancelled_stops_and_its_trials_stay(tmp_path: Path) -> None:
    with gateway(tmp_path, {}) as one:
        furnished(one, noise(3_000))
        job_id = one.good("run_sweep", **LONG)["job"]["job_id"]
        waits = one.good("run_sweep", **LONG)["job"]["job_id"]
        begun(one, job_id)
        best = one.good("get_job", job_id=job_id)["job"]["best"]
        assert "fast=" in best["name"]  # a partial result
        one.good("cancel_job", job_id=waits)
        one.good("cancel_job", job_id=job_id)
        assert ended(one, job_id, within_s=60)["job"]["state"] == "cancelled"
        assert ended(one, waits)["job"]["state"] == "cancelled"
        tried = TrialFile(one.data).tally(DATASET).trials
        assert 0 < tried < 10_000


def test_a_job_outlives_its_gateway_and_one_that_dies_is_told_of(tmp_path: Path) -> None:
    with gateway(tmp_path, {}) as one:
        furnished(one, noise(1_500))
        lives = one.good("run_sweep", **{**CROSSING, "axes": ["fast=2:21:1", "slow=50:69:1"]})
        begun(one, lives["job"]["job_id"])
        waits = one.good("run_backtest", **CROSSING)["job"]["job_id"]
        one.kill()
        one.start()
        assert ended(one, lives["job"]["job_id"])["job"]["state"] == "done"
        assert ended(one, waits)["job"]["state"] == "done"  # it waited, and had its turn

        dies = one.good("run_sweep", **LONG)["job"]["job_id"]
        begun(one, dies)
        for pid in _processes_with(dies):
            _end(pid)
        found = ended(one, dies)["job"]
        assert found["state"] == "interrupted"
        assert "no result" in found["error"]["message"]
        assert found["done"] > 0


def _processes_with(word: str) -> list[int]:
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if word.encode() in (place / "cmdline").read_bytes():
                found.append(int(place.name))
        except OSError:
            continue
    assert found
    return found


def _end(pid: int) -> None:
    import os
    import signal

    os.kill(pid, signal.SIGKILL)


def test_the_commands_wait_copy_the_page_and_print_what_repeats_them(tmp_path: Path) -> None:
    with gateway(tmp_path, {}) as one:
        furnished(one, noise(1_200))
        words = ("backtest", "sweep", "EURUSD", "--strategy", "ma_crossover")
        out = tmp_path / "best"
        done = one.command(
            *words, "--axis", "fast=3:11:4", "--term", "spread_factor=2", "--out", str(out)
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "trials were made on this data" in done.stdout
        assert "--term spread_factor=2" in done.stdout.replace("\n", " ")
        assert (out / "report.html").read_text().startswith("<!doctype html>")
        listed = one.command("backtest", "jobs")
        assert "run_sweep" in listed.stdout
        single = one.command("backtest", "run", "EURUSD", "--strategy", "ma_crossover")
        assert single.returncode == 0, single.stderr
        assert TrialFile(one.data).tally(DATASET).trials == 4
        refused = one.command(*words, "--axis", "fast=2:200:1", "--axis", "slow=3:400:1")
        assert refused.returncode != 0
