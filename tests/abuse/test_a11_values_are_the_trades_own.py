"""A11: what an order is worth: contract size, quote currency and account currency all counted."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from ordergate.adapters.venues.paper.terms import PaperTerms
from support.public_doors import public_doors

EURO = PaperTerms(currency="EUR", commission=False, swap=False)


@pytest.mark.parametrize(
    ("symbol", "quantity", "stop", "worth"),
    [
        ("EURUSD", "0.10", "1.0800", "10851"),  # 100,000 a lot at the ask of 1.08510
        ("XAUUSD", "1", "1995.00", "200030"),  # 100 ounces a lot at 2,000.30
        ("USDJPY", "0.10", "149.50", "10000.34"),  # 1,500,100 JPY at the mid of 150.005
        ("AAPL", "10", "199.00", "2000.2"),  # one share a lot
    ],
)
def test_an_order_is_worth_contract_times_price_in_the_accounts_currency(
    tmp_path: Path, symbol: str, quantity: str, stop: str, worth: str
) -> None:
    async def run() -> None:
        async with public_doors(tmp_path) as doors:
            rules = await doors.check(symbol=symbol, side="buy", quantity=quantity, stop_loss=stop)
            for rule in ("order_notional", "order_notional_max", "approval"):
                assert (rules[rule]["value"], rules[rule]["unit"]) == (worth, "USD")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("symbol", "quantity", "stop", "usd"),
    [("EURUSD", "0.10", "1.0800", "10851"), ("XAUUSD", "1", "1995.00", "200030")],
)
def test_an_account_in_another_currency_is_judged_in_that(
    tmp_path: Path, symbol: str, quantity: str, stop: str, usd: str
) -> None:
    async def run() -> None:
        async with public_doors(tmp_path, terms=EURO) as doors:
            rules = await doors.check(symbol=symbol, side="buy", quantity=quantity, stop_loss=stop)
            said = rules["order_notional"]
            assert said["unit"] == "EUR"
            assert abs(Decimal(said["value"]) - Decimal(usd) / Decimal("1.08505")) <= Decimal(
                "0.01"
            )

    asyncio.run(run())


def test_a_currency_that_cannot_be_converted_is_not_guessed(tmp_path: Path) -> None:
    async def run() -> None:
        terms = PaperTerms(currency="CHF", commission=False, swap=False)
        async with public_doors(tmp_path, terms=terms) as doors:
            answer = await doors.place(
                symbol="EURUSD", side="buy", quantity="0.10", stop_loss="1.0800"
            )
            assert answer["error"]["code"] == "DATA_UNAVAILABLE"

    asyncio.run(run())
