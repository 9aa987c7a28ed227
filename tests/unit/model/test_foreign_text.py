from __future__ import annotations

import pytest

from ordergate.model.foreign_text import TEXT_MAX, stripped


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Bitcoin rises 3.5%", "Bitcoin rises 3.5%"),
        ("a\u202eb\u2066c\u200bd\ufeffe\u00adf", "abcdef"),
        ("a\x00\x1b[31mb", "a31mb"),
        ("line\r\none\ttwo\u2028three", "line one twothree"),
        ("<b>bold</b><script>alert(1)</script>after", "bold after"),
        ("<scr<script>ipt>alert(1)</script>x", ""),
        ("<!-- hidden -->seen<style>p{}</style>", "seen"),
        ("&lt;img src=x onerror=1&gt;text", "text"),
        ("&amp;lt;b&amp;gt;twice", "twice"),
        ("&#8238;reversed", "reversed"),
        ("see [here](https://evil.example/?q=1) now", "see here( now"),
        ("javascript:alert(1) data:text/html,x mailto:a@b.c", ""),
        ("www.evil.example/now go", "go"),
        ("**bold** `code` # head | ~x~ {tool}", "bold code head x tool"),
        ("tag \U000e0041\U000e0042 end", "tag end"),
        ("selector\ufe0f\U000e0101 end", "selector end"),
        ("private\ue000 use", "private use"),
        ("<unclosed and the rest", ""),
    ],
)
def test_only_words_are_left(words: str, expected: str) -> None:
    assert stripped(words) == expected


def test_it_is_cut_whatever_comes() -> None:
    assert len(stripped("a" * 1_000_000)) == TEXT_MAX
    assert stripped("word " * 3, most=6) == "word w"
    assert stripped("<" * 100_000) == ""
