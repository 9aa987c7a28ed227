"""The conformance suite's fixtures on our MCP layer: our builder, transport, guard, dispatch.

Only the providers are exchanged. `python tests/conformance/fixture_app.py PORT` serves it; the
suite sends no credential of its own, so the app in front lends it one.
"""

from __future__ import annotations

import asyncio
import json
import sys
import warnings
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    PromptsListChanged,
    ToolsListChanged,
)
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError
from mcp_types import (
    INVALID_PARAMS,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    AudioContent,
    BlobResourceContents,
    CallToolRequestParams,
    CallToolResult,
    ClientCapabilities,
    CompleteRequestParams,
    CompleteResult,
    Completion,
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitationCapability,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    EmbeddedResource,
    EmptyResult,
    GetPromptRequestParams,
    GetPromptResult,
    ImageContent,
    InputRequiredResult,
    ListRootsRequest,
    ListRootsResult,
    Prompt,
    PromptArgument,
    PromptMessage,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    SamplingCapability,
    SamplingMessage,
    SetLevelRequestParams,
    TextContent,
    TextResourceContents,
    Tool,
)
from starlette.types import ASGIApp, Receive, Scope, Send

sys.path.insert(0, str(Path(__file__).parents[1]))

from ordergate.identity.authority import Act
from ordergate.surfaces.catalogue.dispatch import Dispatch
from ordergate.surfaces.catalogue.fields import Request, Result
from ordergate.surfaces.catalogue.operation import READS, Operation, Route, Toolset
from ordergate.surfaces.edge import boundary
from ordergate.surfaces.mcp.http import Access, mcp_app
from ordergate.surfaces.mcp.server import mcp_server
from ordergate.surfaces.mcp.subscriptions import Subscriptions
from ordergate.surfaces.mcp.tools import CatalogueTools, principal_of_request
from support.doors import doors

Context = ServerRequestContext[Any, Any]
Answer = CallToolResult | InputRequiredResult
Handler = Callable[[Context, CallToolRequestParams], Awaitable[Answer]]

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5E"
    "rkJggg=="
)
WAV = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="
SECRET = "conformance-fixture-state-key-of-32-bytes-or-more"
WATCHED = "test://watched-resource"


# Operations through our own dispatch: what the suite's simplest tools prove is the house's path.


class Nothing(Request):
    pass


class Words(Result):
    text: str


async def simple_text(_: Any, __: Any, ___: Nothing) -> Words:
    return Words(text="This is a simple text response for testing.")


async def error_handling(_: Any, __: Any, ___: Nothing) -> Words:
    raise RuntimeError("This tool intentionally returns an error for testing")


def _operation(name: str, handler: Any) -> Operation:
    return Operation(
        name=name,
        summary=f"Fixture {name}",
        act=Act.READ_MARKET,
        request=Nothing,
        result=Words,
        toolset=Toolset.MARKET,
        hints=READS,
        route=Route(method="POST", path=f"/{name}"),
        handler=handler,
    )


OPERATIONS = (
    _operation("test_simple_text", simple_text),
    _operation("test_error_handling", error_handling),
)


# Tools that speak the protocol's own content and its ways back to the client.


def text(words: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=words)])


def _embedded(uri: str, words: str, mime_type: str = "text/plain") -> EmbeddedResource:
    contents = TextResourceContents(uri=uri, mime_type=mime_type, text=words)
    return EmbeddedResource(type="resource", resource=contents)


def _image() -> ImageContent:
    return ImageContent(type="image", data=PNG, mime_type="image/png")


async def image(_: Context, __: CallToolRequestParams) -> Answer:
    return CallToolResult(content=[_image()])


async def audio(_: Context, __: CallToolRequestParams) -> Answer:
    return CallToolResult(content=[AudioContent(type="audio", data=WAV, mime_type="audio/wav")])


async def embedded(_: Context, __: CallToolRequestParams) -> Answer:
    words = "This is an embedded resource content."
    return CallToolResult(content=[_embedded("test://embedded-resource", words)])


