"""Bars that only warm up: indicators see them, no order is decided on them, no result has them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy

if TYPE_CHECKING:
    from ordergate.research.backtest.laying import Laid
    from ordergate.research.backtest.outcome import Outcome
    from ordergate.research.backtest.wording import Word


def silenced(laid: Laid, word: Word, since: int) -> Word:
    """Return the word without what it says at bars that close before `since`.

    What is decided at the close that falls on `since` itself is the first that counts.
    """
    want = word.want.copy()
    want[laid.ends < since] = 0
    return replace(word, want=want)


def counted(outcome: Outcome, since: int) -> Outcome:
    """Return the outcome from the first bar that ends after `since`; all of it where none does."""
    first = int(numpy.searchsorted(outcome.time, since, side="right"))
    if first >= len(outcome.time):
        return outcome
    return replace(outcome, time=outcome.time[first:], equity=outcome.equity[first:])
