"""What is passed over is what would have come of every step: bit by bit, on random markets."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal

import pytest

from ordergate.research.backtest.engine import run_laid
from ordergate.research.backtest.spec import Account, CostSpec, Style
from ordergate.sim import layout
from support.backtests import bars, laid_on, spec, styled, wider, word


@pytest.mark.parametrize("seed", range(12))
def test_gliding_changes_nothing(seed: int) -> None:
    chance = random.Random(seed)
    rows, last = [], 0
    for _ in range(400):
        close = last + chance.randint(-30, 30)
        opened = last + chance.choice((0, 0, chance.randint(-40, 40)))
        high = max(opened, close) + chance.randint(0, 15)
        rows.append((opened, high, min(opened, close) - chance.randint(0, 15), close))
        last = close
    style = chance.choice(tuple(Style))
    asked = spec(
        strategy=styled(style),
        costs=CostSpec(slippage_points=Decimal(1)),
        account=Account(balance=Decimal(chance.choice((3_400, 100_000)))),
    )
    want = [chance.choice((0, 0, 0, 1, -1, 2)) for _ in rows]
    stop = [
        row[3] - 25 * side if side in (1, -1) else 0 for row, side in zip(rows, want, strict=True)
    ]
    target = [
        row[3] + 40 * side if side in (1, -1) else 0 for row, side in zip(rows, want, strict=True)
    ]
    said = word(want, stop=stop, target=target)
    laid = laid_on(asked, bars(rows, asks=wider(rows, 3)))
    slow = laid.terms.copy()
    assert slow[layout.SYMBOLS_AT + layout.EXACT] == 1
    slow[layout.SYMBOLS_AT + layout.EXACT] = 0
    one, other = run_laid(laid, said), run_laid(replace(laid, terms=slow), said)
    assert one.equity.tolist() == other.equity.tolist()
    assert one.refused == other.refused
    assert one.band == other.band
    for name in one.trades.__slots__:
        assert getattr(one.trades, name).tolist() == getattr(other.trades, name).tolist()
