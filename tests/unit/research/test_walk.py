from __future__ import annotations

from datetime import UTC, datetime

import numpy
import pytest

from ordergate.model.trials import Ended
from ordergate.research.backtest.engine import run
from ordergate.research.backtest.spec import StrategyRef
from ordergate.research.sweep.tried import Tried
from ordergate.research.validation.folds import Fold
from ordergate.research.walk import WARM_BARS, Leg, between, joined, jumps, windows, within
from support.markets import HOUR_NS, asked, hours, noise

SPEC = asked(StrategyRef(name="ma_crossover"))


def test_windows_have_their_warm_up_before_them_and_end_with_their_last_bar() -> None:
    starts = numpy.arange(5_000, dtype=numpy.int64) * HOUR_NS
    train, test = windows(Fold(((100, 200),), (4_000, 4_100)), starts, length=HOUR_NS)
    assert (train.warm, train.begin, train.end) == (0, 100 * HOUR_NS, 200 * HOUR_NS)
    assert test.warm == (4_000 - WARM_BARS) * HOUR_NS
    spec = within(SPEC, test)
    assert spec.begin == datetime.fromtimestamp(test.warm // 10**9, UTC)
    assert spec.end == datetime.fromtimestamp(test.end // 10**9, UTC)


def test_between_is_what_a_slice_holds() -> None:
    starts = hours(100)
    assert (between(starts, SPEC) == starts).all()
    begin = datetime.fromtimestamp(int(starts[10]) // 10**9, UTC)
    end = datetime.fromtimestamp(int(starts[20]) // 10**9, UTC)
    cut = between(starts, asked(SPEC.strategy, begin=begin, end=end))
    assert (cut == starts[10:20]).all()


def test_joined_results_add_up() -> None:
    parts = [run(SPEC, noise(400, seed=seed)) for seed in (1, 2)]
    whole = joined(parts)
    assert whole.net == parts[0].net + parts[1].net
    assert whole.equity[400] - parts[1].equity[0] == parts[0].net
    assert len(whole.trades) == len(parts[0].trades) + len(parts[1].trades)
    assert whole.closed_net == parts[0].closed_net + parts[1].closed_net
    assert whole.trades.net.sum() == pytest.approx(whole.net, abs=2)


def test_jumps_count_the_changes() -> None:
    def leg(fast: float) -> Leg:
        tried = Tried(number=0, parameters={"fast": fast}, ended=Ended.DONE)
        return Leg(0, 1, tried, tried)

    assert jumps([leg(5), leg(5), leg(8), leg(5)]) == 2
    assert jumps([leg(5)]) == 0
