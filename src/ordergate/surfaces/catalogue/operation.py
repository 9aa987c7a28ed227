"""An operation: what every door offers under one name, with one meaning."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ordergate.identity.authority import Act
from ordergate.surfaces.catalogue.fields import Request, Result

if TYPE_CHECKING:
    from ordergate.model.principals import Principal
    from ordergate.surfaces.catalogue.services import Services

Handler = Callable[["Services", "Principal", Any], Awaitable[Result]]
DEADLINE_S: Final = 10.0


class Toolset(enum.StrEnum):
    MARKET = "market"
    ACCOUNT = "account"
    RISK = "risk"
    ORDERS_PAPER = "orders_paper"
    ANALYSIS = "analysis"
    RESEARCH = "research"


# What MCP lists unless the operator's settings say otherwise. REST and the CLI have every set.
DEFAULT_TOOLSETS: Final = frozenset(Toolset) - {Toolset.RESEARCH}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What a client may assume; hints for its prompts, never our control."""

    read_only: bool
    destructive: bool = False
    idempotent: bool = True
    open_world: bool = False


READS: Final = Hints(read_only=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where REST answers it. Aliases are (method, path) pairs other programs know it by."""

    method: str
    path: str
    aliases: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """`acts`: changes something. Such a call is carried to its end even when its caller leaves."""

    name: str
    summary: str
    act: Act
    request: type[Request]
    result: type[Result]
    toolset: Toolset
    hints: Hints
    route: Route
    handler: Handler
    acts: bool = False
    urgent: bool = False  # reduces risk: takes from the reserved part of the rate limit
    deadline_s: float = DEADLINE_S
    examples: tuple[Example, ...] = field(default=())
