"""Names of one thing: only what was confirmed counts, nothing is guessed from how a name looks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ordergate.model.errors import InvalidArgument
from ordergate.model.records import UnderlyingRecord
from ordergate.model.values import PrincipalId, Symbol
from ordergate.order.policy.underlyings import Underlyings, sound


def word(name: str, underlying: str, venue: str = "") -> UnderlyingRecord:
    return UnderlyingRecord(
        name=Symbol(name),
        underlying=underlying,
        venue=venue,
        confirmed_by=PrincipalId("operator:ann"),
        confirmed_at=datetime(2026, 1, 7, tzinfo=UTC),
        reason="the broker's contract list",
    )


GOLD = word("GOLD", "XAUUSD")


@pytest.mark.parametrize("symbol", ["EURUSD.m", "EURUSDm", "XAUUSD+", "mEURUSD", "GOLD"])
def test_an_unconfirmed_name_stands_for_itself_however_it_looks(symbol: str) -> None:
    assert Underlyings().of(Symbol(symbol), venue="mt5") == symbol


def test_a_confirmed_name_stands_for_its_underlying_on_every_venue() -> None:
    named = Underlyings((GOLD,))
    assert named.of(Symbol("GOLD"), venue="mt5") == "XAUUSD"
    assert named.of(Symbol("XAUUSD"), venue="mt5") == "XAUUSD"
    assert named.of(Symbol("GOLD2"), venue="mt5") == "GOLD2"


def test_a_word_about_one_venue_comes_first_and_counts_there_alone() -> None:
    share = word("GOLD", "ABX", "ibkr")
    named = Underlyings((GOLD, share))
    assert named.of(Symbol("GOLD"), venue="ibkr") == "ABX"
    assert named.of(Symbol("GOLD"), venue="mt5") == "XAUUSD"


def test_the_operators_word_comes_before_what_the_program_ships() -> None:
    named = Underlyings((GOLD,))
    assert named.of(Symbol("GOLD"), venue="mt5", shipped="GLD") == "XAUUSD"
    assert Underlyings().of(Symbol("GOLD"), venue="mt5", shipped="GLD") == "GLD"


def test_the_aliases_of_an_underlying_are_all_its_names() -> None:
    named = Underlyings((GOLD, word("XAUUSD.m", "XAUUSD"), word("BTC", "BTCUSD")))
    assert named.aliases("XAUUSD") == {"XAUUSD", "GOLD", "XAUUSD.m"}


@pytest.mark.parametrize(
    ("name", "underlying"),
    [
        ("GOLD", "GOLD"),
        ("GOLD", "SILVER"),  # confirmed already
        ("GOLD.x", "GOLD"),  # a chain
        ("XAUUSD", "METAL"),  # a chain from the other end
        ("", "XAUUSD"),
        ("GOLD\n", "XAUUSD"),
        ("a" * 65, "XAUUSD"),
        ("GOLD.x", "XAU USD"),
    ],
)
def test_what_could_be_a_mistake_is_refused(name: str, underlying: str) -> None:
    with pytest.raises(InvalidArgument):
        sound(name, underlying, standing=(GOLD,), venue="")


def test_another_name_and_another_venues_word_are_sound() -> None:
    sound("XAUUSD.m", "XAUUSD", standing=(GOLD,), venue="")
    sound("GOLD", "ABX", standing=(GOLD,), venue="ibkr")
