"""`ordergate doctor --as-agent`: every way to a broker past the gate fails it for live."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from ordergate.surfaces.cli.around import Surroundings, around_the_gate, own_processes
from ordergate.surfaces.cli.starts import Finding, Level
from support.cli_gateway import ordergate


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


def place(tmp_path: Path, **changes: Any) -> Surroundings:
    """Return a place from which nothing leads past the gate; a test opens one way."""
    closed: dict[str, Any] = {
        "config_dir": tmp_path / "nowhere",
        "data_dir": tmp_path / "nowhere",
        "environ": {"PATH": "/bin", "ORDERGATE_TOKEN": "x", "CRYPTO_API_KEY": ""},
        "client_portal": free_port(),
        "tws_ports": {free_port(): "TWS"},
        "processes": lambda: ("bash", "/usr/bin/python3"),
    }
    return Surroundings(**{**closed, **changes})


def failed(found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.level is Level.FAIL]


@contextmanager
def a_portal(status: int, body: object) -> Iterator[int]:
    """Answer as a Client Portal gateway does, without its TLS."""

    class Portal(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = json.dumps(body).encode()
            known = self.path == "/v1/api/iserver/auth/status"
            self.send_response(status if known else 404)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:
            del format, args

    server = HTTPServer(("127.0.0.1", 0), Portal)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_where_nothing_leads_past_the_gate_nothing_fails(tmp_path: Path) -> None:
    found = around_the_gate(place(tmp_path))
    assert {one.level for one in found} == {Level.PASS}
    assert len(found) == 5


@pytest.mark.parametrize(
    ("status", "body", "level", "said"),
    [
        (200, {"authenticated": True, "connected": True}, Level.FAIL, "is logged in"),
        (200, {"authenticated": False}, Level.FAIL, "once logged in"),
        (401, {}, Level.FAIL, "once logged in"),
        (200, {"hello": "I am a music player"}, Level.WARN, "no Client Portal"),
        (404, {}, Level.WARN, "no Client Portal"),
        (200, ["authenticated"], Level.WARN, "no Client Portal"),
    ],
)
def test_a_client_portal_gateway_within_reach(
    tmp_path: Path, status: int, body: object, level: Level, said: str
) -> None:
    with a_portal(status, body) as port:
        portal = around_the_gate(place(tmp_path, client_portal=port))[0]
    assert (portal.level, said in portal.message) == (level, True)
    assert level is Level.WARN or "another user" in portal.action


def test_a_tws_port_that_answers_fails(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as tws:
        port = int(tws.getsockname()[1])
        found = around_the_gate(place(tmp_path, tws_ports={port: "IB Gateway", free_port(): "x"}))
    (one,) = failed(found)
    assert one.name == f"IB Gateway (127.0.0.1:{port})"


@pytest.mark.parametrize(
    "running", ["c:\\program files\\metatrader 5\\terminal64.exe", "/wine/terminal64.exe"]
)
def test_a_terminal_of_the_same_user_fails(tmp_path: Path, running: str) -> None:
    (one,) = failed(around_the_gate(place(tmp_path, processes=lambda: ("bash", running))))
    assert one.name == "MetaTrader terminal"


def test_processes_that_cannot_be_listed_prove_nothing(tmp_path: Path) -> None:
    def broken() -> tuple[str, ...]:
        raise OSError("no /proc")

    (one,) = failed(around_the_gate(place(tmp_path, processes=broken)))
    assert "cannot be listed" in one.message


@pytest.mark.parametrize(
    "name", ["CRYPTO_API_KEY", "BINANCE_API_SECRET", "MT5_PASSWORD", "ANGEL_TOTP_SECRET"]
)
def test_a_brokers_key_in_the_agents_environment_fails(tmp_path: Path, name: str) -> None:
    found = failed(around_the_gate(place(tmp_path, environ={name: "do-not-show"})))
    assert [one.name for one in found] == [name]
    assert "do-not-show" not in repr(found)


@pytest.mark.parametrize("name", [".env", "ordergate.toml", "audit.key", "new.key"])
def test_who_can_read_the_gates_files_is_the_gate(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    (one,) = failed(around_the_gate(place(tmp_path, config_dir=tmp_path)))
    assert name in one.message
    assert "passkey" in one.action


def test_the_books_count_too(tmp_path: Path) -> None:
    (tmp_path / "gate.db").write_text("x")
    assert "gate.db" in failed(around_the_gate(place(tmp_path, data_dir=tmp_path)))[0].message


@pytest.mark.skipif(os.name != "posix", reason="seen through /proc or ps")
def test_our_own_process_is_among_our_own() -> None:
    assert any("python" in name for name in own_processes())


def test_doctor_as_agent_fails_by_its_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def look(level: Level) -> Any:
        return lambda: [Finding(level, "TWS", "can be reached", "another user")]

    assert ordergate(tmp_path, "doctor", "--as-agent", "--json", around=look(Level.FAIL)) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["data"][0]["level"] == "FAIL"
    assert ordergate(tmp_path, "doctor", "--as-agent", around=look(Level.PASS)) == 0
