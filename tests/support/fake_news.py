"""News services as their makers describe them, with a memory and with faults; nothing of ours.

Tavily: POST /search, Bearer key; 400 without a query, 401, 429, 432. NewsAPI: GET /v2/everything,
X-Api-Key; 401 apiKeyInvalid, 400 parametersMissing without q. RSS 2.0 as RSSboard.org has it.
"""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "tvly-a-key-nobody-may-see"
TOPICS = ("general", "news", "finance")


def story(title: str, text: str, *, host: str = "paper.example", at: str = "") -> dict[str, str]:
    return {"title": title, "text": text, "url": f"https://{host}/story", "at": at}


@dataclass
class Newsroom:
    """What is told, what was asked, and what is to go wrong."""

    stories: list[dict[str, str]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    fault: str = ""  # 401 429 432 500 slow redirect huge gzip html wrong
    slow_s: float = 3.0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Answering(BaseHTTPRequestHandler):
    room: Newsroom

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", "0"))))
        self.room.asked.append(body)
        if self._faulty() or self.path != "/search":
            return
        if self.headers.get("authorization") != f"Bearer {KEY}":
            self._say(401, {"detail": {"error": "Unauthorized: missing or invalid API key."}})
        elif not body.get("query") or body.get("topic") not in TOPICS:
            self._say(400, {"detail": {"error": "Invalid request."}})
        else:
            results = [
                {
                    "title": one["title"],
                    "url": one["url"],
                    "content": one["text"],
                    "score": 0.8125,
                    **({"published_date": one["at"]} if body["topic"] == "news" else {}),
                }
                for one in self.room.stories
            ]
            found = {"query": body["query"], "results": results[: body.get("max_results", 5)]}
            self._say(200, {**found, "response_time": 0.1, "images": [], "answer": None})

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.room.asked.append({"path": parts.path, **asked})
        if self._faulty():
            return
        if parts.path == "/rss":
            self._say(200, _rss(self.room.stories))
        elif self.headers.get("x-api-key") != KEY:
            self._say(401, {"status": "error", "code": "apiKeyInvalid", "message": "Your key."})
        elif "q" not in asked:
            self._say(400, {"status": "error", "code": "parametersMissing", "message": "No q."})
        else:
            articles = [
                {
                    "source": {"id": None, "name": "Paper"},
                    "author": None,
                    "title": one["title"],
                    "description": one["text"],
                    "url": one["url"],
                    "urlToImage": None,
                    "publishedAt": one["at"],
                    "content": one["text"],
                }
                for one in self.room.stories
            ]
            self._say(200, {"status": "ok", "totalResults": 9, "articles": articles})

    def _faulty(self) -> bool:
        match self.room.fault:
            case "":
                return False
            case "slow":
                time.sleep(self.room.slow_s)
                return False
            case "redirect":
                self.send_response(302)
                self.send_header("location", "http://169.254.169.254/latest/meta-data/")
                self.end_headers()
            case "huge":
                self._say(200, b"[" + b"0," * 1_000_000 + b"0]")
            case "gzip":
                self._say(200, gzip.compress(b"{}" * 1_000), encoding="gzip")
            case "html":
                self._say(200, b"<html>hello</html>")
            case "wrong":
                self._say(200, {"results": {"not": "a list"}, "articles": 7})
            case status:
                self._say(int(status), {"detail": {"error": f"the key {KEY} is bad"}})
        return True

    def _say(self, status: int, answer: Any, *, encoding: str = "") -> None:
        raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        if encoding:
            self.send_header("content-encoding", encoding)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        with suppress(OSError):  # the client may have left
            self.wfile.write(raw)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""


def _rss(stories: list[dict[str, str]]) -> bytes:
    items = "".join(
        f"<item><title><![CDATA[{one['title']}]]></title>"
        f"<description><![CDATA[{one['text']}]]></description>"
        f"<link>{one['url']}</link><pubDate>{one['at']}</pubDate></item>"
        for one in stories
    )
    head = '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>t</title>'
    return f"{head}<link>https://x.example</link>{items}</channel></rss>".encode()


@contextmanager
def newsroom() -> Iterator[Newsroom]:
    """Serve all of them on one port of this machine."""
    room = Newsroom()
    handler = type("Handler", (_Answering,), {"room": room})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    room.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield room
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
