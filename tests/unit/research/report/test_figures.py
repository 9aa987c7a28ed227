"""The numbers of a report, from trades and curves written out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy
import pytest

from ordergate.research.backtest.engine import run
from ordergate.research.backtest.outcome import Outcome, Trades
from ordergate.research.backtest.spec import StrategyRef
from ordergate.research.report.figures import (
    YEAR_NS,
    bars_per_year,
    costs_of,
    exposure,
    figures,
    months,
)
from support.markets import HOUR_NS, asked, noise


def trades(nets: list[int], spans: list[tuple[int, int]], reasons: list[int]) -> Trades:
    count = len(nets)

    def column(values: list[int]) -> numpy.ndarray:
        return numpy.array(values, dtype=numpy.int64)

    zero = column([0] * count)
    return Trades(
        symbol=zero,
        side=column([1] * count),
        steps=column([1] * count),
        entry_time=column([a * HOUR_NS for a, _ in spans]),
        exit_time=column([b * HOUR_NS for _, b in spans]),
        entry_price=zero,
        exit_price=zero,
        stop=zero,
        target=zero,
        reason=column(reasons),
        gross=column([net + 6 for net in nets]),
        spread=column([1] * count),
        slippage=column([2] * count),
        delay=column([-1] * count),
        commission=column([5] * count),
        swap=column([1] * count),
        net=column(nets),
        ambiguous=zero,
    )


def outcome(equity: list[int], made: Trades, begin: int = 0) -> Outcome:
    return Outcome(
        time=numpy.arange(begin, begin + len(equity), dtype=numpy.int64) * HOUR_NS,
        equity=numpy.array(equity, dtype=numpy.int64),
        money_scale=1,
        trades=made,
        open_trades=int((made.reason == 0).sum()),
        refused={},
        ambiguous=0,
        band=(0, 0),
        start=1_000,
        balance=1_030,
        stop_outs=0,
        data_sha256="",
        engine="1",
        compiled=False,
        seed=1,
    )


BY_HAND = outcome(
    [1_000, 1_100, 990, 1_040, 1_050],
    trades([50, -20, 0, 99], [(0, 1), (1, 2), (1, 2), (3, 4)], [1, 2, 3, 0]),
)


def test_figures_by_hand() -> None:
    found = figures(BY_HAND)
    assert (found.start, found.end, found.net, found.closed_net) == (1_000, 1_050, 50, 30)
    assert (found.trades, found.open_trades) == (3, 1)
    assert found.win_rate == pytest.approx(1 / 3)
    assert found.profit_factor == pytest.approx(2.5)
    assert found.expectancy == pytest.approx(10)
    assert (found.best, found.worst) == (50, -20)
    assert found.max_drawdown == pytest.approx(0.1)
    assert found.exposure == pytest.approx(0.75)
    results = numpy.array([0, 0.1, -0.11, 0.05, 0.01])
    sharpe = results.mean() / results.std(ddof=1) * math.sqrt(365.25 * 24)
    assert found.annual_sharpe == pytest.approx(sharpe)


def test_costs_by_hand_add_up() -> None:
    found = costs_of(BY_HAND)
    assert (found.gross, found.spread, found.slippage, found.delay) == (153, 4, 8, -4)
    assert (found.commission, found.swap) == (20, 4)
    assert found.gross - found.paid == 50 - 20 + 0 + 99


def test_the_costs_of_a_real_run_lead_from_gross_to_net() -> None:
    made = run(asked(StrategyRef(name="ma_crossover")), noise(600))
    costs = costs_of(made)
    assert costs.gross - costs.paid == pytest.approx(made.net / made.money_scale, abs=0.02)


def test_what_has_no_meaning_is_none() -> None:
    nothing = figures(outcome([1_000] * 40, trades([], [], [])))
    assert nothing.win_rate is None
    assert nothing.profit_factor is None
    assert nothing.expectancy is None
    assert nothing.annual_sharpe is None
    assert nothing.exposure == 0
    assert figures(outcome([1_000, 10], BY_HAND.trades)).annual_return is not None
    assert figures(outcome([1_000, -5], BY_HAND.trades)).annual_return is None
    assert figures(outcome([1_000, 2_000], BY_HAND.trades)).annual_return is None  # of an hour


def test_months_by_hand() -> None:
    begin = 29 * 24  # 1970-01-30
    made = outcome([1_000] * 24 + [1_100] * 24 + [990] * 5, trades([], [], []), begin)
    assert [(one.year, one.month) for one in months(made)] == [(1970, 1), (1970, 2)]
    assert [one.share for one in months(made)] == pytest.approx([0.1, -0.1])


def test_bars_a_year_are_counted_as_they_came() -> None:
    week = numpy.array([0, 1, 2, 167]) * HOUR_NS
    assert bars_per_year(week) == pytest.approx(3 * YEAR_NS / (167 * HOUR_NS))
    assert bars_per_year(week[:1]) == 1.0


def test_overlapping_trades_count_once() -> None:
    nested = trades([1, 1], [(0, 4), (1, 2)], [1, 1])
    assert exposure(replace(BY_HAND, trades=nested)) == 1.0
