"""The words of a rule: its text cut into numbers, names and signs, each with its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ordergate.model.errors import InvalidArgument

TEXT_MAX: Final = 500
SHOWN_MAX: Final = 24
END: Final = "end of the rule"
_WORD: Final = re.compile(
    r"(?P<number>[0-9]+(?:\.[0-9]+)?(?![A-Za-z0-9_.]))"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign><=|>=|==|!=|[<>+\-*/(),.\[\]=])",
    re.ASCII,
)
_WRITTEN_OTHERWISE: Final = {"&": "and", "|": "or", "!": "not", "^": "*", "%": "/"}


class RuleError(InvalidArgument):
    """A rule that cannot be read: where, what was expected, and the nearest name."""

    def __init__(self, place: int, expected: str, *, found: str = "", fix: str = "") -> None:
        said = f", not {found}" if found else ""
        details: dict[str, object] = {"position": place, "expected": expected}
        if found:
            details["found"] = found
        super().__init__(f"rule at {place}: expected {expected}{said}", fix=fix, details=details)


@dataclass(frozen=True, slots=True)
class Word:
    """`place` counts characters from 1, as a person does."""

    kind: str  # number, name, sign or end
    text: str
    place: int

    @property
    def shown(self) -> str:
        return self.text[:SHOWN_MAX]


def words(text: str) -> tuple[Word, ...]:
    """Return the words of a rule, the end included; raise RuleError."""
    if len(text) > TEXT_MAX:
        raise RuleError(
            TEXT_MAX + 1, f"at most {TEXT_MAX} characters", fix="Split it into several rules."
        )
    found: list[Word] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        match = _WORD.match(text, at)
        if match is None:
            raise _strange(text[at], at + 1)
        kind = match.lastgroup or ""
        said = match.group()
        found.append(Word(kind, said.lower() if kind == "name" else said, at + 1))
        at = match.end()
    return (*found, Word("end", END, len(text) + 1))


def _strange(character: str, place: int) -> RuleError:
    instead = _WRITTEN_OTHERWISE.get(character)
    expected = "a name, a number or one of < <= > >= == != + - * / ( ) [ ] . ,"
    if instead is not None:
        return RuleError(place, expected, fix=f"Write {instead}.")
    if character.isascii() and character.isdigit():
        return RuleError(place, "a plain number such as 70 or 1.5", fix="Write 1.5, not 1.5.2.")
    return RuleError(place, expected, fix="Remove the character there.")
