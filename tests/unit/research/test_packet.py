"""The packet fits its length: the least needed goes first, and is named."""

from __future__ import annotations

from typing import Any

from ordergate.research.packet import fitted, length


def sections() -> dict[str, Any]:
    return {"quote": "1.1", "levels": ["x" * 10] * 8, "signals": ["y" * 10] * 8}


def test_what_fits_stays_whole() -> None:
    given = sections()
    assert fitted(given, length(given), dispensable=("levels", "signals")) == (given, [])


def test_the_least_needed_is_halved_before_the_next_is_touched() -> None:
    given = sections()
    kept, shortened = fitted(given, length(given) - 1, dispensable=("levels", "signals"))
    assert len(kept["levels"]) == 4
    assert len(kept["signals"]) == 8
    assert shortened == ["levels"]
    assert len(given["levels"]) == 8


def test_lists_are_emptied_in_their_order_and_the_rest_is_never_cut() -> None:
    kept, shortened = fitted(sections(), 1, dispensable=("levels", "signals", "absent"))
    assert kept == {"quote": "1.1", "levels": [], "signals": []}
    assert shortened == ["levels", "signals"]


def test_the_length_is_that_of_the_text() -> None:
    assert length({"a": "é", "b": [1]}) == len('{"a":"é","b":[1]}')
