"""A gateway as the commands see one: REST and operator listener on one port, canned answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ordergate.adapters.system import SystemClock
from ordergate.model.errors import NotFound
from ordergate.surfaces.cli.app import run
from ordergate.surfaces.cli.attach import read_token
from ordergate.surfaces.cli.running import Note, hold, leave_note
from ordergate.surfaces.cli.starts import DataStarts, Finding, Starts

TOKEN = "og_ag_00000000_test"
PASSWORD = "correct horse battery"
SIGN_IN_CODE = "111111"
ACT_CODE = "222222"
STDIN = f"{PASSWORD}\n{SIGN_IN_CODE}\n{ACT_CODE}\n"
CSRF = "csrf-of-this-session"
COOKIE = "__Host-ordergate=session-1"


def ok(content: object) -> dict[str, Any]:
    return {"ok": True, "data": content, "error": None}


def refused(code: str, message: str = "no", *, fix: str = "", **details: Any) -> dict[str, Any]:
    error = {
        "code": code,
        "message": message,
        "retryable": False,
        "requires_human": False,
        "details": details,
        "fix": fix,
    }
    return {"ok": False, "data": None, "error": error}


@dataclass
class CannedGateway:
    """Answers what it was told to; remembers what it was asked."""

    answers: dict[str, Any] = field(default_factory=dict)  # "tool" or "METHOD /path" -> envelope
    calls: list[tuple[str, Any]] = field(default_factory=list)
    cut: set[str] = field(default_factory=set)  # tools whose answer gets lost
    signed_out: int = 0

    def reply(self, method: str, path: str, headers: Mapping[str, str], body: Any) -> Any:
        if path == "/readyz":
            return ok({})
        if path.startswith("/api/v1/call/"):
            tool = path.rpartition("/")[2]
            self.calls.append((tool, body))
            if headers.get("Authorization") != f"Bearer {TOKEN}":
                return refused("UNAUTHENTICATED", "no such token")
            return self.answers.get(tool, refused("RESOURCE_NOT_FOUND", tool))
        return self._operator(method, path, headers, body)

    def _operator(self, method: str, path: str, headers: Mapping[str, str], body: Any) -> Any:
        origin = f"http://{headers['Host']}"
        if "Authorization" in headers or not headers["Host"].startswith("ordergate.localhost:"):
            return refused("FORBIDDEN", "the wall")
        if method != "GET" and headers.get("Origin") != origin:
            return refused("FORBIDDEN", "the origin")
        if path == "/operator/sign-in":
            good = body["password"] == PASSWORD and body["code"] == SIGN_IN_CODE
            return ok({"csrf": CSRF}) if good else refused("UNAUTHENTICATED", "wrong password")
        if headers.get("Cookie") != COOKIE:
            return refused("UNAUTHENTICATED", "not signed in")
        if method != "GET" and headers.get("X-CSRF-Token") != CSRF:
            return refused("FORBIDDEN", "the CSRF token")
        if path == "/operator/sign-out":
            self.signed_out += 1
            return ok({})
        self.calls.append((f"{method} {path}", body))
        return self.answers.get(f"{method} {path}", refused("RESOURCE_NOT_FOUND", path))


class _Handler(BaseHTTPRequestHandler):
    gateway: CannedGateway
    protocol_version = "HTTP/1.1"

    def _any(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = self.gateway.reply(
            self.command, self.path, dict(self.headers), json.loads(raw) if raw else None
        )
        if self.path.rpartition("/")[2] in self.gateway.cut:
            self.close_connection = True
            return
        text = answer if isinstance(answer, str) else json.dumps(answer)
        self.send_response(200 if isinstance(answer, str) or answer["ok"] else 400)
        if self.path == "/operator/sign-in":
            self.send_header("Set-Cookie", f"{COOKIE}; Path=/; Secure; HttpOnly; SameSite=Strict")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_POST = do_DELETE = _any  # noqa: N815 - the names the base class calls

    def log_message(self, format: str, *args: Any) -> None:
        del format, args


@contextmanager
def serving(gateway: CannedGateway) -> Iterator[int]:
    """Serve on a free port of 127.0.0.1; yield the port."""
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), type("Handler", (_Handler,), {"gateway": gateway})
    )
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def running_gateway(data_dir: Path, gateway: CannedGateway) -> Iterator[None]:
    """Own the directory and leave the note, as `ordergate up` does."""
    with serving(gateway) as port, hold(data_dir):
        token = data_dir / "agent.token"
        token.write_text(TOKEN)
        token.chmod(0o600)
        leave_note(
            data_dir,
            Note(
                pid=1,
                started_at="2026-01-07T14:00:00Z",
                paper_only=False,
                rest_url=f"http://127.0.0.1:{port}",
                mcp_url=f"http://127.0.0.1:{port}",
                console_url=f"http://ordergate.localhost:{port}",
            ),
        )
        yield


def starts_for(data_dir: Path, **others: Any) -> Starts:
    """Return starts on a data directory; what a test does not need refuses."""

    def nothing(*_: object) -> Any:
        raise NotFound("nothing here")

    plain: dict[str, Any] = {
        "up": nothing,
        "mcp": nothing,
        "data_dir": lambda: data_dir,
        "token": lambda file: read_token(file or data_dir / "agent.token"),
        "init_operator": nothing,
        "verify_audit": nothing,
        "receipt": nothing,
        "segments": nothing,
        "rotate_key": nothing,
        "simulate": nothing,
        "rejudge": nothing,
        "leakage": nothing,
        "backtest": nothing,
        "set_aside": nothing,
        "settings": list,
        "doctor": list[Finding],
        "watch": nothing,
        "phone": nothing,
        "now": SystemClock().now,
        "monotonic": SystemClock().monotonic,
        "client_environment": dict,
        "data": DataStarts(take=nothing, listing=nothing, check=nothing, download=nothing),
        "look_back": nothing,
    }
    return Starts(**{**plain, **others})


def ordergate(data_dir: Path, *arguments: str, **others: Any) -> int:
    """Run one command; its output goes where pytest catches it."""
    return run(starts_for(data_dir, **others), list(arguments))
