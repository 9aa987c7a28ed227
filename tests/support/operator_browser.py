"""A browser's side of the operator's console: its headers, its cookie, its forms."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx

from ordergate.surfaces.console.app import console_app
from support.operator_desk import FakeGate
from support.sign_ins import ORIGIN, Identity, with_identity


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
    codes: list[str] = field(default_factory=list)
    csrf: str = ""

    async def sign_in(self) -> None:
        """Make the operator and sign in as the CLI does; httpx keeps no Secure cookie over http."""
        await self.make_operator()
        who = {"name": "alice", "password": self.password, "code": self.codes.pop()}
        reply = await self.post("/operator/sign-in", json=who)
        assert reply.status_code == 200, reply.text
        self.csrf = reply.json()["data"]["csrf"]

    async def make_operator(self) -> None:
        made = await self.identity.sign_in.init_operator("alice")
        self.password, self.codes = made.password, list(made.recovery_codes)

    async def act(self, path: str, fields: dict[str, Any] | None = None) -> httpx.Response:
        """Do what needs a fresh factor: with the next recovery code."""
        return await self.post(path, json={**(fields or {}), "code": self.codes.pop()})

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.http.get(path, **more)

    async def post(self, path: str, **more: Any) -> httpx.Response:
        """Write as a page of ours does: exact Origin, CSRF token where there is one."""
        headers = {"Origin": ORIGIN, "X-CSRF-Token": self.csrf, **more.pop("headers", {})}
        return await self.http.post(path, headers=headers, **more)

    async def submit(self, page: str, action: str, **typed: str) -> httpx.Response:
        """Open a page, fill the form with this action, send it, and follow where it leads."""
        form = forms_of((await self.get(page)).text)[action]
        if "assertion" in form.fields:
            typed = {"code": self.codes.pop(), **typed}
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
            keeps_its_cookie(http)
            await scene(Browser(http, gate, identity))

    with_identity(path, play)


def keeps_its_cookie(http: httpx.AsyncClient) -> None:
    """Send the newest cookie, as a browser would; httpx keeps no Secure cookie over http."""

    async def keep(reply: httpx.Response) -> None:
        told = reply.headers.get("set-cookie", "").partition(";")[0]
        if told.partition("=")[2]:
            http.headers["Cookie"] = told
        http.cookies.clear()

    http.event_hooks["response"].append(keep)


def visible_text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())
