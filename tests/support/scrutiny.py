"""A desk of research on a fresh log, with two threads."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ordergate.adapters.storage.trial_file import TrialFile
from ordergate.research.examine import Circumstances, Examine, Voice
from ordergate.research.sweep.sweep import Workers


class Quiet:
    """Hears everything and stops nothing."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, int, str]] = []
        self.best: Any = None

    def progress(self, done: int, total: int, words: str, best: Any = None) -> None:
        self.heard.append((done, total, words))
        self.best = best

    def stopped(self) -> bool:
        return False


@contextmanager
def desk(
    directory: Path,
    *,
    run: str = "job-1",
    asker: str = "agent-a",
    voice: Voice | None = None,
    hearer: Quiet | None = None,
) -> Iterator[Examine]:
    with ThreadPoolExecutor(2) as pool:
        yield Examine(
            trials=TrialFile(directory),
            workers=Workers(executor=pool, count=2),
            hearer=hearer or Quiet(),
            circumstances=Circumstances(
                run=run,
                asker=asker,
                at=datetime(2026, 1, 7, tzinfo=UTC),
                version="0",
                command="ordergate backtest run",
            ),
            voice=voice or Voice(),
        )
