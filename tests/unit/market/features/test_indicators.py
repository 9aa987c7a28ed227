"""Indicators as they are declared: arguments checked, history told truly."""

from __future__ import annotations

import math

import numpy
import pytest

from ordergate.market.features.frame import Frame, cut
from ordergate.market.features.indicators import (
    HISTORY_MAX,
    INDICATORS,
    BadIndicator,
    bars_for,
    call,
    nearest,
    settling,
    signature,
)
from ordergate.model.market import Timeframe
from ordergate.model.series import Series
from support.series import walk

SETTLES_BY_A_TURN = {"supertrend"}  # a path: see test_a_supertrend_agrees_once_it_has_turned
NAMES = [indicator.name for indicator in INDICATORS]


@pytest.mark.parametrize("name", NAMES)
def test_the_warm_up_is_the_number_of_bars_without_a_value(name: str) -> None:
    one = call(name)
    frame = Frame(walk(500))
    for output in frame.outputs(one):
        if not one.indicator.session_bound:
            assert int(numpy.isnan(output).sum()) == one.warm_up
        assert not numpy.isnan(output[one.warm_up + 200 :]).any()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "obv"])
def test_the_required_history_gives_what_a_long_one_gives(name: str) -> None:
    """To 1e-9 of the price, or of a scale of 100 points."""
    one = call(name)
    whole = walk(3_000, seed=3)
    need = bars_for(one.required_history, whole.timeframe, session=one.indicator.session_bound)
    scale = 100.0 if name in ("rsi", "adx", "stochastic", "cci") else 1.1
    for end in (2_500, 2_777, 3_000):
        long, short = Frame(cut(whole, end)), Frame(tail(whole, end - need, end))
        for ours, theirs in zip(short.outputs(one), long.outputs(one), strict=True):
            assert abs(ours[-1] - theirs[-1]) <= 1e-9 * scale, (name, end)


@pytest.mark.parametrize("name", ["ema", "rsi", "atr", "adx", "keltner"])
def test_half_of_the_required_history_would_not_do(name: str) -> None:
    one = call(name)
    whole = walk(3_000, seed=3)
    long = Frame(whole).value(one)[-1]
    short = Frame(tail(whole, 3_000 - one.required_history // 2, 3_000)).value(one)[-1]
    assert abs(short - long) > 1e-9


def test_a_supertrend_agrees_once_it_has_turned() -> None:
    one = call("supertrend", 10, 1.5)
    agreed = 0
    for seed in range(20):
        whole = walk(2_000, seed=seed)
        long = Frame(whole).outputs(one)
        short = Frame(tail(whole, 2_000 - one.required_history, 2_000)).outputs(one)
        agreed += abs(long[0][-1] - short[0][-1]) < 1e-9 and long[1][-1] == short[1][-1]
    assert agreed == 20


def tail(series: Series, begin: int, end: int) -> Series:
    kept = cut(series, end)
    fields = {
        name: getattr(kept, name)[begin:]
        for name in ("time", "open", "high", "low", "close", "volume")
    }
    return Series(
        symbol=series.symbol, timeframe=series.timeframe, complete=True, source="tail", **fields
    )


def test_a_long_ema_needs_more_than_two_thousand_bars() -> None:
    assert call("ema", 200).required_history > 2_000
    assert call("sma", 200).required_history == 200


def test_defaults_are_filled_in_and_named_arguments_taken() -> None:
    assert call("macd").arguments == (12, 26, 9)
    assert call("macd", 5, named={"signal": 4}).arguments == (5, 26, 4)
    assert call("bollinger", 20, 2.5).arguments == (20, 2.5)
    assert call("bbands").indicator.name == "bollinger"
    assert call("sma", 20, column="volume").text == "sma(20, volume)"
    assert call("ema").text == "ema(20)"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("emma",), "no such indicator"),
        (("ema", 1), "from 2 to 500"),
        (("ema", 501), "from 2 to 500"),
        (("ema", 2.5), "whole number"),
        (("ema", math.nan), "from 2 to 500"),
        (("ema", 5, 6), "takes 1 numbers"),
        (("macd", 26, 12), "fast must be below slow"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(arguments: tuple, words: str) -> None:
    with pytest.raises(BadIndicator, match=words) as refused:
        call(*arguments)
    assert refused.value.fix


def test_a_named_argument_that_is_none_or_given_twice_is_refused() -> None:
    for named in ({"length": 5}, {"period": 5}):
        with pytest.raises(BadIndicator):
            call("ema", 9, named=named)


def test_an_indicator_with_its_own_columns_takes_no_other() -> None:
    with pytest.raises(BadIndicator, match="own columns"):
        call("atr", 14, column="close")


def test_the_nearest_name_is_offered() -> None:
    assert nearest("emma", ("ema", "rsi")) == "Did you mean ema?"
    assert nearest("zzz", ("ema", "rsi")) == "There are ema, rsi."
    assert signature(call("macd").indicator) == "macd(12, 26, 9[, column])"


def test_bars_to_ask_for_cover_rows_and_a_session() -> None:
    assert bars_for(20, Timeframe.H1, rows=5) == 24
    assert bars_for(20, Timeframe.M1, session=True) == 1_442
    assert bars_for(20, Timeframe.D1, session=True) == 20
    assert bars_for(9_000, Timeframe.H1) == HISTORY_MAX


def test_settling_counts_the_bars_until_a_share_is_gone() -> None:
    assert 0.5 ** settling(0.5) <= 1e-9 < 0.5 ** (settling(0.5) - 1)
    assert settling(0.0) == 0
