"""Text that others wrote, made plain: no markup, link, control or unseen character survives."""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

TITLE_MAX: Final = 200
TEXT_MAX: Final = 500
READ_MAX: Final = 20_000  # characters looked at; what is behind them is not read at all
# Controls, format (bidi, zero-width, tags), surrogates, private use, line and paragraph separators.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Variation selectors change nothing on their own and can carry hidden bytes.
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef\u034f\u115f\u1160\u3164\uffa0]")
_BLOCK: Final = re.compile(r"<(script|style|template|noscript)\b.*?(</\1\s*>|$)", re.I | re.S)
_COMMENT: Final = re.compile(r"<!--.*?(-->|$)", re.S)
_TAG: Final = re.compile(r"<[^>]{0,2000}(>|$)")
_LINK: Final = re.compile(r"(?:\b[a-z][a-z0-9+.-]{1,15}:(?://|(?=\S))\S*|\bwww\.\S*)", re.I)
_MARKUP: Final = re.compile(r"[\[\]<>`*_#|~{}\\]")


def stripped(words: str, *, most: int = TEXT_MAX) -> str:
    """Return the words alone, on one line, at most `most` characters.

    Entities are resolved before markup is taken out, twice, so that none can be written with them.
    """
    read = words[:READ_MAX]
    for _ in range(2):
        read = html.unescape(read)
        read = _TAG.sub(" ", _COMMENT.sub(" ", _BLOCK.sub(" ", read)))
    seen = "".join(
        " " if letter in "\n\r\t" else "" if unicodedata.category(letter) in _UNSEEN else letter
        for letter in _SELECTORS.sub("", read)
    )
    return " ".join(_MARKUP.sub("", _LINK.sub(" ", seen)).split())[:most].rstrip()
