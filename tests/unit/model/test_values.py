"""Numbers read from text, rounded to steps, and amounts that know their currency."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ordergate.model.values import (
    CurrencyMismatch,
    Money,
    NotANumber,
    is_multiple,
    parse_decimal,
    plain,
    round_ceiling,
    round_down,
    round_floor,
)


@pytest.mark.parametrize("text", ["0", "1.0851", "-3", "-0.5", "1" * 28, "100.00"])
def test_a_plain_decimal_is_read_exactly(text: str) -> None:
    assert parse_decimal(text) == Decimal(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", " 1", "1 ", "+1", "1e5", "1E5", "NaN", "Infinity", "-inf", "01", ".5", "5.", "1_0"),
        *("1,0", "0x1", "١", "1\n", "--1", "1" * 31),
    ],
)
def test_anything_else_is_no_number(text: str) -> None:
    with pytest.raises(NotANumber):
        parse_decimal(text)


@pytest.mark.parametrize(
    ("number", "text"),
    [("1E+2", "100"), ("1.50", "1.5"), ("-0.00", "0"), ("0.10", "0.1"), ("-2.0", "-2")],
)
def test_a_number_has_one_plain_form(number: str, text: str) -> None:
    assert plain(Decimal(number)) == text


def test_rounding_goes_where_its_name_says() -> None:
    step = Decimal("0.05")
    assert round_down(Decimal("-0.12"), step) == Decimal("-0.10")
    assert round_floor(Decimal("-0.12"), step) == Decimal("-0.15")
    assert round_ceiling(Decimal("0.11"), step) == Decimal("0.15")
    assert is_multiple(Decimal("0.15"), step)
    assert not is_multiple(Decimal("0.16"), step)


def test_amounts_of_one_currency_add_up_and_of_two_do_not() -> None:
    assert Money(Decimal(1), "USD") + Money(Decimal(2), "USD") == Money(Decimal(3), "USD")
    assert Money(Decimal(1), "USD") - Money(Decimal(2), "USD") == Money(Decimal(-1), "USD")
    for act in (Money.__add__, Money.__sub__):
        with pytest.raises(CurrencyMismatch):
            act(Money(Decimal(1), "USD"), Money(Decimal(1), "USDT"))


def test_half_a_cent_is_rounded_away_from_zero() -> None:
    assert Money(Decimal("2.345"), "USD").rounded().amount == Decimal("2.35")
    assert Money(Decimal("-2.345"), "USD").rounded().amount == Decimal("-2.35")
    assert Money(Decimal("1.5"), "JPY").rounded(0).amount == Decimal(2)
    assert Money(Decimal(3), "EUR").times(Decimal("1.5")).amount == Decimal("4.5")
