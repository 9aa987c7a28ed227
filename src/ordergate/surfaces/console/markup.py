"""HTML from small functions: text is escaped unless it was built here, so nothing slips through."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

_VOID: Final = frozenset({"input", "meta", "link", "br"})


class Html(str):
    """Markup that is finished: made of escaped text and tags of ours."""

    __slots__ = ()


Child = str | None | Iterable["Child"]


def tag(name: str, /, *children: Child, **attributes: str | bool | None) -> Html:
    """Return an element; plain text is escaped, None left out. `class_` stands for class."""
    words = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Html(f"<{name}{words}>")
    return Html(f"<{name}{words}>{joined(children)}</{name}>")


def joined(children: Iterable[Child]) -> Html:
    return Html("".join(_child(child) for child in children))


def _child(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return child
    if isinstance(child, str):
        return escape(child)
    return joined(child)


def _attribute(key: str, value: str | bool | None) -> str:
    word = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    return f" {word}" if value is True else f' {word}="{escape(str(value))}"'
