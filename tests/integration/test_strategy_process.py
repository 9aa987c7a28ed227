"""A person's own strategy runs apart: no environment, no network, bounded; numbers come back."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ordergate.adapters.strategy_process import BadProgram, Bounds, signals_of
from support.backtests import bars

CALM = (0, 5, -5, 0)
SERIES = bars([CALM] * 5)
BEGIN = "import numpy\nclass Strategy:\n    def signals(self, bars):\n"


def program(place: Path, body: str) -> Path:
    path = place / "mine.py"
    path.write_text(BEGIN + "".join(f"        {line}\n" for line in body.splitlines()))
    return path


def test_its_columns_come_back(tmp_path: Path) -> None:
    body = "d = numpy.sign(bars.close)\nreturn {'direction': d, 'stop': bars.close - 0.01}"
    made = signals_of(program(tmp_path, body), SERIES)
    assert made["direction"].tolist() == [1.0] * 5
    assert made["stop"].tolist() == (SERIES.close - 0.01).tolist()
    assert bool((made["target"] != made["target"]).all())


def test_it_sees_no_secret_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERGATE_SECRET_CANARY", "canary")
    body = "import os\nseen = 'ORDERGATE_SECRET_CANARY' in os.environ\n"
    body += "return {'direction': numpy.full(5, 1.0 if seen else 0.0)}"
    assert signals_of(program(tmp_path, body), SERIES)["direction"].tolist() == [0.0] * 5


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("import socket\nsocket.socket()", "may not"),
        ("import subprocess\nsubprocess.run(['true'])", "may not"),
        ("import os\nos.system('true')", "may not"),
        ("return {'direction': numpy.zeros(4)}", "as long as its bars"),
        ("return {'direction': numpy.full(5, 2.0)}", "1, -1 or 0"),
        ("return {'stop': numpy.zeros(5)}", "as long as its bars"),
        ("raise ValueError('no idea')", "no idea"),
    ],
)
def test_what_it_may_not_do_or_answer_is_refused(tmp_path: Path, body: str, said: str) -> None:
    with pytest.raises(BadProgram, match=said):
        signals_of(program(tmp_path, body), SERIES)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded by the kernel of Linux")
def test_its_memory_and_time_are_bounded(tmp_path: Path) -> None:
    with pytest.raises(BadProgram, match=r"MemoryError|allocate|ended with"):
        signals_of(program(tmp_path, "numpy.ones(10**9)"), SERIES, Bounds(memory_mb=1_024))
    with pytest.raises(BadProgram, match="longer than"):
        signals_of(program(tmp_path, "while True: pass"), SERIES, Bounds(wall_s=2.0))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadProgram, match="no program"):
        signals_of(tmp_path / "none.py", SERIES)
