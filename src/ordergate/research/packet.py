"""The analysis packet: sections about one symbol, cut to a length with what was cut named."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

BRIEF_CHARACTERS: Final = 8_000
FULL_CHARACTERS: Final = 20_000

Sections = dict[str, Any]


def length(sections: Mapping[str, Any]) -> int:
    """Return how many characters the sections take as JSON without spaces."""
    return len(json.dumps(sections, separators=(",", ":"), ensure_ascii=False))


def fitted(
    sections: Mapping[str, Any], limit: int, *, dispensable: Sequence[str]
) -> tuple[Sections, list[str]]:
    """Return the sections within `limit` characters, and the names of what was shortened or left.

    `dispensable` names lists, the least needed first: each is halved again and again, and emptied,
    before the next one is touched. What is not named there is never cut.
    """
    kept: Sections = dict(sections)
    shortened: list[str] = []
    for name in dispensable:
        while length(kept) > limit and kept.get(name):
            rows = list(kept[name])
            kept[name] = rows[: len(rows) // 2]
            if name not in shortened:
                shortened.append(name)
        if length(kept) <= limit:
            break
    return kept, shortened
