from __future__ import annotations

from decimal import Decimal

import pytest

from ordergate.market.news.sentiment import (
    NEGATIVE,
    POSITIVE,
    Tone,
    by_sector,
    mean,
    sectors_of,
    tone,
)


@pytest.mark.parametrize(
    ("words", "score"),
    [
        ("Bitcoin surges to a record", "1"),
        ("Shares plunge on fraud probe", "-1"),
        ("Profit rises but outlook weak", "0.33"),
        ("The company did not beat estimates", "-1"),
        ("No crisis, analysts say", "1"),
        ("It isn't falling", "1"),
        ("The meeting is on Tuesday", None),
        ("", None),
        ("SURGE", "1"),
    ],
)
def test_the_tone_of_a_text(words: str, score: str | None) -> None:
    assert tone(words).score == (None if score is None else Decimal(score))


def test_no_word_is_on_both_sides() -> None:
    assert not POSITIVE & NEGATIVE


def test_a_group_is_the_mean_of_what_has_a_tone() -> None:
    group = mean([Tone(Decimal(1), 1, 0), Tone(Decimal("-0.5"), 1, 3), Tone(None, 0, 0)])
    assert (group.score, group.articles, group.scored) == (Decimal("0.25"), 3, 2)
    assert mean([]).score is None


def test_sectors_are_named_by_their_words_and_each_has_its_tone() -> None:
    assert sectors_of("Bitcoin and gold after the Fed") == ("crypto", "metals", "rates")
    told = [("Bitcoin surges", tone("Bitcoin surges")), ("Oil falls", tone("Oil falls"))]
    groups = by_sector(told)
    assert {name: group.score for name, group in groups.items()} == {
        "crypto": Decimal(1),
        "energy": Decimal(-1),
    }
