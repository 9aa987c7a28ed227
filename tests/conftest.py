"""What every suite shares."""

from __future__ import annotations

import gc

pytest_plugins = ["support.no_skips"]


def pytest_collection_finish() -> None:
    """What was imported and collected stays: no collection need look at it in each test."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)
