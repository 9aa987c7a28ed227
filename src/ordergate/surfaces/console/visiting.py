"""What every page does first and last: read the form, prove who acts, frame the answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from ordergate.identity.authority import Act
from ordergate.identity.factors.challenges import Purpose
from ordergate.identity.sign_in import SignIn
from ordergate.model.accounts import Mode
from ordergate.model.errors import DataUnavailable
from ordergate.model.principals import Principal
from ordergate.order.gateway import Gateway
from ordergate.surfaces.console.entry import FACTOR, Entry, Visit, only, read_form, shown_in, text
from ordergate.surfaces.console.frame import Frame, page
from ordergate.surfaces.console.guard import SCRIPTED
from ordergate.surfaces.console.markup import Child

# Where a sign-in may lead back to: pages of ours, never another host.
_BACK: Final = re.compile(
    r"/(?:alerts|arming|drafts|halts|security|(?:approve|orders)/[A-Za-z0-9_.:-]{1,80})?", re.ASCII
)


class Visiting:
    """The way into and out of a page."""

    def __init__(self, *, gateway: Gateway, sign_in: SignIn) -> None:
        self._gateway = gateway
        self._sign_in = sign_in
        self._entry = Entry(sign_in)

    async def visit(self, request: Request) -> Visit:
        return await self._entry.visit(request)

    async def writer(self, request: Request, *known: str) -> tuple[Visit, Mapping[str, str]]:
        """Return who writes and the form's fields."""
        fields = await read_form(request)
        visit = await self._entry.write(request, fields.get("csrf", ""))
        only(fields, "csrf", *known)
        return visit, fields

    async def actor(
        self, request: Request, act: Act, target: str, known: str | None = None
    ) -> tuple[Visit, str]:
        """Return who acts and the text of the field `known`, after a fresh factor was shown.

        A form that is not filled in uses no factor up.
        """
        visit, fields = await self.writer(request, *FACTOR, *([known] if known else []))
        said = text(fields, known) if known else ""
        purpose = Purpose(act=act.value, target=target)
        return await self._entry.prove(request, visit, purpose, shown_in(fields)), said

    async def frame(self, visit: Visit) -> Frame:
        safety = await self._gateway.safety()
        held = await self._sign_in.factors.passkeys_of(visit.operator.id)
        return Frame(
            mode=await self._mode(visit.operator),
            killed=safety.killed,
            operator=visit.operator.name,
            csrf=visit.session.csrf,
            passkeys=bool(held),
        )

    async def _mode(self, operator: Principal) -> Mode | None:
        try:
            return (await self._gateway.account(asker=operator)).identity.mode
        except DataUnavailable:
            return None


def shown(title: str, *content: Child, frame: Frame | None, script: bool = False) -> HTMLResponse:
    """Answer with a page; only one that asks a passkey may run a script, and only ours."""
    response = HTMLResponse(page(title, *content, frame=frame, script=script))
    if script:
        response.headers["content-security-policy"] = SCRIPTED
    return response


def to(path: str) -> RedirectResponse:
    return RedirectResponse(path, status_code=303)


def back(path: str) -> str:
    return path if _BACK.fullmatch(path) else "/"
