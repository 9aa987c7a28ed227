"""For any bars and arguments: live equals whole, first bars say the same, no text crashes."""

from __future__ import annotations

import math

import numpy
from hypothesis import given
from hypothesis import strategies as st

from ordergate.market.features.frame import Frame, cut
from ordergate.market.features.indicators import INDICATORS, Call, call
from ordergate.market.features.live import LiveBar, LiveFrame
from ordergate.market.signals.grammar import COMPARISONS, FUNCTIONS, KEYWORDS
from ordergate.market.signals.rules import Rule, parse
from ordergate.market.signals.words import RuleError
from ordergate.model.market import Timeframe
from ordergate.model.series import Series
from ordergate.model.values import Symbol
from support.examples import examples
from support.series import starts

NAMES = [indicator.name for indicator in INDICATORS]
COLUMNS = ("open", "high", "low", "close", "volume", "hl2", "hlc3")


@st.composite
def bars(draw: st.DrawFn, most: int = 160) -> Series:
    """Bars that jump, stand still and trade nothing, as real ones do."""
    count = draw(st.integers(2, most))
    seed = draw(st.integers(0, 2**31))
    still = draw(st.sampled_from([0.0, 0.3, 1.0]))
    chance = numpy.random.default_rng(seed)
    steps = chance.normal(0, draw(st.sampled_from([1e-5, 1e-2])), count)
    steps[chance.random(count) < still] = 0.0
    close = 100 * numpy.exp(numpy.cumsum(steps))
    opened = numpy.concatenate([[100.0], close[:-1]])
    reach = chance.random(count) * (chance.random(count) >= still)
    return Series(
        symbol=Symbol("EURUSD"),
        timeframe=Timeframe.H1,
        time=starts(count, Timeframe.H1),
        open=opened,
        high=numpy.maximum(opened, close) + reach,
        low=numpy.minimum(opened, close) - reach,
        close=close,
        volume=chance.integers(0, 4, count).astype(numpy.float64),
        complete=True,
        source="drawn",
    )


@st.composite
def calls(draw: st.DrawFn) -> Call:
    one = call(draw(st.sampled_from(NAMES)))
    given_ = []
    for parameter in one.indicator.parameters:
        high = min(parameter.high, 30.0)
        if parameter.whole:
            given_.append(float(draw(st.integers(int(parameter.low), int(high)))))
        else:
            given_.append(draw(st.floats(parameter.low, min(high, 5.0))))
    if one.indicator.name == "macd" and given_[0] >= given_[1]:
        given_[:2] = [2.0, 3.0 + given_[0]]
    column = draw(st.sampled_from(COLUMNS)) if one.indicator.takes_column else None
    return call(one.indicator.name, *given_, column=column)


@given(series=bars(), asked=st.lists(calls(), min_size=1, max_size=4), share=st.floats(0, 1))
@examples(150)
def test_bar_by_bar_equals_the_whole(series: Series, asked: list[Call], share: float) -> None:
    whole = Frame(series)
    begin = int(share * (len(series) - 1))
    live = LiveFrame(cut(series, begin), asked)
    rows = (series.open, series.high, series.low, series.close, series.volume)
    for n in range(begin, len(series)):
        values = live.update(LiveBar(int(series.time[n]), *(float(column[n]) for column in rows)))
        for one, value in zip(asked, values, strict=True):
            wanted = [float(output[n]) for output in whole.outputs(one)]
            said = [math.nan] * len(wanted) if value is None else value
            said = list(said) if isinstance(said, tuple | list) else [said]
            for ours, theirs in zip(said, wanted, strict=True):
                assert math.isnan(ours) == math.isnan(theirs), (one.text, n)
                far = abs(ours - theirs) > 1e-9 * max(1.0, abs(theirs))
                assert math.isnan(ours) or not far, (one.text, n, ours, theirs)


@st.composite
def values(draw: st.DrawFn, depth: int = 2) -> str:
    kinds = ["column", "number", "indicator"] + ["sum", "function", "before"] * (depth > 0)
    match draw(st.sampled_from(kinds)):
        case "column":
            return draw(st.sampled_from(COLUMNS))
        case "number":
            return f"{draw(st.integers(0, 200))}"
        case "indicator":
            one = draw(calls())
            outputs = one.indicator.outputs
            return one.text + (f".{draw(st.sampled_from(outputs))}" if len(outputs) > 1 else "")
        case "sum":
            sign = draw(st.sampled_from("+-*/"))
            return f"({draw(values(depth - 1))} {sign} {draw(values(depth - 1))})"
        case "before":
            return f"({draw(values(depth - 1))})[{draw(st.integers(1, 9))}]"
        case _:
            name = draw(st.sampled_from(sorted(FUNCTIONS)))
            inside = [
                draw(values(depth - 1)) if kind == "v" else str(draw(st.integers(1, 12)))
                for kind in FUNCTIONS[name]
            ]
            return f"{name}({', '.join(inside)})"


@st.composite
def conditions(draw: st.DrawFn, depth: int = 2) -> str:
    if depth and draw(st.booleans()):
        word = draw(st.sampled_from(["and", "or", "not"]))
        if word == "not":
            return f"not ({draw(conditions(depth - 1))})"
        return f"({draw(conditions(depth - 1))}) {word} ({draw(conditions(depth - 1))})"
    sign = draw(st.sampled_from([*COMPARISONS, "crosses above", "crosses below"]))
    return f"{draw(values())} {sign} {draw(values())}"


def read(text: str) -> Rule | RuleError:
    try:
        return parse(text)
    except RuleError as refused:
        return refused


@given(series=bars(300), text=conditions(), share=st.floats(0, 1))
@examples(150)
def test_a_rule_says_of_the_first_bars_what_it_says_of_them_in_the_whole(
    series: Series, text: str, share: float
) -> None:
    rule = read(text)
    if isinstance(rule, RuleError):
        assert "at most" in str(rule.details["expected"]), text
        return
    upto = max(1, int(share * len(series)))
    whole, part = rule.evaluate(series), rule.evaluate(cut(series, upto))
    assert (whole[:upto] == part).all()
    assert not whole[: rule.required_history - 1].any()
    denied = parse(f"not ({text})") if len(text) < 480 else rule
    if denied is not rule:
        assert not (whole & denied.evaluate(series)).any(), "true and its contrary, too"


PIECES = [
    *NAMES,
    *COLUMNS,
    *FUNCTIONS,
    *KEYWORDS,
    *COMPARISONS,
    *"()[].,+-*/=",
    "1",
    "20",
    "1.5",
    " ",
]


@given(st.lists(st.sampled_from(PIECES), max_size=60).map(" ".join) | st.text(max_size=520))
@examples(400)
def test_any_text_is_read_or_refused_with_its_place(text: str) -> None:
    refused = read(text)
    if isinstance(refused, RuleError):
        place = refused.details["position"]
        assert isinstance(place, int)
        assert 1 <= place <= len(text) + 1
        assert refused.details["expected"]
