"""A browser's side of the operator's console: its headers, its cookie, its forms."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx

from ordergate.surfaces.console.app import console_app
from support.operator_desk import FakeGate
from support.sign_ins import Identity, with_identity

ORIGIN = "http://ordergate.localhost:8030"


@dataclass
class Form:
    action: str
    fields: dict[str, str]


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self.forms.append(Form(found["action"] or "", {}))
        elif tag == "input" and self.forms:
            self.forms[-1].fields[found["name"] or ""] = found.get("value") or ""


def forms_of(html: str) -> dict[str, Form]:
    """Return the forms of a page by action."""
    parser = _Forms()
    parser.feed(html)
    return {form.action: form for form in parser.forms}


@dataclass
class Browser:
    http: httpx.AsyncClient
    gate: FakeGate
    identity: Identity
    password: str = ""
    csrf: str = ""

    async def sign_in(self) -> None:
        """Make the operator and sign in as the CLI does; httpx keeps no Secure cookie over http."""
        self.password = await self.identity.sign_in.init_operator("alice")
        reply = await self.post(
            "/operator/sign-in", json={"name": "alice", "password": self.password}
        )
        assert reply.status_code == 200, reply.text
        self.http.headers["Cookie"] = reply.headers["set-cookie"].partition(";")[0]
        self.csrf = reply.json()["data"]["csrf"]

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.http.get(path, **more)

    async def post(self, path: str, **more: Any) -> httpx.Response:
        """Write as a page of ours does: exact Origin, CSRF token where there is one."""
        headers = {"Origin": ORIGIN, "X-CSRF-Token": self.csrf, **more.pop("headers", {})}
        return await self.http.post(path, headers=headers, **more)

    async def submit(self, page: str, action: str, **typed: str) -> httpx.Response:
        """Open a page, fill the form with this action, send it, and follow where it leads."""
        form = forms_of((await self.get(page)).text)[action]
        sent = await self.http.post(
            action,
            data={**form.fields, **typed},
            headers={"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"},
        )
        return await self.get(sent.headers["location"]) if sent.status_code == 303 else sent


def with_browser(path: Path, scene: Callable[[Browser], Awaitable[None]], **more: Any) -> None:
    """Play a scene in front of a console over a fake gate and a real identity store."""

    async def play(identity: Identity) -> None:
        gate = FakeGate(identity.clock)
        app = console_app(
            desk=gate,  # type: ignore[arg-type]  # answers as Desk and Gateway do
            gateway=gate,  # type: ignore[arg-type]
            sign_in=identity.sign_in,
            origins=frozenset({ORIGIN}),
            **more,
        )
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
            await scene(Browser(http, gate, identity))

    with_identity(path, play)


def visible_text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())
