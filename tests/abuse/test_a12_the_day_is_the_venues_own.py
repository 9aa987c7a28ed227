"""A12: the day's loss is the venue's own: every trade counts, and each day ends in its place."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ordergate.model.accounts import CashKind
from ordergate.model.orders import Side
from ordergate.order.policy.baselines import BookTerms
from ordergate.order.policy.limits import Limits
from support.gate import a_market
from support.manual_market import ManualMarket
from support.public_doors import Doors, public_doors

ORDER = {"symbol": "EURUSD", "side": "buy", "quantity": "0.10", "stop_loss": "1.0600"}
ROOMY = Limits(
    position_notional_fraction=Decimal(20),
    gross_exposure_fraction=Decimal(20),
    book_position_notional_fraction=Decimal(20),
    book_gross_exposure_fraction=Decimal(20),
    book_net_exposure_fraction=Decimal(20),
    margin_free_min_fraction=Decimal("0.001"),
)


def market_at(moment: str) -> ManualMarket:
    market = a_market()
    market.set("EURUSD", "1.08500", "1.08510", datetime.fromisoformat(moment).replace(tzinfo=UTC))
    return market


async def verdicts(doors: Doors) -> tuple[str, str]:
    """Return what the account's day and the book's day say of one more order."""
    rules = await doors.check(**ORDER)
    return rules["daily_loss"]["finding"], rules["book_daily_loss"]["finding"]


async def lose_by_hand(doors: Doors) -> None:
    """Lose some 2,400 USD in a trade around the gate, closed at a loss by hand."""
    await doors.by_hand(Side.BUY, "3.00")
    (position,) = (await doors.gate.venue.snapshot()).positions
    doors.gate.market.set("EURUSD", "1.07710", "1.07720")
    order = doors.venues.place("sell", "3.00", position_id=position.position_id, tag="hand-close")
    await doors.gate.venue.submit(order)


def test_a_loss_made_around_the_gate_ends_the_day_open_and_realised(tmp_path: Path) -> None:
    async def run() -> None:
        async with public_doors(tmp_path, limits=ROOMY) as doors:
            await doors.gate.line.upkeep.watch_days()
            assert await verdicts(doors) == ("pass", "pass")
            await doors.by_hand(Side.BUY, "3.00")
            doors.gate.market.set("EURUSD", "1.07710", "1.07720")  # open, 2,400 USD down
            assert await verdicts(doors) == ("refuse", "refuse")
            answer = await doors.place(**ORDER)
            assert answer["error"]["code"] == "EXCEEDS_LOCAL_LIMIT"
            (halt,) = (await doors.operator.get("/operator/halts")).json()["data"]
            assert (halt["scope"], halt["reason"]) == ("account", "daily_loss")

    asyncio.run(run())


def test_a_realised_loss_around_the_gate_survives_a_restart(tmp_path: Path) -> None:
    async def before() -> None:
        async with public_doors(tmp_path, limits=ROOMY) as doors:
            await doors.gate.line.upkeep.watch_days()
            await lose_by_hand(doors)

    async def after() -> None:
        async with public_doors(tmp_path, limits=ROOMY) as doors:
            assert await verdicts(doors) == ("refuse", "refuse")

    asyncio.run(before())
    asyncio.run(after())


def test_a_deposit_does_not_hide_a_loss(tmp_path: Path) -> None:
    async def run() -> None:
        async with public_doors(tmp_path, limits=ROOMY) as doors:
            await doors.gate.line.upkeep.watch_days()
            await lose_by_hand(doors)
            await doors.gate.venue.pay(CashKind.DEPOSIT, Decimal(10_000))
            await doors.gate.line.settle.scan()
            assert await verdicts(doors) == ("refuse", "refuse")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("evening", "venue_day_ends", "book_day_ends"),
    [
        # 17:00 New York is 22:00 UTC in winter, 21:00 in summer; Berlin's midnight 23:00 and 22:00.
        ("2026-03-06T20:00:00", "2026-03-06T22:00:00", "2026-03-06T23:00:00"),
        # New York changes on 8 March, Berlin on the 29th: for three weeks they are nearer.
        ("2026-03-09T20:00:00", "2026-03-09T21:00:00", "2026-03-09T23:00:00"),
        ("2026-03-30T20:00:00", "2026-03-30T21:00:00", "2026-03-30T22:00:00"),
        # Berlin changes back on 25 October, New York on 1 November.
        ("2026-10-23T20:00:00", "2026-10-23T21:00:00", "2026-10-23T22:00:00"),
        ("2026-10-26T20:00:00", "2026-10-26T21:00:00", "2026-10-26T23:00:00"),
        ("2026-11-02T20:00:00", "2026-11-02T22:00:00", "2026-11-02T23:00:00"),
    ],
)
def test_each_day_ends_in_its_own_place_on_either_side_of_a_change_of_clocks(
    tmp_path: Path, evening: str, venue_day_ends: str, book_day_ends: str
) -> None:
    async def run() -> None:
        market = market_at(evening)
        berlin = BookTerms(zone="Europe/Berlin")
        async with public_doors(tmp_path, limits=ROOMY, market=market, book=berlin) as doors:
            watch = doors.gate.line.upkeep.watch_days
            await watch()
            await lose_by_hand(doors)
            for ends, then in (
                (venue_day_ends, ("pass", "refuse")),
                (book_day_ends, ("pass", "pass")),
            ):
                end = datetime.fromisoformat(ends).replace(tzinfo=UTC)
                market.advance(seconds=(end - market.venue_now()).total_seconds() - 1)
                await watch()
                before = await verdicts(doors)
                assert "refuse" in before
                market.advance(seconds=1)
                await watch()
                assert await verdicts(doors) == then

    asyncio.run(run())
