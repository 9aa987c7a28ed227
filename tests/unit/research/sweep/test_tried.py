from __future__ import annotations

from datetime import UTC, datetime

import numpy
import pytest

from ordergate.model.trials import Ended, Origin
from ordergate.research.backtest.engine import run
from ordergate.research.backtest.spec import StrategyRef
from ordergate.research.sweep.tried import (
    Asked,
    blocks_of,
    coarse,
    curves_of,
    dataset_named,
    failed,
    kept,
    per_bar,
    settings_text,
    sums_of,
    trial_of,
)
from ordergate.research.validation import overfit
from ordergate.research.validation.sharpe import moments_of
from support.markets import asked, noise

SPEC = asked(StrategyRef(name="ma_crossover", parameters={"fast": 5, "slow": 20}))
ASKED = Asked(run="job-1", asker="a", at=datetime(2026, 1, 7, tzinfo=UTC), origin=Origin.GRID)


def test_what_is_kept_is_what_the_curve_says() -> None:
    outcome = run(SPEC, noise(500))
    found = kept(3, {"fast": 5.0}, outcome)
    results = per_bar(outcome)
    assert results.sum() == pytest.approx(found.net)
    assert found.record == moments_of(results)
    assert found.net < found.gross  # costs were paid
    assert found.trades > 5
    assert found.curve is not None
    assert found.curve.sum() == pytest.approx(found.net)
    assert found.sums is not None
    blocks = overfit.blocks_of(results)
    assert found.sums.block_sums == tuple(blocks.sums[:, 0])
    assert found.sums.block_squares == tuple(blocks.squares[:, 0])


def test_a_coarse_curve_keeps_the_whole_and_drops_nothing() -> None:
    assert list(coarse(numpy.arange(5.0))) == [0, 1, 2, 3, 4]
    found = coarse(numpy.ones(1_000))
    assert len(found) == 480
    assert found[0] == 42  # 1000 = 480 * 2 + 40: the remainder is in the first
    assert set(found[1:]) == {2.0}


def test_too_short_a_run_has_no_sums() -> None:
    assert sums_of(numpy.ones(31)) is None
    assert failed(1, {}, "why").sharpe is None


def test_blocks_and_curves_stand_side_by_side() -> None:
    market = noise(400)
    several = [kept(n, {}, run(SPEC, market)) for n in range(2)]
    both = blocks_of([*several, failed(2, {}, "why")])
    assert both is not None
    assert both.sums.shape == (16, 2)
    curves = curves_of(several)
    assert curves is not None
    assert curves.shape == (400, 2)
    assert blocks_of(several[:1]) is None
    assert curves_of([]) is None


def test_a_trial_is_named_by_all_that_makes_its_result() -> None:
    tried = kept(0, {}, run(SPEC, noise(300)))
    one = trial_of(SPEC, tried, ASKED)
    assert one.dataset == "file EURUSD H1" == dataset_named(SPEC)
    assert (one.family, one.origin, one.asker) == ("ma_crossover", Origin.GRID, "a")
    other = asked(StrategyRef(name="ma_crossover", parameters={"fast": 6, "slow": 20}))
    assert trial_of(other, tried, ASKED).trial_id != one.trial_id
    assert trial_of(asked(SPEC.strategy, delay_bars=1), tried, ASKED).trial_id != one.trial_id
    assert trial_of(SPEC, kept(0, {}, run(SPEC, noise(301))), ASKED).trial_id != one.trial_id
    assert settings_text(SPEC) == settings_text(asked(SPEC.strategy))


def test_a_failed_trial_has_no_result() -> None:
    one = trial_of(SPEC, failed(0, {}, "why"), ASKED)
    assert (one.ended, one.net, one.sharpe, one.sums) == (Ended.FAILED, None, None, None)
