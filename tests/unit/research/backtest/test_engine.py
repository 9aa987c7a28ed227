from __future__ import annotations

import pytest

from ordergate.research.backtest.engine import VERSION, run
from ordergate.research.backtest.spec import StrategyRef, Style
from ordergate.research.backtest.tapes import MarketData, Tape
from support.backtests import bars, eurusd, ran, spec, word

CALM = (0, 5, -5, 0)


def rising(count: int) -> list[tuple[int, int, int, int]]:
    return [(10 * n, 10 * n + 12, 10 * n - 2, 10 * n + 10) for n in range(count)]


def test_a_rule_is_tested_from_the_request_to_the_outcome() -> None:
    rule = StrategyRef(name="custom", long_when="close > sma(3)", style=Style.TARGET)
    series = bars(rising(300))
    told = run(spec(strategy=rule), MarketData((Tape(eurusd(), series),)))
    assert (told.open_trades, len(told.trades), told.compiled) == (1, 1, False)
    assert told.trades.side[0] == 1
    assert told.net == int(told.trades.net.sum())
    assert (len(told.equity), len(told.time)) == (300, 300)
    assert (told.engine, told.seed, len(told.data_sha256)) == (VERSION, 1, 64)


def test_more_trades_than_were_guessed_are_all_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ordergate.research.backtest.engine.ROOM_FIRST", 1)
    style = StrategyRef(name="rule_baseline", style=Style.TARGET)
    told = ran(spec(strategy=style), bars([CALM] * 101), word([1, 2] * 50 + [0]))
    assert len(told.trades) == 50


def test_the_same_request_gives_the_same_bytes() -> None:
    said = word([1, -1, 2, 0] * 10, stop=[-50, 50, 0, 0] * 10)
    one, other = (ran(spec(), bars(rising(40)), said) for _ in range(2))
    assert one.equity.tobytes() == other.equity.tobytes()
    assert one.trades.net.tobytes() == other.trades.net.tobytes()
