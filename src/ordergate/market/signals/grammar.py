"""The language of rules: `ema(20) > ema(50) and rsi(14) < 70`, read into a tree, never run as code.

rule       = all { "or" all }
all        = no { "and" no }
no         = "not" no | comparison
comparison = sum [ ("<" | "<=" | ">" | ">=" | "==" | "!=") sum | "crosses" ("above" | "below") sum ]
sum        = product { ("+" | "-") product }
product    = signed { ("*" | "/") signed }
signed     = "-" signed | bar
bar        = value [ "[" number "]" ]             the value so many bars before
value      = number | column | indicator | function | "(" rule ")"
indicator  = name "(" [ arguments ] ")" [ "." output ]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ordergate.market.features.indicators import (
    ALIASES,
    BY_NAME,
    COLUMNS,
    HISTORY_MAX,
    PERIOD_MAX,
    BadIndicator,
    Call,
    Indicator,
    call,
    nearest,
    signature,
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
    is_condition,
)
from ordergate.market.signals.words import RuleError, Word, words

DEPTH_MAX: Final = 16
NODES_MAX: Final = 128
CALLS_MAX: Final = 24
COMPARISONS: Final = ("<", "<=", ">", ">=", "==", "!=")
FUNCTIONS: Final[Mapping[str, str]] = {  # name -> kinds of its arguments: value or whole number
    "abs": "v",
    "min": "vv",
    "max": "vv",
    "highest": "vn",
    "lowest": "vn",
    "change": "vn",
}
MEANINGS: Final[Mapping[str, str]] = {
    "abs": "without its sign",
    "min": "the smaller of two values",
    "max": "the larger of two values",
    "highest": "largest value of the last n bars, this one included",
    "lowest": "smallest value of the last n bars, this one included",
    "change": "value less the value n bars before",
}
KEYWORDS: Final = ("and", "or", "not", "crosses", "above", "below")


def read(text: str) -> Node:
    """Return the tree of a value or a condition; raise RuleError."""
    reader = _Reader(words(text))
    node = reader.whole()
    needed = history(node)
    if needed > HISTORY_MAX:
        raise RuleError(
            1,
            f"a rule that needs at most {HISTORY_MAX} bars of history",
            fix=f"This one needs {needed}: shorten its periods.",
        )
    return node


def indicator_alone(text: str) -> Call | None:
    """Return the indicator a text is, without an output, and nothing else; None for others."""
    reader = _Reader(words(text))
    return reader.alone()


def read_condition(text: str) -> Node:
    """Return the tree of a rule that is true or false; raise RuleError."""
    node = read(text)
    if not is_condition(node):
        raise RuleError(
            len(text) + 1, "a comparison", fix="Compare the value with something: rsi(14) < 70."
        )
    return node


def read_value(text: str) -> Node:
    """Return the tree of a number for each bar; raise RuleError."""
    node = read(text)
    if is_condition(node):
        raise RuleError(1, "a value", found="a condition", fix="Leave the comparison out.")
    return node


_Part = Callable[[], "Node"]


class _Reader:
    def __init__(self, given: tuple[Word, ...]) -> None:
        self._words = given
        self._at = 0
        self._depth = 0
        self._nodes = 0
        self._calls = 0

    def alone(self) -> Call | None:
        word = self._next
        indicator = BY_NAME.get(ALIASES.get(word.text, word.text))
        if indicator is None:
            return None
        self._take()
        made = self._called(word, indicator)
        return made if self._next.kind == "end" else None

    def whole(self) -> Node:
        node = self._any()
        word = self._next
        if word.kind != "end":
            near = nearest(word.text, KEYWORDS) if word.kind == "name" else ""
            raise self._wrong("and, or, a comparison or the end", fix=near)
        return node

    @property
    def _next(self) -> Word:
        return self._words[self._at]

    def _take(self) -> Word:
        word = self._words[self._at]
        self._at += 1
        return word

    def _has(self, *texts: str) -> bool:
        return self._next.kind != "end" and self._next.text in texts

    def _wrong(self, expected: str, *, fix: str = "") -> RuleError:
        return RuleError(self._next.place, expected, found=self._next.shown, fix=fix)

    def _need(self, text: str, expected: str = "") -> Word:
        if not self._has(text):
            raise self._wrong(expected or text)
        return self._take()

    def _made(self, node: Node) -> Node:
        self._nodes += 1
        if self._nodes > NODES_MAX:
            raise self._wrong(f"at most {NODES_MAX} parts", fix="Split it into several rules.")
        return node

    def _any(self) -> Node:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise self._wrong(f"at most {DEPTH_MAX} levels of brackets and not")
        node = self._joined("or", self._all)
        self._depth -= 1
        return node

    def _all(self) -> Node:
        return self._joined("and", self._no)

    def _joined(self, word: str, part: _Part) -> Node:
        place = self._next.place
        first = part()
        if not self._has(word):
            return first
        found = [self._conditional(first, place)]
        while self._has(word):
            self._take()
            place = self._next.place
            found.append(self._conditional(part(), place))
        return self._made(Joined(word, tuple(found)))

    def _no(self) -> Node:
        if not self._has("not"):
            return self._comparison()
        self._take()
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise self._wrong(f"at most {DEPTH_MAX} levels of brackets and not")
        place = self._next.place
        node = self._made(Joined("not", (self._conditional(self._no(), place),)))
        self._depth -= 1
        return node

    def _conditional(self, node: Node, place: int) -> Node:
        if is_condition(node):
            return node
        raise RuleError(
            place, "a comparison", found="a value", fix="Compare it: rsi(14) < 70 and close > 1."
        )

    def _valued(self, node: Node, place: int) -> Node:
        if not is_condition(node):
            return node
        raise RuleError(place, "a value", found="a condition", fix="Join conditions by and, or.")

    def _comparison(self) -> Node:
        place = self._next.place
        left = self._sum()
        if self._has("="):
            raise self._wrong("a comparison", fix="Write == to compare.")
        if not self._has(*COMPARISONS, "crosses"):
            return left
        sign = self._take().text
        if sign == "crosses":
            if not self._has("above", "below"):
                raise self._wrong("above or below after crosses")
            sign = f"crosses {self._take().text}"
        left = self._valued(left, place)
        place = self._next.place
        right = self._valued(self._sum(), place)
        if self._has(*COMPARISONS, "crosses"):
            raise self._wrong("and, or or the end", fix="Write a < b and b < c.")
        return self._made(Compared(sign, left, right))

    def _sum(self) -> Node:
        return self._chain(("+", "-"), lambda: self._chain(("*", "/"), self._signed))

    def _chain(self, signs: tuple[str, ...], part: _Part) -> Node:
        place = self._next.place
        node = part()
        while self._has(*signs):
            sign = self._take().text
            node = self._valued(node, place)
            place = self._next.place
            node = self._made(Applied(sign, (node, self._valued(part(), place))))
        return node

    def _signed(self) -> Node:
        if not self._has("-"):
            return self._bar()
        self._take()
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise self._wrong(f"at most {DEPTH_MAX} levels")
        place = self._next.place
        node = self._made(Applied("negative", (self._valued(self._signed(), place),)))
        self._depth -= 1
        return node

    def _bar(self) -> Node:
        place = self._next.place
        node = self._value()
        if not self._has("["):
            return node
        self._take()
        bars = self._whole_number("how many bars before, such as 1")
        self._need("]")
        return self._made(Before(self._valued(node, place), bars))

    def _value(self) -> Node:
        word = self._next
        if word.kind == "number":
            self._take()
            return self._made(Number(float(word.text)))
        if self._has("("):
            self._take()
            node = self._any()
            self._need(")", ") or a comparison")
            return node
        if word.kind != "name" or word.text in KEYWORDS:
            raise self._wrong("a number, a column or an indicator")
        self._take()
        if word.text in COLUMNS:
            return self._made(Column(word.text))
        if word.text in FUNCTIONS:
            return self._function(word.text)
        return self._indicator(word)

    def _function(self, name: str) -> Node:
        self._need("(", f"( after {name}")
        values: list[Node] = []
        bars = 0
        for number, kind in enumerate(FUNCTIONS[name]):
            if number:
                self._need(",", f", and the next argument of {name}")
            if kind == "n":
                bars = self._whole_number("a whole number of bars")
            else:
                place = self._next.place
                values.append(self._valued(self._any(), place))
        self._need(")")
        return self._made(Applied(name, tuple(values), bars))

    def _indicator(self, word: Word) -> Node:
        indicator = BY_NAME.get(ALIASES.get(word.text, word.text))
        if indicator is None:
            known = (*COLUMNS, *BY_NAME, *FUNCTIONS)
            raise RuleError(
                word.place,
                "a column, an indicator or a function",
                found=word.shown,
                fix=nearest(word.text, known),
            )
        made = self._called(word, indicator)
        return self._made(Reading(made, self._output(indicator)))

    def _called(self, word: Word, indicator: Indicator) -> Call:
        if not self._has("("):
            raise self._wrong(f"( after {indicator.name}", fix=f"Write {signature(indicator)}.")
        self._calls += 1
        if self._calls > CALLS_MAX:
            raise RuleError(word.place, f"at most {CALLS_MAX} indicators")
        self._take()
        numbers, named, column = self._arguments(indicator)
        try:
            return call(indicator.name, *numbers, named=named, column=column)
        except BadIndicator as error:
            raise RuleError(
                word.place, f"arguments that fit ({error.message})", fix=error.fix
            ) from None

    def _arguments(self, indicator: Indicator) -> tuple[list[float], dict[str, float], str | None]:
        numbers: list[float] = []
        named: dict[str, float] = {}
        column: str | None = None
        while not self._has(")"):
            word = self._next
            if word.kind == "number" and not named and column is None:
                numbers.append(float(self._take().text))
            elif word.kind == "name" and word.text in COLUMNS and column is None:
                column = self._take().text
            elif word.kind == "name":
                name, value = self._named(indicator)
                named[name] = value
            else:
                raise self._wrong(
                    f"an argument of {indicator.name}", fix=f"Write {signature(indicator)}."
                )
            if not self._has(")"):
                self._need(",", ", or )")
        self._take()
        return numbers, named, column

    def _named(self, indicator: Indicator) -> tuple[str, float]:
        names = [parameter.name for parameter in indicator.parameters]
        word = self._next
        if word.text not in names:
            fix = nearest(word.text, [*names, *COLUMNS])
            raise self._wrong(f"an argument of {indicator.name}", fix=fix)
        self._take()
        self._need("=")
        if self._next.kind != "number":
            raise self._wrong("a number")
        return word.text, float(self._take().text)

    def _output(self, indicator: Indicator) -> str:
        outputs = indicator.outputs
        choice = " or ".join(f".{output}" for output in outputs)
        if not self._has("."):
            if len(outputs) > 1:
                raise self._wrong(f"{choice} after {indicator.name}(...)")
            return outputs[0]
        self._take()
        if self._next.text not in outputs:
            fix = nearest(self._next.text, outputs) if self._next.kind == "name" else ""
            raise self._wrong(choice, fix=fix)
        return self._take().text

    def _whole_number(self, expected: str) -> int:
        word = self._next
        whole = word.kind == "number" and "." not in word.text
        if not whole or not 1 <= int(word.text) <= PERIOD_MAX:
            raise self._wrong(f"{expected}, from 1 to {PERIOD_MAX}")
        return int(self._take().text)
