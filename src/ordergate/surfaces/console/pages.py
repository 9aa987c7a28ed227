"""The operator's pages: server-rendered, no script, a form for every act."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from ordergate.identity.sign_in import SignIn
from ordergate.model.accounts import Mode
from ordergate.model.errors import Code, DataUnavailable, GateError, Unauthenticated
from ordergate.model.principals import Principal
from ordergate.model.records import ScopeKind
from ordergate.model.values import OrderId, TicketId
from ordergate.order.desk import Desk
from ordergate.order.gateway import Gateway
from ordergate.surfaces.console.acts import scope_of
from ordergate.surfaces.console.answers import status_of
from ordergate.surfaces.console.drafts_page import draft_card
from ordergate.surfaces.console.entry import (
    COOKIE,
    Entry,
    Visit,
    drop_cookie,
    keep_cookie,
    only,
    path_id,
    read_form,
    text,
)
from ordergate.surfaces.console.frame import (
    LABELS,
    Frame,
    card,
    page,
    sign_in_form,
)
from ordergate.surfaces.console.halts_page import engage_card, halt_card
from ordergate.surfaces.console.home_page import Desktop, home_content
from ordergate.surfaces.console.markup import Child, tag
from ordergate.surfaces.console.ticket_page import (
    order_content,
    ticket_content,
)

# Where a sign-in may lead back to: pages of ours, never another host.
_BACK: Final = re.compile(
    r"/(?:alerts|drafts|halts|arming|(?:approve|orders)/[A-Za-z0-9_.:-]{1,80})?", re.ASCII
)


class Pages:
    """Endpoints for a person with a browser."""

    def __init__(self, *, desk: Desk, gateway: Gateway, sign_in: SignIn) -> None:
        self._desk = desk
        self._gateway = gateway
        self._sign_in = sign_in
        self._entry = Entry(sign_in)

    def routes(self) -> list[Route]:
        table = [
            ("GET", "/", self.home),
            ("GET", "/sign-in", self.sign_in_form),
            ("POST", "/sign-in", self.sign_in),
            ("POST", "/sign-out", self.sign_out),
            ("GET", "/approve/{id}", self.approval),
            ("POST", "/approve/{id}/yes", self.approve),
            ("POST", "/approve/{id}/no", self.deny),
            ("GET", "/orders/{id}", self.order),
            ("POST", "/orders/{id}/placed", self.placed),
            ("POST", "/orders/{id}/not-placed", self.not_placed),
            ("POST", "/limits/{name}/loosen", self.loosen),
            ("POST", "/limits/{name}/withdraw", self.withdraw_loosening),
            ("GET", "/drafts", self.drafts),
            ("POST", "/drafts/{id}/submit", self.submit_draft),
            ("POST", "/drafts/{id}/discard", self.discard_draft),
            ("GET", "/halts", self.halts),
            ("POST", "/halts", self.engage),
            ("POST", "/halts/{id}/release", self.release),
        ]
        return [Route(path, act, methods=[method]) for method, path, act in table]

    async def home(self, request: Request) -> Response:
        visit = await self._entry.visit(request)
        frame = await self._frame(visit)
        desktop = Desktop(
            asks=await self._desk.waiting(),
            drafts=await self._desk.drafts(),
            parked=await self._desk.parked(),
            safety=await self._gateway.safety(),
        )
        content = home_content(desktop, csrf=frame.csrf, now=visit.now)
        return _shown("Desk", *content, frame=frame)

    async def loosen(self, request: Request) -> Response:
        visit, fields = await self._writer(request, "reason")
        await self._desk.loosen(
            path_id(request, "name"), reason=text(fields, "reason"), operator=visit.operator
        )
        return _to("/")

    async def withdraw_loosening(self, request: Request) -> Response:
        visit, fields = await self._writer(request, "reason")
        await self._desk.withdraw_loosening(
            path_id(request, "name"), reason=text(fields, "reason"), operator=visit.operator
        )
        return _to("/")

    async def placed(self, request: Request) -> Response:
        return await self._resolve(request, placed=True)

    async def not_placed(self, request: Request) -> Response:
        return await self._resolve(request, placed=False)

    async def _resolve(self, request: Request, *, placed: bool) -> Response:
        visit, fields = await self._writer(request, "reason")
        view = await self._desk.resolve(
            OrderId(path_id(request, "id")),
            placed=placed,
            reason=text(fields, "reason"),
            operator=visit.operator,
        )
        return _to(f"/orders/{view.order.order_id}")

    async def sign_in_form(self, request: Request) -> Response:
        return await self._sign_in_page(back=_back(request.query_params.get("next", "/")))

    async def sign_in(self, request: Request) -> Response:
        fields = await read_form(request)
        only(fields, "name", "password", "next")
        back = _back(fields.get("next", "/"))
        try:
            _, cookie = await self._sign_in.sign_in(
                name=text(fields, "name"),
                password=text(fields, "password"),
                address=request.client.host if request.client else "",
            )
        except GateError as error:
            return await self._sign_in_page(back=back, fault=error)
        response = RedirectResponse(back, status_code=303)
        keep_cookie(response, cookie)
        return response

    async def sign_out(self, request: Request) -> Response:
        await self._writer(request)
        await self._sign_in.sign_out(request.cookies[COOKIE])
        response = RedirectResponse("/sign-in", status_code=303)
        drop_cookie(response)
        return response

    async def approval(self, request: Request) -> Response:
        visit = await self._entry.visit(request)
        view = await self._desk.ticket(TicketId(path_id(request, "id")))
        frame = await self._frame(visit)
        moved = "moved" in request.query_params
        content = ticket_content(view, frame=frame, now=visit.now, moved=moved)
        return _shown("Approval", *content, frame=frame)

    async def approve(self, request: Request) -> Response:
        visit, fields = await self._writer(request, "fingerprint")
        ticket_id = TicketId(path_id(request, "id"))
        view = await self._desk.approve(
            ticket_id,
            fingerprint=text(fields, "fingerprint"),
            operator=visit.operator,
            proof=visit.proof,
        )
        if view.order.code == Code.NEEDS_REAPPROVAL and view.ticket is not None:
            return _to(f"/approve/{view.ticket.ticket_id}?moved")
        return _to(f"/orders/{view.order.order_id}")

    async def deny(self, request: Request) -> Response:
        visit, fields = await self._writer(request, "reason")
        view = await self._desk.deny(
            TicketId(path_id(request, "id")),
            reason=text(fields, "reason", default=""),
            operator=visit.operator,
        )
        return _to(f"/orders/{view.order.order_id}")

    async def order(self, request: Request) -> Response:
        visit = await self._entry.visit(request)
        order_id = OrderId(path_id(request, "id"))
        view = await self._gateway.status(order_id, asker=visit.operator)
        frame = await self._frame(visit)
        mode = LABELS[frame.mode] if frame.mode else "unknown"
        return _shown("Order", *order_content(view, mode=mode), frame=frame)

    async def drafts(self, request: Request) -> Response:
        visit = await self._entry.visit(request)
        frame = await self._frame(visit)
        cards = [
            draft_card(view, self._gateway.price(view.order.symbol), csrf=frame.csrf)
            for view in await self._desk.drafts()
        ]
        return _shown("Drafts", cards or tag("p", "No draft waits."), frame=frame)

    async def submit_draft(self, request: Request) -> Response:
        visit, _ = await self._writer(request)
        order_id = OrderId(path_id(request, "id"))
        view = await self._desk.submit_draft(order_id, operator=visit.operator)
        return _to(f"/orders/{view.order.order_id}")

    async def discard_draft(self, request: Request) -> Response:
        visit, _ = await self._writer(request)
        await self._desk.discard_draft(OrderId(path_id(request, "id")), operator=visit.operator)
        return _to("/drafts")

    async def halts(self, request: Request) -> Response:
        visit = await self._entry.visit(request)
        frame = await self._frame(visit)
        cards = [halt_card(halt, csrf=frame.csrf) for halt in await self._desk.halts()]
        return _shown(
            "Halts",
            cards or tag("p", "No halt is in force."),
            engage_card(csrf=frame.csrf),
            frame=frame,
        )

    async def engage(self, request: Request) -> Response:
        visit, fields = await self._writer(request, "reason")
        await self._gateway.engage(
            scope=scope_of(ScopeKind.GLOBAL),
            target="",
            reason=text(fields, "reason"),
            asker=visit.operator,
        )
        return _to("/halts")

    async def release(self, request: Request) -> Response:
        visit, fields = await self._writer(request, "reason")
        await self._desk.release(
            path_id(request, "id"), reason=text(fields, "reason"), operator=visit.operator
        )
        return _to("/halts")

    async def refused(self, request: Request, error: GateError) -> Response:
        """Return the page of a "no"; who is not signed in is sent to sign in."""
        if isinstance(error, Unauthenticated):
            return _sign_in_first(request)
        fix = tag("p", error.fix) if error.fix else None
        back = tag("p", tag("a", "To the desk", href="/"))
        content = card(error.code.replace("_", " ").capitalize(), fix, back)
        happened = error.message[:1].upper() + error.message[1:]
        return HTMLResponse(page(happened, content, frame=None), status_code=status_of(error))

    async def _sign_in_page(self, *, back: str, fault: GateError | None = None) -> Response:
        said = [fault.message, fault.fix] if fault else []
        if not fault and not await self._sign_in.operator_exists():
            said = ["No operator exists yet.", "Run `ordergate operator init` on this machine."]
        content = sign_in_form(back)
        notices = [tag("p", words, class_="notice", role="alert") for words in said if words]
        return HTMLResponse(
            page("Sign in", notices, content, frame=None),
            status_code=status_of(fault) if fault else 200,
        )

    async def _writer(self, request: Request, *known: str) -> tuple[Visit, Mapping[str, str]]:
        fields = await read_form(request)
        visit = await self._entry.write(request, fields.get("csrf", ""))
        only(fields, "csrf", *known)
        return visit, fields

    async def _frame(self, visit: Visit) -> Frame:
        safety = await self._gateway.safety()
        return Frame(
            mode=await self._mode(visit.operator),
            killed=safety.killed,
            operator=visit.operator.name,
            csrf=visit.session.csrf,
        )

    async def _mode(self, operator: Principal) -> Mode | None:
        try:
            return (await self._gateway.account(asker=operator)).identity.mode
        except DataUnavailable:
            return None


def _shown(title: str, *content: Child, frame: Frame) -> HTMLResponse:
    return HTMLResponse(page(title, *content, frame=frame))


def _to(path: str) -> RedirectResponse:
    return RedirectResponse(path, status_code=303)


def _back(path: str) -> str:
    return path if _BACK.fullmatch(path) else "/"


def _sign_in_first(request: Request) -> Response:
    """Send to the sign-in page. A link followed from elsewhere comes without the strict cookie,
    so the page is opened once more, from here, before anyone is asked to sign in."""
    here = _back(request.url.path if request.method == "GET" else "/")
    if request.headers.get("sec-fetch-site") == "cross-site" and request.method == "GET":
        link = tag("p", tag("a", "Continue", href=here))
        return HTMLResponse(page("Opening", link, frame=None, refresh=here))
    return _to(f"/sign-in?next={here}")
