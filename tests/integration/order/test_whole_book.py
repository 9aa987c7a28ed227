"""One book over two paper venues on two files: counted in one currency, kept through restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from ordergate.adapters.venues.paper.terms import PaperTerms
from ordergate.adapters.venues.paper.venue import PaperVenue
from ordergate.model.accounts import CashKind
from ordergate.model.errors import Code
from ordergate.model.orders import CloseIntent
from ordergate.model.records import HaltKind, ScopeKind
from ordergate.model.values import AccountId, Symbol, VenueName
from ordergate.order.policy.baselines import BookTerms
from ordergate.order.policy.limits import Limits
from support.gate import Gate, a_gate, a_market
from support.manual_clock import ManualClock
from support.manual_market import ManualMarket
from support.order_records import AGENT, OPERATOR, buy
from support.paper import Orders

SECOND = AccountId("paper-2")
ROOMY = Limits(
    book_position_notional_fraction=Decimal(20),
    book_gross_exposure_fraction=Decimal(20),
    book_net_exposure_fraction=Decimal(20),
)
BARE = PaperTerms(commission=False, swap=False)


class Two:
    """A gate and the second account of its book, over one market."""

    def __init__(self, gate: Gate, second: PaperVenue) -> None:
        self.gate = gate
        self.second = second
        self._orders = Orders()

    async def hold(self, side: str, quantity: str, symbol: str = "EURUSD") -> None:
        """Take a position on the second account, which the gate only reads."""
        order = self._orders.place(side, quantity, symbol)
        await self.second.submit(replace(order, account=SECOND))

    async def refusal(self, quantity: str = "0.10") -> tuple[str | None, str]:
        order = buy(quantity=Decimal(quantity), stop_loss=Decimal("1.07200"))
        judged = await self.gate.line.gateway.check(order, asker=AGENT)
        failed = judged.decision.failed
        return (None, "") if failed is None else (failed.rule, failed.message)


@asynccontextmanager
async def two(
    folder: Path,
    market: ManualMarket | None = None,
    *,
    terms: PaperTerms = BARE,
    limits: Limits | None = None,
    book: BookTerms | None = None,
) -> AsyncIterator[Two]:
    market, clock = market or a_market(), ManualClock()
    second = PaperVenue(
        path=folder / "second.db", markets=market, clock=clock, terms=terms, account=SECOND
    )
    market.listen(second.on_slice)
    try:
        async with a_gate(
            folder, market=market, clock=clock, limits=limits or ROOMY, others=(second,), book=book
        ) as gate:
            yield Two(gate, second)
    finally:
        await second.close()


def play(scene: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(scene())  # type: ignore[arg-type]  # a coroutine function


def test_what_another_account_holds_counts_in_the_books_limits(tmp_path: Path) -> None:
    async def scene() -> None:
        limits = Limits(book_gross_exposure_fraction=Decimal("0.6"))
        async with two(tmp_path, limits=limits) as here:
            assert await here.refusal() == (None, "")
            await here.hold("buy", "1.00")  # 108,510 of the 120,000 USD that 0.6 x 200,000 allow
            assert (await here.refusal("0.10"))[0] is None
            rule, message = await here.refusal("0.11")
            assert rule == "book_gross_exposure"
            assert "at most 119,994.00 USD" in message  # 10 USD are the spread of it

    play(scene)


def test_the_book_is_counted_in_one_currency(tmp_path: Path) -> None:
    async def scene() -> None:
        euro = PaperTerms(currency="EUR", balance=Decimal(50_000), commission=False, swap=False)
        async with two(
            tmp_path, terms=euro, limits=Limits(), book=BookTerms(currency="EUR")
        ) as here:
            await here.hold("buy", "0.50", "USDJPY")
            judged = await here.gate.line.gateway.check(buy(), asker=AGENT)
            gross = next(
                row for row in judged.decision.verdicts if row.rule == "book_gross_exposure"
            )
            assert gross.unit == "EUR"
            assert gross.limit is not None
            assert gross.value is not None
            # (100,000 USD at 1.08505, and 50,000 EUR) x 5; 50,000 USD and 10,050 EUR at worst.
            assert abs(gross.limit - 5 * (Decimal(100_000) / Decimal("1.08505") + 50_000)) < 20
            assert abs(gross.value - (Decimal(50_000) / Decimal("1.08505") + 10_050)) < 10

    play(scene)


def test_an_account_that_cannot_be_read_refuses_openings_and_exits_pass(tmp_path: Path) -> None:
    async def scene() -> None:
        async with two(tmp_path) as here:
            gateway = here.gate.line.gateway
            await gateway.submit(buy(), key=None, asker=AGENT)
            (position,) = (await here.gate.venue.snapshot()).positions

            async def unreadable() -> None:
                raise ConnectionError("the link is down")

            here.second.snapshot = unreadable  # type: ignore[method-assign, assignment]
            refused = await gateway.submit(buy(quantity=Decimal("0.02")), key=None, asker=AGENT)
            assert (refused.status, refused.order.code) == ("rejected", Code.DATA_UNAVAILABLE)
            exit_ = CloseIntent(
                account=AccountId("paper-1"),
                venue=VenueName("paper"),
                symbol=Symbol("EURUSD"),
                position_id=position.position_id,
            )
            assert (await gateway.close(exit_, key=None, asker=AGENT)).status == "filled"

    play(scene)


def test_a_lost_day_of_the_book_halts_everything_until_an_operator_releases(
    tmp_path: Path,
) -> None:
    async def scene() -> None:
        async with two(tmp_path) as here:
            upkeep, gate = here.gate.line.upkeep, here.gate
            await upkeep.watch_days()
            await here.hold("buy", "5.00")
            gate.market.set("EURUSD", "1.07709", "1.07719")  # 4,005 of the 4,000 USD
            await upkeep.watch_days()
            (halt,) = await gate.line.desk.halts()
            assert (halt.kind, halt.scope, halt.reason) == (
                HaltKind.HALT,
                ScopeKind.GLOBAL,
                "book_daily_loss",
            )
            assert (await here.refusal())[0] == "halts"
            await gate.line.desk.release(
                halt.halt_id, reason="looked at the second account", operator=OPERATOR
            )
            assert (await here.refusal())[0] == "book_daily_loss"

    play(scene)


def test_the_books_day_survives_a_restart(tmp_path: Path) -> None:
    async def scene() -> None:
        market = a_market()
        async with two(tmp_path, market) as here:
            await here.gate.line.upkeep.watch_days()
            await here.hold("buy", "5.00")
        market = a_market()
        market.set("EURUSD", "1.07709", "1.07719")
        async with two(tmp_path, market) as here:
            assert (await here.refusal())[0] == "book_daily_loss"

    play(scene)


def test_paying_in_and_out_is_no_gain_and_no_loss(tmp_path: Path) -> None:
    async def scene() -> None:
        async with two(tmp_path) as here:
            upkeep = here.gate.line.upkeep
            await upkeep.watch_days()
            await here.second.pay(CashKind.WITHDRAWAL, Decimal(-50_000))
            await here.gate.venue.pay(CashKind.DEPOSIT, Decimal(25_000))
            await upkeep.watch_days()
            assert await here.gate.line.desk.halts() == ()
            assert await here.refusal() == (None, "")
            await here.hold("buy", "5.00")
            here.gate.market.set("EURUSD", "1.07799", "1.07809")  # 3,555 of the 3,500 USD left
            await upkeep.watch_days()
            assert len(await here.gate.line.desk.halts()) == 1

    play(scene)


def test_the_day_of_the_book_begins_at_the_operators_midnight(tmp_path: Path) -> None:
    async def scene() -> None:
        market = a_market()
        market.set("EURUSD", "1.08500", "1.08510", datetime(2026, 1, 7, 22, 0, tzinfo=UTC))
        async with two(tmp_path, market, book=BookTerms(zone="Europe/Berlin")) as here:
            upkeep = here.gate.line.upkeep
            await upkeep.watch_days()
            await here.hold("buy", "5.00")
            market.set("EURUSD", "1.07800", "1.07810")  # 3,550 lost: not yet 4,000
            await upkeep.watch_days()
            market.advance(minutes=59)
            await upkeep.watch_days()
            market.advance(minutes=1)  # midnight in Berlin, six in the evening in New York
            market.set("EURUSD", "1.07650", "1.07660")  # 750 more
            await upkeep.watch_days()
            assert await here.refusal() == (None, "")
            assert await here.gate.line.desk.halts() == ()

    play(scene)
