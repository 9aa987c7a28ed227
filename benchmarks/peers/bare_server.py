"""The peer: a bare low-level server of the official SDK with one echoing tool.

`bare_server.py` speaks on stdin and stdout; `bare_server.py http` serves /mcp on a free port and
prints its URL.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
)

ECHO = Tool(
    name="echo",
    description="Return the text.",
    input_schema={
        "type": "object",
        "properties": {"text": {"type": "string"}},
        "required": ["text"],
    },
)


async def list_tools(
    _: ServerRequestContext[Any], params: PaginatedRequestParams | None
) -> ListToolsResult:
    return ListToolsResult(tools=[ECHO])


async def call_tool(_: ServerRequestContext[Any], params: CallToolRequestParams) -> CallToolResult:
    text = str((params.arguments or {})["text"])
    return CallToolResult(content=[TextContent(type="text", text=text)])


SERVER: Server[Any] = Server("bare", on_list_tools=list_tools, on_call_tool=call_tool)


async def over_stdio() -> None:
    from mcp.server.stdio import stdio_server

    async with stdio_server() as (read, write):
        await SERVER.run(read, write, SERVER.create_initialization_options())


def over_http() -> None:
    import socket

    import uvicorn

    # asyncio turns Nagle off only for sockets that name their protocol: without it 40 ms a call.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.bind(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{bound.getsockname()[1]}/mcp", flush=True)
    config = uvicorn.Config(SERVER.streamable_http_app(), log_level="error", access_log=False)
    uvicorn.Server(config).run(sockets=[bound])


if __name__ == "__main__":
    if sys.argv[1:] == ["http"]:
        over_http()
    else:
        asyncio.run(over_stdio())
