"""What is heavy is not loaded by a start: an agent waits for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("numpy", "talib", "polars", "ccxt", "feedparser", "pandas")


@pytest.mark.parametrize(
    "module",
    [
        "ordergate",
        "ordergate.__main__",
        "ordergate.surfaces.cli.app",
        "ordergate.surfaces.catalogue.operations",
        "ordergate.bootstrap.serve",
    ],
)
def test_a_start_loads_nothing_heavy(module: str) -> None:
    program = f"import sys, {module}; print([n for n in {HEAVY} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=True
    )
    assert done.stdout.strip() == "[]"
