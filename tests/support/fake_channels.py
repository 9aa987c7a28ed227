"""Messengers as their makers describe them, with a memory and with faults; nothing of ours.

ntfy: https://docs.ntfy.sh/publish/#publish-as-json. Telegram: https://core.telegram.org/bots/api#sendmessage.
A webhook takes any JSON. SMTP: RFC 5321, as far as a client that sends one message goes.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from support.loopback_http import answering

BOT = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0"
TEXT_MAX = 4096


@dataclass(frozen=True)
class Taken:
    """One request that a service took."""

    service: str
    at: float
    body: dict[str, Any]
    headers: dict[str, str]
    raw: bytes = b""

    @property
    def words(self) -> str:
        return " ".join(str(self.body.get(name, "")) for name in ("title", "message", "text"))


@dataclass
class Services:
    """What was taken, and what is to go wrong: one fault for each request, then none."""

    taken: list[Taken] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)  # "500", "slow", "lost", "redirect"
    always: str = ""
    slow_s: float = 3.0
    beats: list[float] = field(default_factory=list)
    port: int = 0

    def wait_for(self, words: str, *, within_s: float, after: int = 0) -> Taken:
        """Return the first message with these words; fail when none comes in time."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            for one in self.taken[after:]:
                if words in one.words:
                    return one
            time.sleep(0.02)
        raise AssertionError(f"{words!r} did not come: {[one.words for one in self.taken]}")

    def next_fault(self) -> str:
        return self.always or (self.faults.pop(0) if self.faults else "")


class _Answering(BaseHTTPRequestHandler):
    services: Services

    def do_GET(self) -> None:
        self.services.beats.append(time.monotonic())
        self._say(302 if self.services.always == "redirect" else 200, {"ok": True})

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", "0")))
        fault = self.services.next_fault()
        if fault == "500":
            self._say(500, {"code": 50001, "error": "internal server error"})
            return
        if fault == "redirect":
            self._say(302, {})
            return
        if fault == "slow":
            time.sleep(self.services.slow_s)
        try:
            body = json.loads(raw)
        except ValueError:
            self._say(400, {"code": 40024, "error": "request body must be message JSON"})
            return
        status, answer, service = self._judged(body)
        if status == 200:
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.services.taken.append(Taken(service, time.monotonic(), body, headers, raw))
        if fault == "lost":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._say(status, answer)

    def _judged(self, body: dict[str, Any]) -> tuple[int, dict[str, Any], str]:
        if self.path.startswith("/bot"):
            return *_telegram(self.path, body), "telegram"
        if self.path == "/":
            return *_ntfy(body), "ntfy"
        return 200, {"ok": True}, "webhook"

    def _say(self, status: int, answer: dict[str, Any]) -> None:
        raw = json.dumps(answer).encode()
        self.send_response(status)
        if status == 302:
            self.send_header("location", f"http://127.0.0.1:{self.services.port}/elsewhere")
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""


def _ntfy(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    if not isinstance(body.get("topic"), str) or not body["topic"]:
        return 400, {"code": 40009, "error": "topic invalid"}
    kept = {"id": "x", "time": 1, "event": "message", **body}
    return 200, kept


def _telegram(path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    if path != f"/bot{BOT}/sendMessage":
        return 401, {"ok": False, "error_code": 401, "description": "Unauthorized"}
    if "chat_id" not in body:
        return 400, {"ok": False, "error_code": 400, "description": "chat_id is empty"}
    text = body.get("text", "")
    if not text or len(text) > TEXT_MAX:
        return 400, {"ok": False, "error_code": 400, "description": "message text is wrong"}
    return 200, {"ok": True, "result": {"message_id": 1, "text": text}}


@contextmanager
def services(port: int = 0) -> Iterator[Services]:
    """Serve all of them on one port of this machine."""
    state = Services()
    handler = type("Handler", (_Answering,), {"services": state})
    with answering(handler, port) as state.port:
        yield state


@contextmanager
def mail() -> Iterator[tuple[int, list[str]]]:
    """Serve SMTP on a port of this machine; yield it and the messages it took."""
    letters: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(5)
                _converse(connection, letters)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], letters
    finally:
        over.set()
        thread.join(5)
        listener.close()


def _converse(connection: socket.socket, letters: list[str]) -> None:
    lines = connection.makefile("rb")
    connection.sendall(b"220 mail.test ESMTP\r\n")
    for raw in lines:
        verb = raw[:4].upper()
        if verb == b"DATA":
            connection.sendall(b"354 go on\r\n")
            letter = b""
            for line in lines:
                if line == b".\r\n":
                    break
                letter += line
            letters.append(letter.decode())
        if verb == b"QUIT":
            connection.sendall(b"221 bye\r\n")
            return
        connection.sendall(b"250 ok\r\n")