async def mixed(_: Context, __: CallToolRequestParams) -> Answer:
    data = json.dumps({"test": "data", "value": 123})
    return CallToolResult(
        content=[
            TextContent(type="text", text="Multiple content types test:"),
            _image(),
            _embedded("test://mixed-content-resource", data, "application/json"),
        ]
    )


async def logging(context: Context, _: CallToolRequestParams) -> Answer:
    for words in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await context.session.send_log_message("info", words, related_request_id=context.request_id)
        await asyncio.sleep(0.05)
    return text("Logged three times.")


async def progress(context: Context, _: CallToolRequestParams) -> Answer:
    for done in (0, 50, 100):
        await context.session.report_progress(done, 100)
        await asyncio.sleep(0.05)
    return text("Reported progress.")


async def sampling(context: Context, params: CallToolRequestParams) -> Answer:
    prompt = str((params.arguments or {}).get("prompt", ""))
    message = SamplingMessage(role="user", content=TextContent(type="text", text=prompt))
    result = await context.session.create_message(
        [message], max_tokens=100, related_request_id=context.request_id
    )
    return text(f"LLM response: {getattr(result.content, 'text', '')}")


async def _elicited(context: Context, message: str, properties: Mapping[str, Any]) -> ElicitResult:
    schema = {"type": "object", "properties": dict(properties), "required": []}
    return await context.session.elicit_form(message, schema, context.request_id)


async def elicitation(context: Context, params: CallToolRequestParams) -> Answer:
    words = str((params.arguments or {}).get("message", ""))
    properties = {
        "username": {"type": "string", "description": "User's response"},
        "email": {"type": "string", "description": "User's email address"},
    }
    result = await _elicited(context, words, properties)
    return text(f"User response: action={result.action}, content={json.dumps(result.content)}")


async def elicitation_defaults(context: Context, _: CallToolRequestParams) -> Answer:
    properties = {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {
            "type": "string",
            "enum": ["active", "inactive", "pending"],
            "default": "active",
        },
        "verified": {"type": "boolean", "default": True},
    }
    result = await _elicited(context, "Defaults", properties)
    words = f"action={result.action}, content={json.dumps(result.content)}"
    return text(f"Elicitation completed: {words}")


