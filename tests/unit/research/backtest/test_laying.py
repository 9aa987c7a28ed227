from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ordergate.model.values import Symbol
from ordergate.research.backtest.laying import lay
from ordergate.research.backtest.spec import BadSpec
from ordergate.research.backtest.tapes import MarketData, Tape
from ordergate.research.backtest.ticks import BadTape
from ordergate.sim import layout
from support.backtests import TUESDAY, bars, eurusd, laid_on, spec

CALM = (0, 5, -5, 0)


def test_a_slice_holds_the_bars_that_begin_in_it() -> None:
    begin, end = TUESDAY + timedelta(hours=2), TUESDAY + timedelta(hours=5)
    laid = laid_on(spec(begin=begin, end=end), bars([CALM] * 8))
    assert len(laid) == 3
    assert laid.starts[0] == int(begin.timestamp()) * 10**9
    assert laid.ends[-1] == int(end.timestamp()) * 10**9


def test_a_bar_still_running_is_left_out() -> None:
    assert len(laid_on(spec(), replace(bars([CALM] * 4), complete=False))) == 3


def test_a_slice_without_bars_and_a_symbol_without_any_are_refused() -> None:
    with pytest.raises(BadTape, match="has 0 bars"):
        laid_on(spec(begin=TUESDAY + timedelta(days=9)), bars([CALM] * 4))
    with pytest.raises(BadSpec, match="no bars of GBPUSD"):
        laid_on(spec(symbols=(Symbol("GBPUSD"),)), bars([CALM] * 4))


def test_events_of_several_symbols_are_in_the_order_of_time() -> None:
    later = TUESDAY + timedelta(hours=1)
    tapes = (
        Tape(eurusd(), bars([CALM] * 3)),
        Tape(eurusd(symbol=Symbol("GBPUSD")), bars([CALM] * 3, begin=later, symbol="GBPUSD")),
    )
    laid = lay(spec(symbols=(Symbol("EURUSD"), Symbol("GBPUSD"))), MarketData(tapes))
    assert [rows.tolist() for rows in laid.rows] == [[0, 1, 3], [2, 4, 5]]
    at = int(laid.terms[layout.DUE])
    due = laid.extra[at : at + 6].tolist()
    assert due[:3] == [1, 3, 4]  # the next bar of the same symbol


def test_the_digest_is_of_the_bars_and_the_specification() -> None:
    one, same = laid_on(spec(), bars([CALM] * 3)), laid_on(spec(), bars([CALM] * 3))
    assert one.data_sha256 == same.data_sha256
    other = laid_on(spec(), bars([CALM, CALM, (0, 6, -5, 0)]))
    assert other.data_sha256 != one.data_sha256
    assert laid_on(spec(), bars([CALM] * 3), leverage=20).data_sha256 != one.data_sha256
