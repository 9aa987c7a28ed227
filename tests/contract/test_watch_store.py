"""The promises of ports.price_alerts, kept in a file and in a database."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ordergate.adapters.storage.connection import SqliteFile
from ordergate.adapters.storage.link import Database
from ordergate.adapters.storage.postgres import Postgres
from ordergate.adapters.storage.store import SqlStore
from ordergate.model.price_alerts import AlertState, ConditionKind, PriceAlert, Watchlist
from ordergate.model.values import PrincipalId, Symbol
from ordergate.ports.price_alerts import WatchStore
from support.postgres import fresh_database

NOW = datetime(2026, 1, 7, 15, 0, tzinfo=UTC)
ME, OTHER = PrincipalId("me"), PrincipalId("other")


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[WatchStore]:
    if request.param == "postgres":
        with fresh_database() as url:
            yield from opened(Postgres(url))
    else:
        yield from opened(SqliteFile(tmp_path / "gate.db"))


def opened(database: Database) -> Iterator[WatchStore]:
    made = SqlStore.over(database)
    try:
        yield made
    finally:
        made.close_now()


def an_alert(number: int, principal: PrincipalId = ME) -> PriceAlert:
    return PriceAlert(
        alert_id=f"a{number}",
        principal=principal,
        symbol=Symbol("BTCUSD"),
        kind=ConditionKind.PRICE_CROSSES,
        level=Decimal("95000.1"),
        window_s=0,
        repeats=True,
        hysteresis_percent=Decimal("0.1"),
        side="below",
        note="note's text",
        state=AlertState.ARMED,
        fired=0,
        created_at=NOW + timedelta(seconds=number),
    )


def test_an_alert_comes_back_as_it_was_and_changes_in_place(store: WatchStore) -> None:
    fired = dataclasses.replace(
        an_alert(1),
        state=AlertState.FIRED,
        fired=1,
        fired_at=NOW,
        fired_price=Decimal("95000.2"),
    )

    async def story() -> None:
        await store.write(lambda tx: tx.put_price_alert(an_alert(1)))
        assert await store.read(lambda tx: tx.price_alert("a1")) == an_alert(1)
        await store.write(lambda tx: tx.put_price_alert(fired))
        assert await store.read(lambda tx: tx.price_alerts(limit=9)) == [fired]
        await store.write(lambda tx: tx.remove_price_alert("a1"))
        assert await store.read(lambda tx: tx.price_alert("a1")) is None

    asyncio.run(story())


def test_open_ones_are_everybodys_and_ones_own_are_ones_own(store: WatchStore) -> None:
    done = dataclasses.replace(an_alert(2), state=AlertState.DONE)

    async def story() -> None:
        for alert in (an_alert(3, OTHER), done, an_alert(1)):
            await store.write(lambda tx, alert=alert: tx.put_price_alert(alert))
        every = await store.read(lambda tx: tx.price_alerts(limit=9))
        assert [one.alert_id for one in every] == ["a1", "a3"]
        assert len(await store.read(lambda tx: tx.price_alerts(limit=1))) == 1
        own = await store.read(lambda tx: tx.price_alerts_of(ME, limit=9))
        assert [one.alert_id for one in own] == ["a1", "a2"]

    asyncio.run(story())


def test_a_list_is_one_per_name_and_principal(store: WatchStore) -> None:
    def a_list(principal: PrincipalId, symbols: str) -> Watchlist:
        return Watchlist(
            principal=principal, name="coins", symbols=symbols, created_at=NOW, updated_at=NOW
        )

    async def story() -> None:
        for kept in (a_list(ME, "BTCUSD"), a_list(OTHER, "ETHUSD"), a_list(ME, "BTCUSD ETHUSD")):
            await store.write(lambda tx, kept=kept: tx.put_watchlist(kept))
        assert await store.read(lambda tx: tx.watchlists_of(ME, limit=9)) == [
            a_list(ME, "BTCUSD ETHUSD")
        ]
        await store.write(lambda tx: tx.remove_watchlist(ME, "coins"))
        assert await store.read(lambda tx: tx.watchlists_of(ME, limit=9)) == []
        assert len(await store.read(lambda tx: tx.watchlists_of(OTHER, limit=9))) == 1

    asyncio.run(story())
