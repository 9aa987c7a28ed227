"""Rules over bars: a parsed condition, true or false for each bar by it and the bars before."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Final

import numpy

from ordergate.market.features.frame import Frame
from ordergate.market.features.indicators import Call
from ordergate.market.signals.grammar import (
    indicator_alone,
    read,
    read_condition,
    read_value,
)
from ordergate.market.signals.nodes import (
    Applied,
    Before,
    Column,
    Compared,
    Joined,
    Node,
    Number,
    Reading,
    history,
    parts,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ordergate.model.series import Numbers, Series

    Truths = NDArray[numpy.bool_]


@dataclass(frozen=True)
class Formula:
    """A number for every bar."""

    text: str
    node: Node

    @cached_property
    def required_history(self) -> int:
        """Return how many bars a value needs to be what longer history would give, too."""
        return history(self.node)

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """Return the indicators it reads, each once."""
        found = (node.call for node in walk(self.node) if isinstance(node, Reading))
        return tuple(dict.fromkeys(found))

    @property
    def needs_session(self) -> bool:
        """Say whether a session must begin inside the history, too."""
        return any(call.indicator.session_bound for call in self.calls)

    def values(self, frame: Frame) -> Numbers:
        """Return its number for each bar; NaN where it has none."""
        with numpy.errstate(all="ignore"):
            return _numbers(self.node, frame)

    def trusted(self, frame: Frame) -> Numbers:
        """Return the same, NaN for the first `required_history` - 1: what another history moves."""
        made = self.values(frame).copy()
        made[: self.required_history - 1] = numpy.nan
        return made

    def read_at(self, frame: Frame, bar: int) -> dict[str, float]:
        """Return what each indicator and column in it said at a bar; what has no value is out."""
        said: dict[str, float] = {}
        for node in walk(self.node):
            if isinstance(node, Reading | Column):
                name = node.text if isinstance(node, Reading) else node.name
                value = float(_numbers(node, frame)[bar])
                if math.isfinite(value):
                    said[name] = value
        return said


@dataclass(frozen=True)
class Rule(Formula):
    """A condition for every bar. What is not known is not true: a rule fires on facts alone."""

    def evaluate(self, series: Series) -> Truths:
        """Return a bool for each bar; False for the first `required_history` - 1.

        Raises BadBars for a hole in a column it reads.
        """
        return self.on(Frame(series))

    def on(self, frame: Frame) -> Truths:
        """Return the same, of a frame that may hold some of its indicators already."""
        with numpy.errstate(all="ignore"):
            holds: Truths = _words(self.node, frame) == 1
        holds[: self.required_history - 1] = False
        return holds


def parse(text: str) -> Rule:
    """Return the rule a text says; raise RuleError with the place and what was expected."""
    return Rule(text, read_condition(text))


def parse_value(text: str) -> Formula:
    """Return the formula a text says, such as `ema(20) - ema(50)`; raise RuleError."""
    return Formula(text, read_value(text))


def columns_of(text: str) -> tuple[tuple[str, Formula], ...]:
    """Return the columns a text means, each with its name; raise RuleError.

    An indicator of several outputs, named without one, is all of them: macd() is three columns.
    """
    whole = indicator_alone(text)
    if whole is None:
        return ((text, Formula(text, read(text))),)
    readings = [Reading(whole, output) for output in whole.indicator.outputs]
    return tuple((reading.text, Formula(reading.text, reading)) for reading in readings)


def walk(node: Node) -> Iterator[Node]:
    yield node
    for part in parts(node):
        yield from walk(part)


def _numbers(node: Node, frame: Frame) -> Numbers:
    match node:
        case Number():
            return numpy.full(len(frame), node.value)
        case Column():
            return frame.column(node.name)
        case Reading():
            return frame.value(node.call, node.output)
        case Before():
            return _before(_numbers(node.value, frame), node.bars)
        case Applied():
            values = [_numbers(value, frame) for value in node.values]
            return _finite(_APPLIED[node.name](*values, *((node.bars,) if node.bars else ())))
        case _:  # a condition: 1, 0, or NaN where it is not known
            return _words(node, frame)


def _words(node: Node, frame: Frame) -> Numbers:
    """Return 1 for true, 0 for false, NaN for not known: both sides of a comparison must be."""
    match node:
        case Compared():
            left, right = _numbers(node.left, frame), _numbers(node.right, frame)
            known = ~(numpy.isnan(left) | numpy.isnan(right))
            if node.sign.startswith("crosses"):
                return _crosses(left, right, known, above=node.sign.endswith("above"))
            return numpy.where(known, _COMPARED[node.sign](left, right), numpy.nan)
        case Joined():
            said = [_words(part, frame) for part in node.parts]
            return 1 - said[0] if node.word == "not" else reduce(_JOINED[node.word], said)
        case _:
            return _numbers(node, frame)


def _crosses(left: Numbers, right: Numbers, known: Truths, *, above: bool) -> Numbers:
    over, under = (left, right) if above else (right, left)
    made = numpy.full(len(left), numpy.nan)
    now = over[1:] > under[1:]
    was = over[:-1] <= under[:-1]
    made[1:] = numpy.where(known[1:] & known[:-1], now & was, numpy.nan)
    return made


def _before(values: Numbers, bars: int) -> Numbers:
    made = numpy.full(len(values), numpy.nan)
    made[bars:] = values[: max(len(values) - bars, 0)]
    return made


def _window(values: Numbers, bars: int, best: numpy.ufunc) -> Numbers:
    """Return the best of the last `bars` values, in a time that does not grow with `bars`.

    Cut into blocks of that length: a window is the end of one block and the start of the next.
    """
    made = numpy.full(len(values), numpy.nan)
    if len(values) < bars:
        return made
    whole = numpy.concatenate([values, numpy.full(-len(values) % bars, values[-1])])
    blocks = whole.reshape(-1, bars)
    heads = best.accumulate(blocks, axis=1).ravel()
    tails = best.accumulate(blocks[:, ::-1], axis=1)[:, ::-1].ravel()
    last = numpy.arange(bars - 1, len(values))
    made[bars - 1 :] = best(tails[last - bars + 1], heads[last])
    return made


def _finite(values: Numbers) -> Numbers:
    """Blank what a division by zero or an overflow made."""
    return numpy.where(numpy.isfinite(values), values, numpy.nan)


def _and(left: Numbers, right: Numbers) -> Numbers:
    return numpy.where((left == 0) | (right == 0), 0.0, left * right)


def _or(left: Numbers, right: Numbers) -> Numbers:
    return numpy.where((left == 1) | (right == 1), 1.0, left + right)


_JOINED: Final[Mapping[str, Callable[..., Numbers]]] = {
    "and": _and,
    "or": _or,
}
_COMPARED: Final[Mapping[str, Callable[..., Truths]]] = {
    "<": numpy.less,
    "<=": numpy.less_equal,
    ">": numpy.greater,
    ">=": numpy.greater_equal,
    "==": numpy.equal,
    "!=": numpy.not_equal,
}
_APPLIED: Final[Mapping[str, Callable[..., Numbers]]] = {
    "+": numpy.add,
    "-": numpy.subtract,
    "*": numpy.multiply,
    "/": numpy.divide,
    "negative": numpy.negative,
    "abs": numpy.abs,
    "min": numpy.minimum,
    "max": numpy.maximum,
    "highest": lambda values, bars: _window(values, bars, numpy.maximum),
    "lowest": lambda values, bars: _window(values, bars, numpy.minimum),
    "change": lambda values, bars: values - _before(values, bars),
}
