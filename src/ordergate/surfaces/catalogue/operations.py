"""The catalogue: every operation once, in a fixed order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ordergate.surfaces.catalogue import (
    account,
    analysis,
    market,
    news,
    packets,
    research,
    risk,
    scanning,
    trading,
    watching,
)
from ordergate.surfaces.catalogue.operation import DEFAULT_TOOLSETS, Operation, Toolset

READING: Final = (
    *account.OPERATIONS,
    *market.OPERATIONS,
    *packets.OPERATIONS,
    *scanning.OPERATIONS,
    *analysis.OPERATIONS,
    *trading.READING,
)
ALL: Final = (
    *READING,
    *research.OPERATIONS,
    *watching.OPERATIONS,
    *news.OPERATIONS,
    *risk.OPERATIONS,
    *trading.TRADING,
)


def operations(*, data_only: bool) -> tuple[Operation, ...]:
    """Return what is offered for the whole life of the process; data-only leaves orders out.

    The kill switch and tightening stay: they are no orders, and a reader may have to stop things.
    """
    orders = {operation.name for operation in trading.TRADING} if data_only else set()
    return tuple(operation for operation in ALL if operation.name not in orders)


def listed(
    offered: Sequence[Operation], toolsets: frozenset[Toolset] = DEFAULT_TOOLSETS
) -> tuple[Operation, ...]:
    """Return those that MCP lists and takes: the ones in these toolsets."""
    return tuple(operation for operation in offered if operation.toolset in toolsets)


def toolsets_of(words: Sequence[str]) -> frozenset[Toolset]:
    """Return the toolsets some words name: a set's name, "default" or "all"."""
    found: set[Toolset] = set()
    for word in words:
        found |= {"default": DEFAULT_TOOLSETS, "all": frozenset(Toolset)}.get(word) or {
            Toolset(word)
        }
    return frozenset(found)
