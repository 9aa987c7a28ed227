from __future__ import annotations

import subprocess
import sys

import pytest

from ordergate.research.report.plots import BYTES_MAX, equity_png
from support.reports import of_noise

pytest.importorskip("matplotlib", reason="the extra `research` is not installed")


def test_a_picture_is_small_and_the_same_each_time() -> None:
    made = equity_png(of_noise().outcome, "sweep $x$ \\frac")
    assert made.startswith(b"\x89PNG")
    assert 5_000 < len(made) <= BYTES_MAX
    assert made == equity_png(of_noise().outcome, "sweep $x$ \\frac")


def test_nothing_is_loaded_before_a_picture_is_asked_for() -> None:
    program = "import ordergate.research.report.plots, sys; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=50, check=False).returncode == 0
