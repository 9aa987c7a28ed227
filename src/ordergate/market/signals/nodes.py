"""What a rule is read into: a tree of values and conditions, and how much history it needs."""

from __future__ import annotations

from dataclasses import dataclass

from ordergate.market.features.indicators import Call


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Column:
    name: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One output of an indicator."""

    call: Call
    output: str

    @property
    def text(self) -> str:
        several = len(self.call.indicator.outputs) > 1
        return f"{self.call.text}.{self.output}" if several else self.call.text


@dataclass(frozen=True, slots=True)
class Before:
    """A value so many bars ago."""

    value: Node
    bars: int


@dataclass(frozen=True, slots=True)
class Applied:
    """A function or an arithmetic sign over values."""

    name: str  # + - * / negative, or one of FUNCTIONS
    values: tuple[Node, ...]
    bars: int = 0


@dataclass(frozen=True, slots=True)
class Compared:
    sign: str  # one of COMPARISONS, "crosses above" or "crosses below"
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Joined:
    word: str  # and, or, not
    parts: tuple[Node, ...]


Node = Number | Column | Reading | Before | Applied | Compared | Joined


def is_condition(node: Node) -> bool:
    return isinstance(node, Compared | Joined)


def history(node: Node) -> int:
    """Return how many bars a node needs before its word counts."""
    match node:
        case Number() | Column():
            return 1
        case Reading():
            return node.call.required_history
        case Before():
            return history(node.value) + node.bars
        case Applied():
            longer = node.bars if node.name == "change" else max(node.bars - 1, 0)
            return max(history(value) for value in node.values) + longer
        case Compared():
            longer = int(node.sign.startswith("crosses"))
            return max(history(node.left), history(node.right)) + longer
        case Joined():
            return max(history(part) for part in node.parts)


def parts(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly below."""
    match node:
        case Number() | Column() | Reading():
            return ()
        case Before():
            return (node.value,)
        case Applied():
            return node.values
        case Compared():
            return (node.left, node.right)
        case Joined():
            return node.parts
