from __future__ import annotations

import numpy

from ordergate.research.backtest.engine import run_laid
from ordergate.research.backtest.laying import lay
from ordergate.research.backtest.spec import StrategyRef
from ordergate.research.backtest.wording import word_of
from ordergate.research.sweep.masking import counted, silenced
from support.markets import HOUR_NS, asked, noise

QUICK = StrategyRef(name="ma_crossover", parameters={"fast": 3, "slow": 8})


def test_nothing_is_decided_or_counted_before_its_time() -> None:
    laid = lay(asked(QUICK), noise(900))
    since = int(laid.starts[500])
    word = word_of(laid)
    assert numpy.count_nonzero(word.want[:499]) > 0
    quiet = silenced(laid, word, since)
    assert numpy.count_nonzero(quiet.want[:499]) == 0
    assert (quiet.want[499:] == word.want[499:]).all()  # its close is the moment itself
    outcome = counted(run_laid(laid, quiet), since)
    assert len(outcome.time) == 400
    assert outcome.time[0] == since + HOUR_NS
    assert outcome.trades.entry_time.min() >= since
    assert outcome.equity[0] != 0


def test_where_nothing_comes_after_all_is_left() -> None:
    laid = lay(asked(QUICK), noise(200))
    outcome = run_laid(laid, word_of(laid))
    assert counted(outcome, int(outcome.time[-1])) is outcome
