"""Fetching many series: bounded, within its time, and nothing dropped."""

from __future__ import annotations

import asyncio

import pytest

from ordergate.market.scan.scan import AT_ONCE, fetch
from ordergate.model.errors import DataUnavailable
from ordergate.model.market import Timeframe
from ordergate.model.series import Series
from ordergate.model.values import Symbol
from support.series import walk

ASKS = [(Symbol(f"S{n}"), Timeframe.H1) for n in range(30)]


def test_every_ask_is_found_or_failed_in_order() -> None:
    async def source(symbol: Symbol, timeframe: Timeframe) -> Series:
        if symbol in ("S3", "S20"):
            raise DataUnavailable(f"no bars of {symbol}")
        return walk(5, symbol=symbol, timeframe=timeframe)

    found = asyncio.run(fetch(source, [*ASKS, ASKS[0]], timeout_s=5))
    assert [failure.symbol for failure in found.failures] == ["S3", "S20"]
    assert found.failures[0].code == "DATA_UNAVAILABLE"
    assert found.failures[0].message == "no bars of S3"
    assert len(found.series) == 28
    assert set(found.series) | {(one.symbol, one.timeframe) for one in found.failures} == set(ASKS)


def test_not_more_than_four_are_asked_at_once() -> None:
    running = most = 0

    async def source(symbol: Symbol, timeframe: Timeframe) -> Series:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        running -= 1
        return walk(5, symbol=symbol, timeframe=timeframe)

    asyncio.run(fetch(source, ASKS, timeout_s=5))
    assert most == AT_ONCE


def test_what_does_not_come_in_time_is_a_failure() -> None:
    async def source(symbol: Symbol, timeframe: Timeframe) -> Series:
        if symbol == "S1":
            await asyncio.Event().wait()
        return walk(5, symbol=symbol, timeframe=timeframe)

    found = asyncio.run(fetch(source, ASKS[:3], timeout_s=0.05))
    assert [(one.symbol, one.message) for one in found.failures] == [
        ("S1", "no bars within 0.05 s")
    ]
    assert len(found.series) == 2


def test_an_error_of_ours_is_not_swallowed() -> None:
    async def source(symbol: Symbol, timeframe: Timeframe) -> Series:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(fetch(source, ASKS[:2], timeout_s=1))


def test_nothing_asked_nothing_found_and_too_much_is_refused() -> None:
    async def source(symbol: Symbol, timeframe: Timeframe) -> Series:
        raise AssertionError

    assert asyncio.run(fetch(source, [], timeout_s=1)).failures == ()
    many = [(Symbol(f"S{n}"), Timeframe.H1) for n in range(1_001)]
    with pytest.raises(ValueError, match="more than 1000"):
        asyncio.run(fetch(source, many, timeout_s=1))
