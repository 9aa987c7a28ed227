"""The catalogue's operations as MCP tools."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from mcp.server.context import ServerRequestContext
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ContentBlock,
    ImageContent,
    TextContent,
    Tool,
    ToolAnnotations,
)

from ordergate.identity.authority import allowed
from ordergate.model.errors import NotSupported, Unauthenticated
from ordergate.model.principals import Kind, Principal
from ordergate.surfaces.catalogue.envelope import Envelope, failure
from ordergate.surfaces.catalogue.operation import DEFAULT_TOOLSETS, Operation, Toolset
from ordergate.surfaces.catalogue.operations import listed
from ordergate.surfaces.catalogue.schemas import input_schema, output_schema

Context = ServerRequestContext[Any, Any]
Ask = Callable[[Principal, str, Mapping[str, Any]], Awaitable[Envelope]]
PrincipalOf = Callable[[Context], Principal]

Permits = Callable[[Principal, str], bool]

IMAGE: Final = "image"  # a picture in an answer's data: shown as one, not as text
PRINCIPAL_KEY: Final = "ordergate.principal"


def principal_of_request(context: Context) -> Principal:
    """Return whose bearer token came with this very HTTP request; a session proves nothing."""
    scope = getattr(context.request, "scope", {})
    principal = scope.get(PRINCIPAL_KEY)
    if not isinstance(principal, Principal):
        raise Unauthenticated("no credential came with this request")
    return principal


def permits(operations: Sequence[Operation]) -> Permits:
    """Return whether a principal may ever call a tool; an unknown one is dispatch's to refuse."""
    acts = {operation.name: operation.act for operation in operations}
    return lambda principal, tool: tool not in acts or allowed(principal.kind, acts[tool])


class CatalogueTools:
    """Lists what the principal's kind may ever call, and passes every call to the one dispatch."""

    def __init__(
        self,
        operations: Sequence[Operation],
        ask: Ask,
        *,
        principal_of: PrincipalOf,
        toolsets: frozenset[Toolset] = DEFAULT_TOOLSETS,
    ) -> None:
        self._ask = ask
        self._principal_of = principal_of
        shown = listed(operations, toolsets)
        self._left_out = {item.name: item.toolset for item in operations if item not in shown}
        self._schemas = {item.name: input_schema(item.request) for item in shown}
        tools = {item.name: _tool(item, self._schemas[item.name]) for item in shown}
        self._listed = {
            kind: [tools[item.name] for item in shown if allowed(kind, item.act)] for kind in Kind
        }

    def listed(self, context: Context) -> list[Tool]:
        return self._listed[self._principal_of(context).kind]

    def input_schema(self, name: str) -> Mapping[str, Any] | None:
        return self._schemas.get(name)

    async def call(self, context: Context, params: CallToolRequestParams) -> CallToolResult:
        principal = self._principal_of(context)
        if params.name in self._left_out:
            return tool_result(failure(_not_chosen(self._left_out[params.name])))
        return tool_result(await self._ask(principal, params.name, params.arguments or {}))


def _not_chosen(toolset: Toolset) -> NotSupported:
    return NotSupported(
        f"this tool is in the toolset {toolset.value}, which is not chosen here",
        fix=f'The operator chooses: mcp.toolsets = ["default", "{toolset.value}"].',
        details={"toolset": toolset.value},
    )


def tool_result(envelope: Envelope) -> CallToolResult:
    """Return the envelope as structured content, and as text for clients that show only text.

    A picture leaves both and stands beside them: base64 in a text is read, and paid for, as words.
    """
    data, picture = envelope.data, None
    if data is not None and isinstance(data.get(IMAGE), dict):
        picture = data[IMAGE]
        data = {**data, IMAGE: None}
    text = envelope.line or json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    content: list[ContentBlock] = [TextContent(type="text", text=text)]
    if picture is not None:
        content.append(
            ImageContent(type="image", data=picture["data"], mime_type=picture["mime_type"])
        )
    return CallToolResult(
        content=content,
        structured_content={**envelope.body(), "data": data},
        is_error=not envelope.ok,
    )


def _tool(operation: Operation, schema: dict[str, Any]) -> Tool:
    hints = operation.hints
    return Tool(
        name=operation.name,
        description=operation.summary,
        input_schema=schema,
        output_schema=output_schema(operation),
        annotations=ToolAnnotations(
            title=operation.name.replace("_", " ").capitalize(),
            read_only_hint=hints.read_only,
            destructive_hint=hints.destructive,
            idempotent_hint=hints.idempotent,
            open_world_hint=hints.open_world,
        ),
    )
