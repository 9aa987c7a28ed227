"""Beyond loopback: refused in words without TLS, key and flag; with them, TLS and exact names."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.certificates import NAME, write_certificate
from support.gateway_process import GatewayProcess

pytestmark = pytest.mark.slow

ALL = {"host": "0.0.0.0", "tls_cert": "tls.crt", "tls_key": "tls.key", "allow_remote": True}


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in held]
    for one in held:
        one.close()
    return ports


def home_of(path: Path, **server: Any) -> GatewayProcess:
    one = GatewayProcess(path)
    one.settle_in({"server": server})
    return one


@pytest.mark.parametrize(
    ("left_out", "said"),
    [
        (["tls_cert", "tls_key"], "missing server.tls_cert, server.tls_key; or stay on loopback"),
        (["tls_key"], "missing server.tls_key"),
        (["allow_remote"], "missing server.allow_remote = true"),
    ],
)
def test_each_thing_that_is_missing_is_named(
    tmp_path: Path, left_out: list[str], said: str
) -> None:
    one = home_of(tmp_path, **{key: text for key, text in ALL.items() if key not in left_out})
    write_certificate(one.config)
    refused = one.command("up")
    assert refused.returncode == 7
    assert said in " ".join(refused.stderr.split())


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"wide": True}, "can be read by others"),
        ({"days": -1}, "is good until"),
        ({"stem": "other"}, "is no file of the config directory"),
    ],
)
def test_a_certificate_that_cannot_be_trusted_stops_the_start(
    tmp_path: Path, how: dict[str, Any], said: str
) -> None:
    one = home_of(tmp_path, **ALL)
    write_certificate(one.config, **how)
    refused = one.command("up")
    assert refused.returncode != 0
    assert said in " ".join(refused.stderr.split())


def test_a_key_that_is_another_certificates_and_files_elsewhere_are_refused(
    tmp_path: Path,
) -> None:
    one = home_of(tmp_path, **(ALL | {"tls_key": "b.key"}))
    write_certificate(one.config)
    write_certificate(one.config, stem="b")
    assert "not the key of" in one.command("up").stderr
    (tmp_path / "elsewhere").mkdir()
    at, key = write_certificate(tmp_path / "elsewhere")
    one.settle_in({"server": ALL | {"tls_cert": str(at), "tls_key": str(key)}})
    assert "no file of the config" in " ".join(one.command("up").stderr.split())


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[GatewayProcess, list[int]]]:
    ports = free_ports(3)
    named = dict(zip(("rest_port", "mcp_port", "console_port"), ports, strict=True))
    one = home_of(tmp_path_factory.mktemp("far"), **ALL, **named)
    write_certificate(one.config)
    one.make_operator()
    try:
        yield one.start(), ports
    finally:
        one.close()


def over_tls(
    far: tuple[GatewayProcess, list[int]], door: int, path: str, method: str = "GET", **more: Any
) -> httpx.Response:
    """Ask as another machine does: by the certificate's name, and checking the certificate."""
    one, ports = far
    trusted = ssl.create_default_context(cafile=str(one.config / "tls.crt"))
    headers = {"Host": f"{NAME}:{ports[door]}", **more.pop("headers", {})}
    with httpx.Client(verify=trusted, trust_env=False, timeout=10) as client:
        return client.request(
            method,
            f"https://127.0.0.1:{ports[door]}{path}",
            headers=headers,
            extensions={"sni_hostname": NAME},
            **more,
        )


def test_each_door_answers_over_tls_by_the_certificates_name(
    far: tuple[GatewayProcess, list[int]],
) -> None:
    one, ports = far
    bearer = {"Authorization": f"Bearer {one.token}"}
    assert over_tls(far, 0, "/readyz").status_code == 200
    call = ("/api/v1/call/get_status", "POST")
    assert over_tls(far, 0, *call, json={}).status_code == 401
    assert over_tls(far, 0, *call, json={}, headers=bearer).status_code == 200
    assert over_tls(far, 1, "/mcp", "POST", json={}).status_code == 401
    shown = over_tls(far, 2, "/sign-in")
    assert "Sign in" in shown.text
    origin = {"Origin": f"https://{NAME}:{ports[2]}"}
    who = {"name": "operator", "password": one.password, "code": one.codes.pop()}
    signed_in = over_tls(far, 2, "/operator/sign-in", "POST", json=who, headers=origin)
    assert signed_in.status_code == 200
    assert "Secure" in signed_in.headers["set-cookie"]


def test_plain_http_gets_nothing_beyond_loopback(far: tuple[GatewayProcess, list[int]]) -> None:
    for port in far[1]:
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False, timeout=5)


def test_commands_on_this_machine_go_on_over_loopback(
    far: tuple[GatewayProcess, list[int]],
) -> None:
    one, ports = far
    assert one.command("status").returncode == 0
    assert one.rest.startswith("http://127.0.0.1:")
    assert int(one.rest.rpartition(":")[2]) not in ports


@pytest.mark.parametrize("host", ["evil.example", "ordergate.localhost.evil.example", ""])
def test_a_foreign_name_is_refused_over_tls(
    far: tuple[GatewayProcess, list[int]], host: str
) -> None:
    for door, path in ((0, "/readyz"), (1, "/mcp"), (2, "/sign-in")):
        assert over_tls(far, door, path, headers={"Host": host}).status_code in (400, 403, 421)