async def elicitation_enums(context: Context, _: CallToolRequestParams) -> Answer:
    plain = ["option1", "option2", "option3"]
    titled = [
        {"const": f"value{n}", "title": f"{word} Option"}
        for n, word in enumerate(("First", "Second", "Third"), 1)
    ]
    properties = {
        "untitledSingle": {"type": "string", "enum": plain},
        "titledSingle": {"type": "string", "oneOf": titled},
        "legacyEnum": {
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": plain}},
        "titledMulti": {"type": "array", "items": {"anyOf": titled}},
    }
    result = await _elicited(context, "Choices", properties)
    words = f"action={result.action}, content={json.dumps(result.content)}"
    return text(f"Elicitation completed: {words}")


# The newer protocol's way to ask: an answer that says what is still needed.


def ask_for(field: str, kind: str, message: str) -> ElicitRequest:
    schema = {"type": "object", "properties": {field: {"type": kind}}, "required": [field]}
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


def sample(words: str, tokens: int) -> CreateMessageRequest:
    message = SamplingMessage(role="user", content=TextContent(type="text", text=words))
    params = CreateMessageRequestParams(messages=[message], max_tokens=tokens)
    return CreateMessageRequest(params=params)


def said(params: Any, key: str, field: str) -> str | None:
    """Return what the client accepted for a field; None when it is missing or not usable."""
    answer = (params.input_responses or {}).get(key)
    if not isinstance(answer, ElicitResult) or answer.action != "accept":
        return None
    value = (answer.content or {}).get(field)
    return None if value is None else str(value)


async def needs_elicitation(_: Context, params: CallToolRequestParams) -> Answer:
    name = said(params, "user_name", "name")
    if name is None:
        asked = ask_for("name", "string", "What is your name?")
        return InputRequiredResult(input_requests={"user_name": asked})
    return text(f"Hello, {name}!")


async def needs_sampling(_: Context, params: CallToolRequestParams) -> Answer:
    answer = (params.input_responses or {}).get("capital_question")
    if not isinstance(answer, CreateMessageResult):
        asked = sample("What is the capital of France?", 100)
        return InputRequiredResult(input_requests={"capital_question": asked})
    return text(f"The model said: {getattr(answer.content, 'text', '')}")


async def needs_roots(_: Context, params: CallToolRequestParams) -> Answer:
    answer = (params.input_responses or {}).get("client_roots")
    if not isinstance(answer, ListRootsResult):
        return InputRequiredResult(input_requests={"client_roots": ListRootsRequest()})
    return text("Roots: " + ", ".join(str(root.uri) for root in answer.roots))


async def needs_state(_: Context, params: CallToolRequestParams) -> Answer:
    if params.request_state != "asked" or said(params, "confirm", "ok") is None:
        asked = ask_for("ok", "boolean", "Please confirm")
        return InputRequiredResult(input_requests={"confirm": asked}, request_state="asked")
    return text("state-ok")


async def needs_several(_: Context, params: CallToolRequestParams) -> Answer:
    wanted = {
        "user_name": ask_for("name", "string", "What is your name?"),
        "greeting": sample("Generate a greeting", 50),
        "client_roots": ListRootsRequest(),
    }
    missing = {k: v for k, v in wanted.items() if k not in (params.input_responses or {})}
    if missing or params.request_state != "asked":
        return InputRequiredResult(input_requests=missing or wanted, request_state="asked")
    return text("All inputs received.")


async def needs_rounds(_: Context, params: CallToolRequestParams) -> Answer:
    state = json.loads(params.request_state) if params.request_state else {}
    name = state.get("name") or said(params, "step1", "name")
    if name is None:
        asked = ask_for("name", "string", "Step 1: What is your name?")
        return InputRequiredResult(input_requests={"step1": asked}, request_state="{}")
    color = said(params, "step2", "color")
    if color is None:
        asked = ask_for("color", "string", "Step 2: What is your favorite color?")
        kept = json.dumps({"name": name})
        return InputRequiredResult(input_requests={"step2": asked}, request_state=kept)
    return text(f"{name} likes {color}.")


async def needs_capabilities(context: Context, _: CallToolRequestParams) -> Answer:
    session = context.session
    wanted: dict[str, Any] = {}
    if session.check_client_capability(ClientCapabilities(sampling=SamplingCapability())):
        wanted["greeting"] = sample("Generate a greeting", 50)
    if session.check_client_capability(ClientCapabilities(elicitation=ElicitationCapability())):
        wanted["user_name"] = ask_for("name", "string", "What is your name?")
    return InputRequiredResult(input_requests=wanted) if wanted else text("Nothing to ask for.")


async def missing_capability(context: Context, _: CallToolRequestParams) -> Answer:
    needed = ClientCapabilities(sampling=SamplingCapability())
    if not context.session.check_client_capability(needed):
        raise MCPError(
            MISSING_REQUIRED_CLIENT_CAPABILITY,
            "this tool needs sampling",
            {"requiredCapabilities": {"sampling": {}}},
        )
    return text("Sampling is there.")


async def nothing_special(_: Context, __: CallToolRequestParams) -> Answer:
    return text("ok")


@dataclass(frozen=True)
class Fixture:
    handler: Handler
    schema: Mapping[str, Any]


NO_ARGUMENTS: Mapping[str, Any] = {"type": "object", "properties": {}}


def _one(name: str) -> dict[str, Any]:
    return {"type": "object", "properties": {name: {"type": "string"}}, "required": [name]}


HEADER_SCHEMA = {
    "type": "object",
    "properties": {"region": {"type": "string", "x-mcp-header": "Region"}},
    "required": ["region"],
}
SCHEMA_2020_12 = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


class FixtureTools:
    """Our catalogue's tools for what goes through dispatch, fixtures for the rest."""

    def __init__(self, ours: CatalogueTools, bus: InMemorySubscriptionBus) -> None:
        self._ours = ours
        self._bus = bus
        free = {
            "test_image_content": image,
            "test_audio_content": audio,
            "test_embedded_resource": embedded,
            "test_multiple_content_types": mixed,
            "test_tool_with_logging": logging,
            "test_tool_with_progress": progress,
            "test_elicitation_sep1034_defaults": elicitation_defaults,
            "test_elicitation_sep1330_enums": elicitation_enums,
            "test_missing_capability": missing_capability,
            "test_input_required_result_elicitation": needs_elicitation,
            "test_input_required_result_sampling": needs_sampling,
            "test_input_required_result_list_roots": needs_roots,
            "test_input_required_result_request_state": needs_state,
            "test_input_required_result_multiple_inputs": needs_several,
            "test_input_required_result_multi_round": needs_rounds,
            "test_input_required_result_tampered_state": needs_state,
            "test_input_required_result_capabilities": needs_capabilities,
            "test_trigger_tool_change": self._tools_changed,
            "test_trigger_prompt_change": self._prompts_changed,
        }
        self._fixtures = {name: Fixture(handler, NO_ARGUMENTS) for name, handler in free.items()}
        self._fixtures["test_sampling"] = Fixture(sampling, _one("prompt"))
        self._fixtures["test_elicitation"] = Fixture(elicitation, _one("message"))
        self._fixtures["test_x_mcp_header"] = Fixture(nothing_special, HEADER_SCHEMA)
        self._fixtures["json_schema_2020_12_tool"] = Fixture(nothing_special, SCHEMA_2020_12)

    def listed(self, context: Context) -> list[Tool]:
        fixtures = [
            Tool(name=name, description=f"Fixture {name}", input_schema=dict(fixture.schema))
            for name, fixture in self._fixtures.items()
        ]
        return self._ours.listed(context) + fixtures

    def input_schema(self, name: str) -> Mapping[str, Any] | None:
        fixture = self._fixtures.get(name)
        return self._ours.input_schema(name) if fixture is None else fixture.schema

    async def call(self, context: Context, params: CallToolRequestParams) -> Answer:
        fixture = self._fixtures.get(params.name)
        if fixture is None:
            return await self._ours.call(context, params)
        return await fixture.handler(context, params)

    async def _tools_changed(self, context: Context, _: CallToolRequestParams) -> Answer:
        await self._bus.publish(ToolsListChanged())
        await context.session.send_tool_list_changed()
        return text("Tools changed.")

    async def _prompts_changed(self, context: Context, _: CallToolRequestParams) -> Answer:
        await self._bus.publish(PromptsListChanged())
        await context.session.send_prompt_list_changed()
        return text("Prompts changed.")


class FixtureResources:
    def listed(self, _: Context) -> list[Resource]:
        return [
            Resource(
                uri="test://static-text",
                name="static-text",
                description="A text",
                mime_type="text/plain",
            ),
            Resource(
                uri="test://static-binary",
                name="static-binary",
                description="A picture",
                mime_type="image/png",
            ),
            Resource(
                uri=WATCHED, name="watched-resource", description="Watched", mime_type="text/plain"
            ),
        ]

    def templates(self, _: Context) -> list[ResourceTemplate]:
        return [
            ResourceTemplate(
                uri_template="test://template/{id}/data",
                name="template",
                description="Data by id",
                mime_type="application/json",
            )
        ]

    async def read(self, _: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        uri = str(params.uri)
        if uri == "test://static-binary":
            blob = BlobResourceContents(uri=uri, mime_type="image/png", blob=PNG)
            return ReadResourceResult(contents=[blob])
        words = {
            "test://static-text": "This is the content of the static text resource.",
            WATCHED: "Watched resource content",
        }.get(uri)
        kind = "text/plain"
        if uri.startswith("test://template/") and uri.endswith("/data"):
            number = uri.split("/")[3]
            data = {"id": number, "templateTest": True, "data": f"Data for ID: {number}"}
            words, kind = json.dumps(data), "application/json"
        if words is None:
            raise MCPError(INVALID_PARAMS, "Resource not found", {"uri": uri})
        contents = TextResourceContents(uri=uri, mime_type=kind, text=words)
        return ReadResourceResult(contents=[contents])


def _spoken(*contents: Any) -> GetPromptResult:
    return GetPromptResult(messages=[PromptMessage(role="user", content=one) for one in contents])


def _words(words: str) -> TextContent:
    return TextContent(type="text", text=words)


class FixturePrompts:
    def listed(self, _: Context) -> list[Prompt]:
        arguments = {
            "test_simple_prompt": (),
            "test_prompt_with_arguments": ("arg1", "arg2"),
            "test_prompt_with_embedded_resource": ("resourceUri",),
            "test_prompt_with_image": (),
            "test_input_required_result_prompt": (),
        }
        return [
            Prompt(
                name=name,
                description=f"Fixture {name}",
                arguments=[
                    PromptArgument(name=one, description=one, required=True) for one in names
                ],
            )
            for name, names in arguments.items()
        ]

    async def get(
        self, _: Context, params: GetPromptRequestParams
    ) -> GetPromptResult | InputRequiredResult:
        given = params.arguments or {}
        match params.name:
            case "test_simple_prompt":
                return _spoken(_words("This is a simple prompt for testing."))
            case "test_prompt_with_arguments":
                one, two = given.get("arg1"), given.get("arg2")
                return _spoken(_words(f"Prompt with arguments: arg1='{one}', arg2='{two}'"))
            case "test_prompt_with_embedded_resource":
                uri = given.get("resourceUri", "test://example-resource")
                return _spoken(
                    _embedded(uri, "Embedded resource content for testing."),
                    _words("Please process the embedded resource above."),
                )
            case "test_prompt_with_image":
                return _spoken(_image(), _words("Please analyze the image above."))
            case "test_input_required_result_prompt":
                words = said(params, "user_context", "context")
                if words is None:
                    asked = ask_for("context", "string", "What context should the prompt use?")
                    return InputRequiredResult(input_requests={"user_context": asked})
                return _spoken(_words(f"Context: {words}"))
        raise MCPError(INVALID_PARAMS, "there is no such prompt")


async def complete(_: Context, __: CompleteRequestParams) -> CompleteResult:
    return CompleteResult(completion=Completion(values=["paris", "park", "party"], total=3))


async def set_level(_: Context, __: SetLevelRequestParams) -> EmptyResult:
    return EmptyResult()


def fixture_server() -> tuple[Server[Any], Subscriptions]:
    """Return our server with the suite's providers, and the handlers only fixtures have."""
    gate = doors()
    dispatch = Dispatch(gate.services, OPERATIONS)
    bus = InMemorySubscriptionBus()
    subscriptions = Subscriptions(
        listen=lambda _: lambda: None,
        touched=lambda _: (),
        known=lambda uri: uri.startswith("test://"),
        bus=bus,
    )
    ours = CatalogueTools(OPERATIONS, dispatch, principal_of=principal_of_request)
    server = mcp_server(
        version="0.0.0",
        instructions="Fixtures of the conformance suite.",
        tools=FixtureTools(ours, bus),
        resources=FixtureResources(),
        prompts=FixturePrompts(),
        subscriptions=subscriptions,
    )
    server.add_request_handler("completion/complete", CompleteRequestParams, complete)
    server.add_request_handler("logging/setLevel", SetLevelRequestParams, set_level)
    sealed = RequestStateSecurity(keys=[SECRET], ttl=120.0, bind_principal=_principal)
    server.middleware.append(RequestStateBoundary(sealed, default_audience="ordergate"))
    return server, subscriptions


def _principal(context: Context) -> str:
    return principal_of_request(context).id


class Lent:
    """Adds the credential the suite cannot send; a request that has one keeps its own."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._header = (b"authorization", f"Bearer {token}".encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not any(
            name == b"authorization" for name, _ in scope["headers"]
        ):
            scope = {**scope, "headers": [*scope["headers"], self._header]}
        await self._app(scope, receive, send)


def fixture_app() -> ASGIApp:
    gate = doors()
    server, subscriptions = fixture_server()
    access = Access(
        bearer=gate.bearer,
        limits=boundary(),
        permits=lambda _, __: True,
        monotonic=gate.clock.monotonic,
    )
    return Lent(mcp_app(server, subscriptions, access), "token-agent")


if __name__ == "__main__":
    warnings.simplefilter("ignore", MCPDeprecationWarning)
    uvicorn.run(fixture_app(), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
