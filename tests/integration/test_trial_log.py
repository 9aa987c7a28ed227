"""The log of trials on disk: append-only, counted for ever, shared by processes and users."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ordergate.adapters.storage.trial_file import TRIALS_FILE, TrialFile
from ordergate.model.trials import Ended
from ordergate.ports.trials import TrialsUnwritable
from support.trial_rows import SUMS, trial

EURUSD = "oanda EURUSD H1"
WRITER = """
import sys
from pathlib import Path
from support.trial_rows import trial
from ordergate.adapters.storage.trial_file import TrialFile
log = TrialFile(Path(sys.argv[1]))
for n in range(20):
    log.add([trial(f"{sys.argv[2]}-{n}-{k}", asker=sys.argv[2]) for k in range(5)])
    log.add([trial(f"same-{n}")])
"""


def test_what_was_written_is_read_bit_for_bit_after_a_restart(tmp_path: Path) -> None:
    written = [trial("fast=5"), trial("fast=6", sums=None, sharpe=None, net=None)]
    assert TrialFile(tmp_path).add(written) == 2
    assert TrialFile(tmp_path).trials(EURUSD) == written[::-1]
    assert TrialFile(tmp_path).trials(EURUSD)[1].sums == SUMS


def test_a_repeat_is_no_new_trial(tmp_path: Path) -> None:
    log = TrialFile(tmp_path)
    assert log.add([trial(), trial(run="job-2", asker="agent-b")]) == 1
    assert log.add([trial(run="job-3")]) == 0
    assert log.tally(EURUSD).trials == 1


def test_failed_and_pruned_ones_count_and_a_later_result_takes_their_place(
    tmp_path: Path,
) -> None:
    log = TrialFile(tmp_path)
    nothing = {"sums": None, "sharpe": None, "net": None}
    log.add([trial("a", ended=Ended.FAILED, **nothing), trial("b", ended=Ended.PRUNED, **nothing)])
    log.add([trial("c")])
    found = log.tally(EURUSD)
    assert (found.trials, found.failed, found.pruned) == (3, 1, 1)
    assert log.known([one.trial_id for one in log.trials(EURUSD)]) == {trial("c").trial_id}
    log.add([trial("a")])
    found = log.tally(EURUSD)
    assert (found.trials, found.failed, found.pruned) == (3, 0, 1)


def test_the_tally_is_of_one_data_set_and_says_whose(tmp_path: Path) -> None:
    log = TrialFile(tmp_path)
    log.add(
        [
            trial("a", sharpe=0.1),
            trial("b", sharpe=0.2, asker="agent-b", family="range"),
            trial("c", sharpe=0.6, run="job-9"),
            trial("d", sharpe=9.0, dataset="oanda XAUUSD H1"),
        ]
    )
    found = log.tally(EURUSD, family="trend", run="job-9")
    assert (found.trials, found.of_family, found.of_run, found.askers) == (3, 2, 1, 2)
    assert found.variance == pytest.approx(0.07)  # of 0.1, 0.2, 0.6
    assert log.tally("oanda XAUUSD H1").variance is None
    assert log.tally("nobody tried this").trials == 0
    assert [one.settings for one in log.trials(EURUSD, run="job-9")] == ["c"]
    assert [one.settings for one in log.trials(EURUSD, limit=2)] == ["c", "b"]


def test_nothing_can_be_deleted_or_changed(tmp_path: Path) -> None:
    TrialFile(tmp_path).add([trial()])
    link = sqlite3.connect(tmp_path / TRIALS_FILE)
    with pytest.raises(sqlite3.IntegrityError, match="never untried"):
        link.execute("DELETE FROM trial")
    with pytest.raises(sqlite3.IntegrityError, match="never changed"):
        link.execute("UPDATE trial SET sharpe = 9")
    link.close()
    assert stat.S_IMODE((tmp_path / TRIALS_FILE).stat().st_mode) == 0o600


def test_two_users_in_two_processes_lose_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    tests = {"PYTHONPATH": str(Path(__file__).parents[1])}
    both = [subprocess.Popen([*command, who], env=tests) for who in ("agent-a", "agent-b")]
    assert [one.wait(timeout=50) for one in both] == [0, 0]
    found = TrialFile(tmp_path).tally(EURUSD)
    assert (found.trials, found.askers) == (2 * 100 + 20, 2)


def test_a_log_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / TRIALS_FILE).write_text("this is no database, but it is long enough to be read")
    with pytest.raises(TrialsUnwritable, match="cannot be used"):
        TrialFile(tmp_path).add([trial()])
