"""A rule's text is cut into words with their places; what has no place in it is refused there."""

from __future__ import annotations

import pytest

from ordergate.market.signals.words import TEXT_MAX, RuleError, words


def test_words_know_their_place() -> None:
    found = words("EMA(20) >= 1.5")
    assert [(word.kind, word.text, word.place) for word in found] == [
        ("name", "ema", 1),
        ("sign", "(", 4),
        ("number", "20", 5),
        ("sign", ")", 7),
        ("sign", ">=", 9),
        ("number", "1.5", 12),
        ("end", "end of the rule", 15),
    ]


@pytest.mark.parametrize(
    ("text", "place", "fix"),
    [
        ("close && open", 7, "Write and."),
        ("close || open", 7, "Write or."),
        ("!close", 1, "Write not."),
        ("close > 1.2.3", 9, "Write 1.5, not 1.5.2."),
        ("1e5", 1, "Write 1.5, not 1.5.2."),
        ("close > é", 9, "Remove the character there."),
        ("close; open", 6, "Remove the character there."),
        ("'close'", 1, "Remove the character there."),
    ],
)
def test_what_has_no_place_is_refused_where_it_stands(text: str, place: int, fix: str) -> None:
    with pytest.raises(RuleError) as refused:
        words(text)
    assert refused.value.details["position"] == place
    assert refused.value.fix == fix


def test_a_text_that_is_too_long_is_refused_unread() -> None:
    assert len(words("1" * TEXT_MAX)) == 2
    with pytest.raises(RuleError, match="at most 500 characters"):
        words("é" * (TEXT_MAX + 1))


def test_a_long_name_is_not_repeated_in_full() -> None:
    assert len(words("a" * 400)[0].shown) == 24
