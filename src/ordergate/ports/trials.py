"""The log of trials: what was tried is never untried."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ordergate.model.errors import IllegalState
from ordergate.model.trials import Tally, Trial


class TrialsUnwritable(IllegalState):
    """The log of trials cannot be written or read; no result is told that it does not hold."""


class TrialLog(Protocol):
    def add(self, trials: Sequence[Trial]) -> int:
        """Append, all or none, durably; return how many were new. Raises TrialsUnwritable."""
        ...

    def known(self, ids: Sequence[str]) -> frozenset[str]:
        """Return those of the ids that are logged as done."""
        ...

    def tally(self, dataset: str, *, family: str = "", run: str = "") -> Tally:
        """Count what was ever tried on a data set. Raises TrialsUnwritable."""
        ...

    def trials(self, dataset: str, *, run: str | None = None, limit: int = 10_000) -> list[Trial]:
        """Return the newest, each configuration once; of one run where it is named."""
        ...
