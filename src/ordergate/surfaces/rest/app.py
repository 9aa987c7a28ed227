"""The REST door: every operation of the catalogue under /api/v1, one envelope, problem details."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from ordergate.model.errors import Forbidden, GateError, NotFound, NotReady, NotSupported
from ordergate.surfaces.catalogue.dispatch import Dispatch
from ordergate.surfaces.catalogue.envelope import Envelope, failure
from ordergate.surfaces.catalogue.operation import Operation
from ordergate.surfaces.catalogue.schemas import fingerprint, input_schema
from ordergate.surfaces.edge import PROBLEM, Authenticate, problem
from ordergate.surfaces.rest.carriers import arguments_of
from ordergate.surfaces.rest.documents import components, operation_document
from ordergate.surfaces.rest.metrics import CONTENT_TYPE, Metrics

PREFIX: Final = "/api/v1"
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="ordergate"'}


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What the door says of the process. `mcp` describes the MCP listener."""

    version: str
    ready: Callable[[], bool]
    mcp: Callable[[], Mapping[str, Any]]
    trouble: Callable[[], str | None] = lambda: None  # why only exits pass; None = all does


def rest_app(
    dispatch: Dispatch,
    operations: Sequence[Operation],
    *,
    authenticate: Authenticate,
    health: Health,
    metrics: Metrics,
    routes: Sequence[BaseRoute] = (),
) -> FastAPI:
    """Return the app; `authenticate` decides whose door it is, so it can be mounted twice.

    Host and Origin are checked around it (`edge.HostGuard`). `routes` are added as they are.
    """
    app = FastAPI(
        title="ordergate",
        version=health.version,
        summary="The gate between AI agents and broker accounts.",
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
        redirect_slashes=False,
    )
    door = _Door(dispatch, operations, authenticate)
    for operation in operations:
        door.add(app, operation)
    door.add_call(app)
    _add_health(app, health, metrics, authenticate, fingerprint(operations))
    app.router.routes.extend(routes)
    app.add_exception_handler(HTTPException, _http_problem)
    app.add_exception_handler(GateError, _gate_problem)
    _describe(app, operations)
    return app


def answered(envelope: Envelope, request: Request) -> Response:
    """Return the envelope, or problem details that carry it."""
    if envelope.error is None:
        return JSONResponse(envelope.body(), headers={"Cache-Control": "no-store"})
    headers = {"Cache-Control": "no-store"}
    if envelope.status == 401:
        headers |= _CHALLENGE
    if "retry_after_s" in envelope.error.details:
        headers["Retry-After"] = str(envelope.error.details["retry_after_s"])
    return JSONResponse(
        problem(envelope, request.url.path),
        status_code=envelope.status,
        media_type=PROBLEM,
        headers=headers,
    )


class _Door:
    def __init__(
        self, dispatch: Dispatch, operations: Sequence[Operation], authenticate: Authenticate
    ) -> None:
        self._dispatch = dispatch
        self._authenticate = authenticate
        self._schemas = {item.name: input_schema(item.request) for item in operations}

    def add(self, app: FastAPI, operation: Operation) -> None:
        """Add an operation's route and its aliases, below the prefix and, for aliases, at root."""
        route = operation.route
        self._add_route(app, operation, route.method, PREFIX + route.path, alias=False)
        for method, path in route.aliases:
            if (method, path) != (route.method, route.path):
                self._add_route(app, operation, method, PREFIX + path, alias=True)
            self._add_route(app, operation, method, path, alias=True)

    def _add_route(
        self, app: FastAPI, operation: Operation, method: str, path: str, *, alias: bool
    ) -> None:
        async def endpoint(request: Request) -> Response:
            return await self._answer(request, operation.name)

        app.add_api_route(
            path,
            endpoint,
            methods=[method],
            name=operation.name,
            operation_id=None if alias else operation.name,
            summary=operation.summary,
            tags=[operation.toolset.value],
            response_model=None,
            include_in_schema=not alias,
            openapi_extra=operation_document(operation, method, path),
        )

    def add_call(self, app: FastAPI) -> None:
        """Add the generic route: any tool by its name, its arguments as the body."""

        async def call(request: Request) -> Response:
            return await self._answer(request, request.path_params.pop("tool"))

        app.add_api_route(
            PREFIX + "/call/{tool}",
            call,
            methods=["POST"],
            include_in_schema=False,
            response_model=None,
        )

    async def _answer(self, request: Request, tool: str) -> Response:
        try:
            principal = await self._authenticate(request)
            schema = self._schemas.get(tool, {"properties": {}})
            arguments = await arguments_of(request, schema)
        except GateError as error:
            return answered(failure(error), request)
        return answered(await self._dispatch(principal, tool, arguments), request)


def _add_health(
    app: FastAPI, health: Health, metrics: Metrics, authenticate: Authenticate, tools_hash: str
) -> None:
    async def alive(_: Request) -> Response:
        body = {"status": "ok", "version": health.version, "tools_sha256": tools_hash}
        return JSONResponse({"ok": True, "data": body, "error": None})

    async def ready(request: Request) -> Response:
        trouble = health.trouble()
        if health.ready() and trouble is not None:
            exits_only = NotReady(
                f"exits only: {trouble}",
                fix="Close, tighten and cancel; nothing opens until the operator has mended it.",
                details={"exits_only": True},
            )
            return answered(failure(exits_only), request)
        if health.ready():
            return JSONResponse({"ok": True, "data": {"status": "ready"}, "error": None})
        waiting = NotReady("the gate is starting, recovering or stopping", fix="Ask again shortly.")
        return answered(failure(waiting), request)

    async def scrape(request: Request) -> Response:
        await authenticate(request)
        return Response(metrics.text(ready=health.ready()), media_type=CONTENT_TYPE)

    async def mcp(_: Request) -> Response:
        body = {"tools_sha256": tools_hash, **health.mcp()}
        return JSONResponse({"ok": True, "data": body, "error": None})

    places = (("/health", alive), ("/readyz", ready), ("/metrics", scrape), ("/mcp-health", mcp))
    for path, endpoint in places:
        app.add_api_route(
            path, endpoint, methods=["GET"], include_in_schema=False, response_model=None
        )


async def _http_problem(request: Request, error: Exception) -> Response:
    """Say an unknown route or a wrong method in the house's own words."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        envelope = failure(NotSupported("not with this method", fix="See openapi.json."))
        response = answered(envelope, request)
        response.status_code = 405
        response.headers["Allow"] = (error.headers or {}).get("Allow", "GET, POST")
        return response
    if error.status_code == 404:
        return answered(
            failure(NotFound("there is no such route", fix="See openapi.json.")), request
        )
    return answered(failure(Forbidden("refused")), request)


async def _gate_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, GateError)
    return answered(failure(error), request)


def _describe(app: FastAPI, operations: Sequence[Operation]) -> None:
    """Complete the OpenAPI document with what FastAPI cannot know."""
    plain_document = app.openapi
    shared = components(operations)

    def document() -> dict[str, Any]:
        schema = plain_document()
        return schema | {"components": shared}

    app.openapi = document  # type: ignore[method-assign]
