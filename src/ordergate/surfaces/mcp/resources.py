"""Resources: readings of the catalogue under a URI, for clients that watch instead of call."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextResourceContents,
)

from ordergate.model.errors import Code
from ordergate.model.views import Change
from ordergate.surfaces.mcp.tools import Ask, PrincipalOf

Context = ServerRequestContext[Any, Any]

ACCOUNT: Final = "account://current"
POSITIONS: Final = "positions://current"
SAFETY: Final = "safety://rules"
QUOTES: Final = "quotes://"
JSON: Final = "application/json"
_QUOTE: Final = re.compile(r"quotes://([A-Za-z0-9._#-]{1,32})\Z", re.ASCII)
_NOT_FOUND: Final = frozenset({Code.SYMBOL_NOT_FOUND, Code.RESOURCE_NOT_FOUND})


@dataclass(frozen=True, slots=True)
class Reading:
    tool: str
    arguments: Mapping[str, Any]


_FIXED: Final[Mapping[str, Reading]] = {
    ACCOUNT: Reading("get_account", {"section": "summary"}),
    POSITIONS: Reading("get_positions", {}),
    SAFETY: Reading("get_limits", {}),
}


def reading(uri: str) -> Reading | None:
    """Return which operation answers for a URI."""
    quote = _QUOTE.match(uri)
    if quote is not None:
        return Reading("get_quotes", {"symbols": [quote.group(1)]})
    return _FIXED.get(uri)


def is_known(uri: str) -> bool:
    return reading(uri) is not None


def touched(change: Change) -> tuple[str, ...]:
    """Return the resources a change may have changed."""
    match change.topic:
        case "quotes":
            return (f"{QUOTES}{change.body['symbol']}",)
        case "orders":
            return (ACCOUNT, POSITIONS)
        case "activity":
            tool = change.body.get("tool")
            return (SAFETY,) if tool is None or tool in _CHANGES_SAFETY else ()
        case _:
            return ()


_CHANGES_SAFETY: Final = frozenset({"engage_kill_switch", "tighten_limit"})


class CatalogueResources:
    def __init__(self, ask: Ask, *, principal_of: PrincipalOf) -> None:
        self._ask = ask
        self._principal_of = principal_of

    def listed(self, _: Context) -> list[Resource]:
        return [
            _resource(ACCOUNT, "account", "Balance, equity, margin and the day's result."),
            _resource(POSITIONS, "positions", "Open positions."),
            _resource(SAFETY, "safety-rules", "Limits in force, halts and the kill switch."),
        ]

    def templates(self, _: Context) -> list[ResourceTemplate]:
        return [
            ResourceTemplate(
                uri_template="quotes://{symbol}",
                name="quote",
                description="Newest bid and ask of a symbol, with source and age.",
                mime_type=JSON,
            )
        ]

    async def read(self, context: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        uri = str(params.uri)
        source = reading(uri)
        if source is None:
            _not_found(uri)
        principal = self._principal_of(context)
        envelope = await self._ask(principal, source.tool, source.arguments)
        if envelope.error is None:
            text = json.dumps(envelope.data, separators=(",", ":"), ensure_ascii=False)
            contents = TextResourceContents(uri=uri, mime_type=JSON, text=text)
            return ReadResourceResult(contents=[contents])
        if envelope.error.code in _NOT_FOUND:
            _not_found(uri)
        raise MCPError(INVALID_REQUEST, envelope.line, envelope.error.model_dump())


def _not_found(uri: str) -> NoReturn:
    raise MCPError(INVALID_PARAMS, "Resource not found", {"uri": uri[:200]})


def _resource(uri: str, name: str, description: str) -> Resource:
    return Resource(uri=uri, name=name, description=description, mime_type=JSON)
