"""Fetch the bars of many symbols and timeframes at once; what fails is told, never dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from ordergate.model.errors import Code, GateError
from ordergate.model.market import Timeframe
from ordergate.model.values import Symbol

if TYPE_CHECKING:
    from ordergate.model.series import Series

AT_ONCE: Final = 4
ASKS_MAX: Final = 1_000

Ask = tuple[Symbol, Timeframe]


class BarSource(Protocol):
    async def __call__(self, symbol: Symbol, timeframe: Timeframe) -> Series:
        """Return closed bars; raise GateError."""
        ...


@dataclass(frozen=True, slots=True)
class Failure:
    symbol: Symbol
    timeframe: Timeframe
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """Every ask is in exactly one of the two."""

    series: Mapping[Ask, Series] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()


async def fetch(source: BarSource, asks: Sequence[Ask], *, timeout_s: float) -> Fetched:
    """Ask for all, four at a time; what has not come after `timeout_s` is a failure, too."""
    if len(asks) > ASKS_MAX:
        raise ValueError(f"more than {ASKS_MAX} series at once")
    found: dict[Ask, Series] = {}
    failures: dict[Ask, Failure] = {}
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(ask: Ask) -> None:
        async with gate:
            try:
                found[ask] = await source(*ask)
            except GateError as error:
                failures[ask] = Failure(*ask, error.code.value, error.message)

    tasks = [asyncio.create_task(one(ask)) for ask in dict.fromkeys(asks)]
    try:
        if tasks:
            await asyncio.wait(tasks, timeout=timeout_s)
    finally:
        for task in tasks:
            task.cancel()
    gone = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in gone:
        if isinstance(outcome, Exception):
            raise outcome
    for ask in dict.fromkeys(asks):
        if ask not in found and ask not in failures:
            late = f"no bars within {timeout_s:g} s"
            failures[ask] = Failure(*ask, Code.DATA_UNAVAILABLE.value, late)
    return Fetched(found, tuple(failures[ask] for ask in dict.fromkeys(asks) if ask in failures))
