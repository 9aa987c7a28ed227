"""Columns and own formulas by hand; a hole is refused with its time, never filled."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy
import pytest

from ordergate.market.features.frame import (
    BATCH,
    BadBars,
    Frame,
    closed,
    cut,
    keltner,
    series_of,
    stochastic,
    supertrend,
    vwap,
)
from ordergate.market.features.indicators import INDICATORS, call
from ordergate.model.errors import DataUnavailable
from ordergate.model.market import Bar, Timeframe
from ordergate.model.values import Symbol
from support.series import of_bars, of_closes, starts, walk


def test_vwap_by_hand_begins_anew_with_each_session() -> None:
    """Bars of 20:00, 21:00 | 22:00, 23:00, 00:00 UTC in winter: the session turns at 22:00."""
    begin = int(datetime(2026, 1, 6, 20, tzinfo=UTC).timestamp()) * 10**9
    rows = [
        (12, 6, 9, 100),  # typical 9, of a session whose beginning is not here
        (15, 9, 12, 100),
        (12, 6, 9, 10),  # typical 9: 90 / 10
        (15, 9, 12, 30),  # typical 12: (90 + 360) / 40 = 11.25
        (24, 18, 21, 60),  # typical 21: (450 + 1260) / 100 = 17.1
    ]
    series = of_bars(rows, begin_ns=begin)
    found = Frame(series).value(call("vwap"))
    assert numpy.isnan(found[:2]).all()
    assert found[2:].tolist() == [9.0, 11.25, 17.1]


def test_vwap_has_no_value_before_any_volume() -> None:
    begin = int(datetime(2026, 1, 6, 21, tzinfo=UTC).timestamp()) * 10**9
    series = of_bars([(3, 1, 2, 5), (3, 1, 2, 0), (6, 4, 5, 8)], begin_ns=begin)
    assert numpy.isnan(Frame(series).value(call("vwap"))).tolist() == [True, True, False]


def test_vwap_of_one_session_alone_is_unknown() -> None:
    times = starts(3, Timeframe.H1)
    ones = numpy.ones(3)
    assert numpy.isnan(vwap(times, ones, ones, ones, ones)).all()


def test_donchian_by_hand() -> None:
    series = of_bars([(5, 1, 3, 1), (4, 2, 3, 1), (6, 3, 4, 1), (5, 2, 3, 1)])
    upper, middle, lower = Frame(series).outputs(call("donchian", 3))
    assert upper[2:].tolist() == [6, 6]
    assert lower[2:].tolist() == [1, 2]
    assert middle[2:].tolist() == [3.5, 4]
    assert numpy.isnan(upper[:2]).all()


def test_keltner_by_hand() -> None:
    """Closes 10 12 11 15; EMA(2): 11, 11, 41/3. True ranges 3 1 5; ATR(2): 2, 3.5."""
    high = numpy.array([11.0, 13.0, 12.0, 16.0])
    low = numpy.array([9.0, 10.0, 11.0, 13.0])
    close = numpy.array([10.0, 12.0, 11.0, 15.0])
    upper, middle, lower = keltner(high, low, close, 2, 2, 2.0)
    assert numpy.isnan(middle[:2]).all()
    assert middle[2:].tolist() == pytest.approx([11.0, 41 / 3])
    assert upper[2:].tolist() == pytest.approx([15.0, 41 / 3 + 7])
    assert lower[2:].tolist() == pytest.approx([7.0, 41 / 3 - 7])


def test_supertrend_by_hand_turns_where_the_close_leaves_its_band() -> None:
    """Steady bars of height 2 (ATR 2, bands middle -+ 2), then a fall through the lower band."""
    close = numpy.array([10.0, 10.0, 10.0, 10.0, 7.0, 7.0])
    value, direction = supertrend(close + 1, close - 1, close, 2, 1.0)
    assert numpy.isnan(direction[:2]).all()
    assert value[2:4].tolist() == [8.0, 8.0]
    assert direction[2:].tolist() == [1, 1, -1, -1]
    # At the fall: true range 4, ATR (2 + 4) / 2 = 3, upper band min(12, 7 + 3) = 10.
    assert value[4] == pytest.approx(10.0)


def test_stochastic_by_hand() -> None:
    """Close in the range of three bars: 50, then 75; %D of two: their mean."""
    high, low = numpy.array([4.0, 4, 4, 4]), numpy.array([0.0, 0, 0, 0])
    k, d = stochastic(high, low, numpy.array([1.0, 3, 2, 3]), 3, 1, 2)
    assert (k[3], d[3]) == (75.0, 62.5)


def test_a_price_that_is_missing_is_refused_with_its_time() -> None:
    series = walk(50)
    close = series.close.copy()
    close[7] = math.nan
    with pytest.raises(BadBars, match=r"the bar of 2026-01-01T00:45:00Z has no close") as refused:
        Frame(replace(series, close=close))
    assert refused.value.details == {"bar": "2026-01-01T00:45:00Z", "column": "close"}


def test_an_infinite_price_is_missing_too() -> None:
    series = walk(50)
    high = series.high.copy()
    high[3] = math.inf
    with pytest.raises(BadBars, match="no high"):
        Frame(replace(series, high=high))


def test_volume_is_asked_for_only_by_those_who_need_it() -> None:
    frame = Frame(walk(60, volume=False))
    assert len(frame.value(call("ema"))) == 60
    for name in ("obv", "vwap"):
        with pytest.raises(BadBars, match="has no volume"):
            frame.outputs(call(name))


def test_a_hole_in_the_volume_is_refused_with_its_time() -> None:
    series = walk(60)
    volume = series.volume.copy()
    volume[0] = math.nan
    with pytest.raises(BadBars, match="2025-12-31T23:00:00Z has no volume"):
        Frame(replace(series, volume=volume)).outputs(call("obv"))


def test_derived_columns_are_their_means() -> None:
    frame = Frame(of_bars([(6, 2, 4, 1)]))
    assert frame.column("hl2").tolist() == [4.0]
    assert frame.column("hlc3").tolist() == [4.0]


def test_an_indicator_is_computed_once() -> None:
    frame = Frame(walk(60))
    assert frame.outputs(call("rsi")) is frame.outputs(call("rsi"))


def test_every_indicator_can_be_computed() -> None:
    assert set(BATCH) | {"vwap"} == {indicator.name for indicator in INDICATORS}


def test_too_few_bars_have_no_value_and_do_no_harm() -> None:
    for bars in (0, 1, 2, 5):
        frame = Frame(walk(bars))
        for indicator in INDICATORS:
            for output in frame.outputs(call(indicator.name)):
                assert len(output) == bars


def test_the_running_bar_is_left_out_and_a_cut_is_whole() -> None:
    running = walk(10, complete=False)
    assert len(closed(running)) == 9
    assert closed(running).complete
    assert closed(walk(10)).close[-1] == walk(10).close[-1]
    assert len(closed(walk(0))) == 0
    assert cut(running, 10).complete is False
    assert cut(running, 4).complete


def test_single_bars_become_columns() -> None:
    at = datetime(2026, 1, 7, 14, tzinfo=UTC)
    bars = [
        Bar(
            Symbol("EURUSD"),
            Timeframe.H1,
            at + timedelta(hours=n),
            *(Decimal(text) for text in ("1.1", "1.3", "1.0", "1.2")),
            None if n else Decimal(5),
            not n,
        )
        for n in range(2)
    ]
    series = series_of(bars, "here")
    assert series.time.tolist() == [
        int(at.timestamp()) * 10**9 + n * 3_600_000_000_000 for n in (0, 1)
    ]
    assert series.high.tolist() == [1.3, 1.3]
    assert series.volume[0] == 5
    assert math.isnan(series.volume[1])
    assert (series.complete, series.source) == (False, "here")
    with pytest.raises(DataUnavailable):
        series_of([], "here")


def test_sums_of_constant_bars_stay_sane() -> None:
    frame = Frame(of_closes([5.0] * 60, reach=0.0))
    assert frame.value(call("atr"))[-1] == 0
    assert frame.value(call("rsi"))[-1] == 0  # TA-Lib's answer to 0/0 is the rule
