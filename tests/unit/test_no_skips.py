"""The rule that a skip fails in CI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


def _run(folder: Path, ci: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "support.no_skips"),
            *("-p", "no:cacheprovider", "--rootdir", str(folder), str(folder)),
        ],
        env={
            **os.environ,
            "CI": ci,
            "PYTHONPATH": str(TESTS),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize(
    "source",
    [
        "import pytest\ndef test_one():\n    pytest.skip('no data here')\n",
        "import pytest\npytest.skip('no data here', allow_module_level=True)\n",
    ],
)
def test_a_skip_fails_in_ci_with_its_reason_and_passes_elsewhere(
    tmp_path: Path, source: str
) -> None:
    (tmp_path / "test_skipping.py").write_text(source + "\n")
    (tmp_path / "test_passing.py").write_text("def test_two():\n    pass\n")
    strict, loose = _run(tmp_path, "true"), _run(tmp_path, "")
    assert strict.returncode == 1
    assert "no data here" in strict.stdout
    assert loose.returncode == 0


def test_no_skip_passes_in_ci(tmp_path: Path) -> None:
    (tmp_path / "test_passing.py").write_text("def test_two():\n    pass\n")
    assert _run(tmp_path, "true").returncode == 0
