"""Every operation, route and tool of every door stands for an act of the matrix, and is listed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from starlette.routing import Route

from ordergate.identity.authority import MAY, Act
from ordergate.model.principals import Grant, Kind, Principal
from ordergate.model.values import PrincipalId
from ordergate.surfaces.catalogue.operations import operations
from ordergate.surfaces.console.declared import DECLARED
from ordergate.surfaces.mcp.tools import permits
from ordergate.surfaces.rest.app import Health, rest_app
from ordergate.surfaces.rest.metrics import Metrics
from support.doors import doors

# What an operation may stand for: reading, asking, reducing. Deciding is never in a catalogue.
DECIDING = {
    Act.SUBMIT_DRAFT,
    Act.APPROVE,
    Act.DENY,
    Act.RELEASE,
    Act.RESOLVE,
    Act.LOOSEN,
    Act.ARM,
    Act.DISARM,
    Act.SET_PACE,
    Act.MAKE_TOKENS,
    Act.EXPORT_AUDIT,
    Act.MANAGE_FACTORS,
    Act.ACKNOWLEDGE,
}
# Signing in and out, showing a factor, and ending one's own sign-ins: nothing is decided.
OWN_SIGN_IN = (
    "/sign-",
    "/operator/sign-",
    "/operator/factor",
    "/operator/sessions/",
    "/security/sessions/",
)
OPEN = {"/health", "/readyz", "/metrics", "/mcp-health"}  # tell how the process is, and no more


async def _lines() -> AsyncIterator[str]:
    yield ""


def console_routes() -> Iterator[tuple[str, str]]:
    """Return (method, path) of every route that the operator's application mounts."""
    nothing: Any = None
    from ordergate.surfaces.console.alerting import Alerting
    from ordergate.surfaces.console.app import Beside, console_app

    alerting = Alerting(alerts=nothing, sign_in=nothing, gateway=nothing, presence=nothing)
    app: Any = console_app(
        desk=nothing,
        sign_in=nothing,
        gateway=nothing,
        origins=frozenset({"http://x"}),
        audit=_lines,
        beside=Beside(routes=alerting.routes()),
    )
    while not hasattr(app, "routes"):
        app = app._app
    for route in app.routes:
        assert isinstance(route, Route), f"{route} is no plain route"
        for method in (route.methods or set()) - {"HEAD"}:
            yield method, route.path


def test_every_route_of_the_operators_listener_is_declared_with_its_act() -> None:
    mounted = set(console_routes())
    assert len(mounted) > 40
    assert mounted == set(DECLARED)


def test_every_write_of_the_operators_listener_decides_stops_or_signs_in() -> None:
    told = {place: act for place, act in DECLARED.items() if place[0] != "GET"}
    for (method, path), act in told.items():
        if act is None:
            assert path.startswith(OWN_SIGN_IN), (method, path)
        else:
            assert act in DECIDING | {Act.ENGAGE_KILL, Act.WITHDRAW, Act.TIGHTEN, Act.CLOSE}
        assert act is None or act in MAY[Kind.OPERATOR]


@pytest.mark.parametrize("data_only", [False, True])
def test_every_operation_stands_for_an_act_that_decides_nothing(data_only: bool) -> None:
    for operation in operations(data_only=data_only):
        assert isinstance(operation.act, Act), operation.name
        assert operation.act not in DECIDING, operation.name


def rest_routes() -> Iterator[Any]:
    front = doors()
    metrics = Metrics()

    async def nobody(_: object) -> Principal:
        raise AssertionError

    app: Any = rest_app(
        front.dispatch,
        front.operations,
        authenticate=nobody,
        health=Health(version="0", ready=lambda: True, mcp=dict),
        metrics=metrics,
        routes=[],
    )
    while not hasattr(app, "routes"):
        app = app._app
    yield from app.routes


BESIDE = {"/api/v1/call/{tool}", "/api/v1/openapi.json"}  # by name; what there is


def test_every_rest_route_is_an_operation_or_tells_how_the_process_is() -> None:
    offered = operations(data_only=False)
    known = {f"/api/v1{one.route.path}" for one in offered}
    aliases = {path for one in offered for _, path in one.route.aliases}
    known |= aliases | {f"/api/v1{path}" for path in aliases}
    paths = {route.path for route in rest_routes()}
    assert paths - known - OPEN - BESIDE == set()
    assert known - paths == set()


@pytest.mark.parametrize("grants", [frozenset[Grant](), frozenset(Grant)])
@pytest.mark.parametrize("kind", Kind)
def test_a_tool_is_called_by_exactly_the_kinds_of_its_act(
    kind: Kind, grants: frozenset[Grant]
) -> None:
    may = permits(operations(data_only=False))
    asker = Principal(PrincipalId("someone"), kind, "someone", grants)
    for operation in operations(data_only=False):
        assert may(asker, operation.name) is (operation.act in MAY[kind]), operation.name
