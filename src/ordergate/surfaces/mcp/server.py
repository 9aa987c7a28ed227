"""The MCP server: one set of providers, both protocol generations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from mcp.server.caching import CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    GetPromptRequestParams,
    GetPromptResult,
    InputRequiredResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    Prompt,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    Tool,
)

from ordergate.surfaces.mcp.subscriptions import Subscriptions

Context = ServerRequestContext[Any, Any]

LIST_TTL_MS: Final = 300_000  # the lists are fixed for the life of the process


class Tools(Protocol):
    def listed(self, context: Context) -> list[Tool]: ...

    def input_schema(self, name: str) -> Mapping[str, Any] | None: ...

    async def call(
        self, context: Context, params: CallToolRequestParams
    ) -> CallToolResult | InputRequiredResult: ...


class Resources(Protocol):
    def listed(self, context: Context) -> list[Resource]: ...

    def templates(self, context: Context) -> list[ResourceTemplate]: ...

    async def read(
        self, context: Context, params: ReadResourceRequestParams
    ) -> ReadResourceResult | InputRequiredResult: ...


class Prompts(Protocol):
    def listed(self, context: Context) -> list[Prompt]: ...

    async def get(
        self, context: Context, params: GetPromptRequestParams
    ) -> GetPromptResult | InputRequiredResult: ...


def mcp_server(
    *,
    version: str,
    instructions: str,
    tools: Tools,
    resources: Resources,
    prompts: Prompts,
    subscriptions: Subscriptions,
) -> Server[Any]:
    """Return a server that answers from these providers and nothing else."""

    async def list_tools(
        context: Context, params: PaginatedRequestParams | None
    ) -> ListToolsResult:
        _one_page(params)
        return ListToolsResult(tools=tools.listed(context))

    async def list_resources(
        context: Context, params: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        _one_page(params)
        return ListResourcesResult(resources=resources.listed(context))

    async def list_templates(
        context: Context, params: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        _one_page(params)
        return ListResourceTemplatesResult(resource_templates=resources.templates(context))

    async def list_prompts(
        context: Context, params: PaginatedRequestParams | None
    ) -> ListPromptsResult:
        _one_page(params)
        return ListPromptsResult(prompts=prompts.listed(context))

    lists = CacheHint(ttl_ms=LIST_TTL_MS, scope="private")
    return Server(
        "ordergate",
        version=version,
        title="ordergate",
        instructions=instructions,
        lifespan=subscriptions.running,
        cache_hints={
            "tools/list": lists,
            "prompts/list": lists,
            "resources/list": lists,
            "resources/templates/list": lists,
            "resources/read": CacheHint(ttl_ms=0, scope="private"),
        },
        get_tool_input_schema=tools.input_schema,
        on_list_tools=list_tools,
        on_call_tool=tools.call,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=resources.read,
        on_subscribe_resource=subscriptions.subscribe,
        on_unsubscribe_resource=subscriptions.unsubscribe,
        on_subscriptions_listen=subscriptions.stream,
        on_list_prompts=list_prompts,
        on_get_prompt=prompts.get,
    )


def _one_page(params: PaginatedRequestParams | None) -> None:
    if params is not None and params.cursor is not None:
        raise MCPError(INVALID_PARAMS, "this list has one page: no cursor is valid")
