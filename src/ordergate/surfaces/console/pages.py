"""The operator's pages: server-rendered, no script, a form for every act."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from ordergate.identity.authority import Act
from ordergate.identity.factors.prove import FactorNeeded
from ordergate.identity.sign_in import SignIn
from ordergate.model.errors import Code, GateError, Unauthenticated
from ordergate.model.records import ScopeKind
from ordergate.model.values import OrderId, TicketId
from ordergate.order.desk import Desk
from ordergate.order.gateway import Gateway
from ordergate.surfaces.console.acts import scope_of, seen
from ordergate.surfaces.console.answers import status_of
from ordergate.surfaces.console.drafts_page import draft_card
from ordergate.surfaces.console.entry import path_id, text
from ordergate.surfaces.console.frame import LABELS, card, page
from ordergate.surfaces.console.halts_page import engage_card, halt_card
from ordergate.surfaces.console.home_page import Desktop, home_content
from ordergate.surfaces.console.markup import tag
from ordergate.surfaces.console.ticket_page import Altered, order_content, ticket_content
from ordergate.surfaces.console.visiting import Visiting, back, shown, to


class Pages:
    """Endpoints for a person with a browser."""

    def __init__(self, *, desk: Desk, gateway: Gateway, sign_in: SignIn) -> None:
        self._desk = desk
        self._gateway = gateway
        self._visiting = Visiting(gateway=gateway, sign_in=sign_in)

    def routes(self) -> list[Route]:
        table = [
            ("GET", "/", self.home),
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
        visit = await self._visiting.visit(request)
        frame = await self._visiting.frame(visit)
        desktop = Desktop(
            asks=await self._desk.waiting(),
            drafts=await self._desk.drafts(),
            parked=await self._desk.parked(),
            safety=await self._gateway.safety(),
        )
        content = home_content(desktop, frame=frame, now=visit.now)
        return shown("Desk", *content, frame=frame, script=frame.passkeys)

    async def loosen(self, request: Request) -> Response:
        name = path_id(request, "name")
        visit, reason = await self._visiting.actor(request, Act.LOOSEN, name, "reason")
        await self._desk.loosen(name, reason=reason, operator=visit.operator)
        return to("/")

    async def withdraw_loosening(self, request: Request) -> Response:
        visit, fields = await self._visiting.writer(request, "reason")
        await self._desk.withdraw_loosening(
            path_id(request, "name"), reason=text(fields, "reason"), operator=visit.operator
        )
        return to("/")

    async def placed(self, request: Request) -> Response:
        return await self._resolve(request, placed=True)

    async def not_placed(self, request: Request) -> Response:
        return await self._resolve(request, placed=False)

    async def _resolve(self, request: Request, *, placed: bool) -> Response:
        order_id = OrderId(path_id(request, "id"))
        visit, reason = await self._visiting.actor(request, Act.RESOLVE, order_id, "reason")
        view = await self._desk.resolve(
            order_id,
            placed=placed,
            reason=reason,
            operator=visit.operator,
        )
        return to(f"/orders/{view.order.order_id}")

    async def approval(self, request: Request) -> Response:
        visit = await self._visiting.visit(request)
        view = await self._desk.ticket(TicketId(path_id(request, "id")))
        frame = await self._visiting.frame(visit)
        ticket_id = view.ticket.ticket_id
        altered = Altered(
            before=await self._desk.changes(ticket_id),
            since=await self._desk.changes_since(ticket_id),
        )
        anchor = await self._desk.anchor()
        content = ticket_content(view, altered, frame=frame, now=visit.now, anchor=anchor)
        return shown("Approval", *content, frame=frame, script=frame.passkeys)

    async def approve(self, request: Request) -> Response:
        ticket_id = TicketId(path_id(request, "id"))
        visit, fingerprint = await self._visiting.actor(
            request, Act.APPROVE, ticket_id, "fingerprint"
        )
        view = await self._desk.approve(
            ticket_id,
            fingerprint=seen(visit, fingerprint),
            operator=visit.operator,
            proof=visit.proof,
        )
        if view.order.code == Code.NEEDS_REAPPROVAL and view.ticket is not None:
            return to(f"/approve/{view.ticket.ticket_id}")
        return to(f"/orders/{view.order.order_id}")

    async def deny(self, request: Request) -> Response:
        visit, fields = await self._visiting.writer(request, "reason")
        view = await self._desk.deny(
            TicketId(path_id(request, "id")),
            reason=text(fields, "reason", default=""),
            operator=visit.operator,
        )
        return to(f"/orders/{view.order.order_id}")

    async def order(self, request: Request) -> Response:
        visit = await self._visiting.visit(request)
        order_id = OrderId(path_id(request, "id"))
        view = await self._gateway.status(order_id, asker=visit.operator)
        frame = await self._visiting.frame(visit)
        mode = LABELS[frame.mode] if frame.mode else "unknown"
        return shown("Order", *order_content(view, mode=mode), frame=frame)

    async def drafts(self, request: Request) -> Response:
        visit = await self._visiting.visit(request)
        frame = await self._visiting.frame(visit)
        cards = [
            draft_card(view, self._gateway.price(view.order.symbol), frame=frame)
            for view in await self._desk.drafts()
        ]
        return shown(
            "Drafts", cards or tag("p", "No draft waits."), frame=frame, script=frame.passkeys
        )

    async def submit_draft(self, request: Request) -> Response:
        order_id = OrderId(path_id(request, "id"))
        visit, _ = await self._visiting.actor(request, Act.SUBMIT_DRAFT, order_id)
        view = await self._desk.submit_draft(order_id, operator=visit.operator)
        return to(f"/orders/{view.order.order_id}")

    async def discard_draft(self, request: Request) -> Response:
        visit, _ = await self._visiting.writer(request)
        await self._desk.discard_draft(OrderId(path_id(request, "id")), operator=visit.operator)
        return to("/drafts")

    async def halts(self, request: Request) -> Response:
        visit = await self._visiting.visit(request)
        frame = await self._visiting.frame(visit)
        cards = [halt_card(halt, frame=frame) for halt in await self._desk.halts()]
        return shown(
            "Halts",
            cards or tag("p", "No halt is in force."),
            engage_card(csrf=frame.csrf),
            frame=frame,
            script=frame.passkeys,
        )

    async def engage(self, request: Request) -> Response:
        visit, fields = await self._visiting.writer(request, "reason")
        await self._gateway.engage(
            scope=scope_of(ScopeKind.GLOBAL),
            target="",
            reason=text(fields, "reason"),
            asker=visit.operator,
        )
        return to("/halts")

    async def release(self, request: Request) -> Response:
        halt_id = path_id(request, "id")
        visit, reason = await self._visiting.actor(request, Act.RELEASE, halt_id, "reason")
        await self._desk.release(halt_id, reason=reason, operator=visit.operator)
        return to("/halts")

    async def refused(self, request: Request, error: GateError) -> Response:
        """Return the page of a "no"; who is not signed in is sent to sign in."""
        if isinstance(error, Unauthenticated) and not isinstance(error, FactorNeeded):
            return _sign_in_first(request)
        fix = tag("p", error.fix) if error.fix else None
        desk = tag("p", tag("a", "To the desk", href="/"))
        content = card(error.code.replace("_", " ").capitalize(), fix, desk)
        happened = error.message[:1].upper() + error.message[1:]
        return HTMLResponse(page(happened, content, frame=None), status_code=status_of(error))


def _sign_in_first(request: Request) -> Response:
    """Send to the sign-in page. A link followed from elsewhere comes without the strict cookie,
    so the page is opened once more, from here, before anyone is asked to sign in."""
    here = back(request.url.path if request.method == "GET" else "/")
    if request.headers.get("sec-fetch-site") == "cross-site" and request.method == "GET":
        link = tag("p", tag("a", "Continue", href=here))
        return HTMLResponse(page("Opening", link, frame=None, refresh=here))
    return to(f"/sign-in?next={here}")
