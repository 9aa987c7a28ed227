"""The live handle says what the whole series says, whenever it was opened."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy
import pytest

from ordergate.market.features.frame import BadBars, Frame, cut
from ordergate.market.features.indicators import INDICATORS, call
from ordergate.market.features.live import LiveBar, LiveFrame, opened
from ordergate.model.errors import InvalidArgument
from ordergate.model.series import Series
from support.series import walk

CALLS = [call(indicator.name) for indicator in INDICATORS]
CALLS += [
    call("sma", 20, column="volume"),
    call("ema", 9, column="hl2"),
    call("wma", column="hlc3"),
]


def bar_of(series: Series, n: int) -> LiveBar:
    row = (series.open, series.high, series.low, series.close, series.volume)
    return LiveBar(int(series.time[n]), *(float(column[n]) for column in row))


def same(ours: object, theirs: tuple[float, ...]) -> bool:
    said = (math.nan,) * len(theirs) if ours is None else ours
    said = said if isinstance(said, tuple) else (said,)
    return all(
        (math.isnan(a) and math.isnan(b)) or abs(a - b) <= 1e-9 * max(1.0, abs(b))
        for a, b in zip(said, theirs, strict=True)
    )


@pytest.mark.parametrize("begin", [0, 1, 14, 33, 400])
def test_bar_by_bar_it_says_what_the_whole_series_says(begin: int) -> None:
    series = walk(500)
    whole = Frame(series)
    live = LiveFrame(cut(series, begin), CALLS)
    for n in range(begin, len(series)):
        values = live.update(bar_of(series, n))
        for one, value in zip(CALLS, values, strict=True):
            wanted = tuple(float(output[n]) for output in whole.outputs(one))
            assert same(value, wanted), (one.text, n, value, wanted)


def test_it_stands_at_the_last_bar_of_its_history() -> None:
    series = walk(300)
    whole = Frame(series)
    for one, value in zip(CALLS, LiveFrame(series, CALLS).values, strict=True):
        assert same(value, tuple(float(output[-1]) for output in whole.outputs(one)))


def test_a_look_at_the_running_bar_changes_nothing() -> None:
    series = walk(400)
    live = LiveFrame(cut(series, 398), CALLS)
    following = bar_of(series, 398)
    wild = following._replace(high=9.0, close=8.0)
    seen = live.peek(wild)
    assert seen != live.values
    expected = live.peek(following)
    assert [*live.update(following)] == expected


def test_a_bar_without_a_number_or_out_of_time_changes_nothing() -> None:
    series = walk(300)
    live = LiveFrame(cut(series, 298), CALLS)
    before = list(live.values)
    good = bar_of(series, 298)
    for field in ("open", "high", "low", "close", "volume"):
        with pytest.raises(BadBars):
            live.update(good._replace(**{field: math.nan}))
    with pytest.raises(InvalidArgument):
        live.update(bar_of(series, 297))
    assert live.values == before
    fresh = LiveFrame(cut(series, 299), CALLS)
    assert live.update(good) == fresh.values


def test_without_volume_the_price_indicators_go_on() -> None:
    series = walk(200, volume=False)
    live = LiveFrame(cut(series, 199), [call("ema"), call("atr")])
    assert None not in live.update(bar_of(series, 199))
    with pytest.raises(BadBars):
        LiveFrame(series, [call("obv")])


def test_a_history_with_a_hole_is_refused() -> None:
    series = walk(50)
    close = series.close.copy()
    close[10] = math.nan
    with pytest.raises(BadBars):
        LiveFrame(replace(series, close=close), CALLS)


def test_a_handle_equals_the_batch_after_many_updates() -> None:
    series = walk(20_000, seed=9)
    handle = opened(call("ema"), [series.close[:100]])
    for value in series.close[100:]:
        handle.update(float(value))
    assert handle.value == float(numpy.asarray(Frame(series).value(call("ema")))[-1])
