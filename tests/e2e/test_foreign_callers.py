"""Every route of every listener refuses a foreign Host and a foreign Origin before all else."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from ordergate.surfaces.catalogue.operations import operations
from ordergate.surfaces.console.declared import DECLARED
from support.gateway_process import GatewayProcess, gateway

# A client that checks certificates reads them all first: too slow for hundreds, and of no use here.
PLAIN = {"verify": False, "trust_env": False, "timeout": 10.0}
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
BESIDE = [("GET", path) for path in ("/health", "/readyz", "/metrics", "/mcp-health")]
BESIDE += [("GET", "/api/v1/openapi.json"), ("POST", "/api/v1/call/get_status"), ("WS", "/ws")]


def agents_routes() -> Iterator[tuple[str, str]]:
    for one in operations(data_only=False):
        yield one.route.method, f"/api/v1{one.route.path}"
        for method, path in one.route.aliases:
            yield method, path
            yield method, f"/api/v1{path}"
    yield from BESIDE


def routes() -> Iterator[tuple[str, str, str]]:
    """Return (listener, method, path) of everything that answers; WS stands for a WebSocket."""
    for method, path in agents_routes():
        yield "rest", method, path
        yield "console", method, path
    for method in ("GET", "POST", "DELETE"):
        for path in ("/mcp", "/sse", "/messages"):
            yield "mcp", method, path
    for method, path in DECLARED:
        yield "console", method, path


ROUTES = sorted({(door, method, re.sub(r"\{\w+\}", "x1", path)) for door, method, path in routes()})


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    tables = {"server": {"sse": True}}
    with gateway(tmp_path_factory.mktemp("foreign"), tables, operator=True) as one:
        yield one


def asked(one: GatewayProcess, door: str, method: str, path: str, **headers: str) -> int:
    """Ask as someone who holds every credential; return the status."""
    place = urlsplit({"rest": one.rest, "mcp": one.mcp, "console": one.console}[door])
    sent = {"Host": place.netloc, "Origin": f"http://{place.netloc}"}
    if door != "console":
        sent["Authorization"] = f"Bearer {one.token}"
    if method == "WS":
        sent |= UPGRADE
    with httpx.Client(**PLAIN) as client:  # type: ignore[arg-type]
        return client.request(
            "GET" if method == "WS" else method,
            f"http://127.0.0.1:{place.port}{path}",
            headers=sent | headers,
            json={} if method == "POST" else None,
        ).status_code


FOREIGN_HOSTS = ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8010")
FOREIGN_ORIGINS = ("https://evil.example", "null", "file://", "http://localhost.evil.example")


def test_a_foreign_host_or_origin_is_refused_everywhere(running: GatewayProcess) -> None:
    assert len(ROUTES) > 120
    let_in = []
    for number, (door, method, path) in enumerate(ROUTES):
        host = FOREIGN_HOSTS[number % len(FOREIGN_HOSTS)]
        origin = FOREIGN_ORIGINS[number % len(FOREIGN_ORIGINS)]
        for name, foreign in (("Host", host), ("Origin", origin)):
            status = asked(running, door, method, path, **{name: foreign})
            if status not in (403, 421):
                let_in.append((door, method, path, name, foreign, status))
    assert let_in == []


def test_the_console_takes_no_other_port_of_its_own_name(running: GatewayProcess) -> None:
    port = urlsplit(running.console).port
    assert port is not None
    for origin in (f"http://ordergate.localhost:{port + 1}", f"https://ordergate.localhost:{port}"):
        for method, path in DECLARED:
            if method != "GET":
                path = re.sub(r"\{\w+\}", "x1", path)
                assert asked(running, "console", method, path, Origin=origin) == 403


def test_its_own_name_is_let_in(running: GatewayProcess) -> None:
    assert asked(running, "rest", "POST", "/api/v1/call/get_status") == 200
    assert asked(running, "console", "GET", "/sign-in") == 200
    assert asked(running, "rest", "GET", "/readyz") == 200


@pytest.mark.parametrize("door", ["rest", "mcp", "console"])
@pytest.mark.parametrize("name", ["Host", "Origin", "Authorization", "Content-Type"])
def test_a_header_that_says_two_things_is_refused(
    running: GatewayProcess, door: str, name: str
) -> None:
    """Which of the two counts would be another program's guess: none does."""
    place = urlsplit({"rest": running.rest, "mcp": running.mcp, "console": running.console}[door])
    path = {"rest": "/api/v1/call/get_status", "mcp": "/mcp", "console": "/operator/sign-in"}[door]
    said = {
        "Host": place.netloc,
        "Origin": f"http://{place.netloc}",
        "Authorization": f"Bearer {running.token}",
        "Content-Type": "application/json",
    }
    if door == "console":
        del said["Authorization"]
    other = {"Host": "evil.example", "Origin": "https://evil.example", "Content-Type": "text/plain"}
    lines = [f"{one}: {text}" for one, text in said.items()]
    lines.append(f"{name}: {other.get(name, 'Bearer x')}")
    request = "\r\n".join([f"POST {path} HTTP/1.1", *lines, "Content-Length: 2", "", "{}"])
    assert place.port is not None
    with socket.create_connection(("127.0.0.1", place.port), 10) as link:
        link.sendall(request.encode())
        status = int(link.recv(4096).split()[1])
    assert status in (400, 403, 421), status
