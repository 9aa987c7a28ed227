"""A17: a stop order is worth, and risks, what it will cost at its trigger."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from support.public_doors import public_doors


@pytest.mark.parametrize(
    ("side", "trigger", "stop", "worth", "risk"),
    [
        ("buy", "1.09500", "1.09000", "10950", "50"),  # not 10851, the ask of 1.08510
        ("sell", "1.07500", "1.08000", "10750", "50"),  # not 10850, the bid of 1.08500
    ],
)
def test_the_trigger_is_the_price_it_is_judged_at(
    tmp_path: Path, side: str, trigger: str, stop: str, worth: str, risk: str
) -> None:
    async def run() -> None:
        async with public_doors(tmp_path) as doors:
            terms = {"symbol": "EURUSD", "side": side, "quantity": "0.10", "order_type": "stop"}
            rules = await doors.check(**terms, stop_price=trigger, stop_loss=stop)
            for rule in ("order_notional", "order_notional_max", "approval"):
                assert abs(Decimal(rules[rule]["value"]) - Decimal(worth)) <= 10, rules[rule]
            assert Decimal(rules["risk_per_trade"]["value"]) >= Decimal(risk)

    asyncio.run(run())


def test_a_far_trigger_passes_no_limit_that_the_price_of_now_would_pass(tmp_path: Path) -> None:
    async def run() -> None:
        async with public_doors(tmp_path) as doors:
            terms = {"symbol": "EURUSD", "side": "buy", "order_type": "stop"}
            near = await doors.check(
                **terms, quantity="0.10", stop_price="1.08600", stop_loss="1.08100"
            )
            far = await doors.check(
                **terms, quantity="0.10", stop_price="1.10600", stop_loss="1.08100"
            )
            assert Decimal(far["order_notional"]["value"]) > Decimal(
                near["order_notional"]["value"]
            )
            assert Decimal(far["risk_per_trade"]["value"]) > 4 * Decimal(
                near["risk_per_trade"]["value"]
            )

    asyncio.run(run())
