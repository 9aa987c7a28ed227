"""The operator's acts as JSON: translate in, one call, translate out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from ordergate.identity.authority import Act, require
from ordergate.identity.sign_in import TOKEN_DAYS, SignIn
from ordergate.model.canonical import plain_data
from ordergate.model.errors import Code, InvalidArgument
from ordergate.model.principals import Grant, Kind
from ordergate.model.records import ScopeKind
from ordergate.model.values import (
    NotANumber,
    OrderId,
    PositionId,
    Symbol,
    TicketId,
    parse_decimal,
    plain,
)
from ordergate.model.views import OrderView, SafetyView
from ordergate.order.desk import Desk
from ordergate.order.gateway import Gateway
from ordergate.surfaces.catalogue.envelope import Refused
from ordergate.surfaces.console.answers import (
    answer,
    order_shape,
    price_shape,
    ticket_shape,
    token_shape,
)
from ordergate.surfaces.console.entry import (
    COOKIE,
    Entry,
    drop_cookie,
    keep_cookie,
    only,
    path_id,
    read_object,
    text,
    typed,
)

EXTERNALS_SHOWN: Final = 200

AuditLines = Callable[[], AsyncIterator[str]]


class Acts:
    """Endpoints under /operator: a cookie, and on every write the session's CSRF token."""

    def __init__(
        self, *, desk: Desk, gateway: Gateway, sign_in: SignIn, audit: AuditLines | None
    ) -> None:
        self._desk = desk
        self._gateway = gateway
        self._sign_in = sign_in
        self._audit = audit
        self._entry = Entry(sign_in)

    def routes(self) -> list[Route]:
        table = [
            ("POST", "/operator/sign-in", self.sign_in),
            ("POST", "/operator/sign-out", self.sign_out),
            ("GET", "/operator/approvals", self.approvals),
            ("GET", "/operator/approvals/{id}", self.approval),
            ("POST", "/operator/approvals/{id}/approve", self.approve),
            ("POST", "/operator/approvals/{id}/deny", self.deny),
            ("GET", "/operator/drafts", self.drafts),
            ("POST", "/operator/drafts/{id}/submit", self.submit_draft),
            ("POST", "/operator/drafts/{id}/discard", self.discard_draft),
            ("GET", "/operator/halts", self.halts),
            ("POST", "/operator/halts", self.engage),
            ("POST", "/operator/halts/{id}/release", self.release),
            ("GET", "/operator/parked", self.parked),
            ("POST", "/operator/orders/{id}/resolve", self.resolve),
            ("POST", "/operator/positions/{id}/close", self.close),
            ("POST", "/operator/limits/{name}/loosen", self.loosen),
            ("POST", "/operator/limits/{name}/withdraw", self.withdraw_loosening),
            ("GET", "/operator/underlyings", self.underlyings),
            ("POST", "/operator/underlyings", self.confirm_underlying),
            ("POST", "/operator/underlyings/remove", self.remove_underlying),
            ("GET", "/operator/external", self.externals),
            ("POST", "/operator/feed", self.set_pace),
            ("GET", "/operator/tokens", self.tokens),
            ("POST", "/operator/tokens", self.create_token),
            ("DELETE", "/operator/tokens/{id}", self.revoke_token),
        ]
        if self._audit is not None:
            table.append(("GET", "/operator/audit/export", self.export_audit))
        return [Route(path, act, methods=[method]) for method, path, act in table]

    async def sign_in(self, request: Request) -> Response:
        fields = await read_object(request)
        only(fields, "name", "password")
        session, cookie = await self._sign_in.sign_in(
            name=text(fields, "name"),
            password=text(fields, "password"),
            address=request.client.host if request.client else "",
        )
        response = answer({"name": text(fields, "name"), "csrf": session.csrf})
        keep_cookie(response, cookie)
        return response

    async def sign_out(self, request: Request) -> Response:
        await self._entry.write(request)
        await self._sign_in.sign_out(request.cookies[COOKIE])
        response = answer({})
        drop_cookie(response)
        return response

    async def approvals(self, request: Request) -> Response:
        await self._entry.visit(request)
        return answer([ticket_shape(view) for view in await self._desk.waiting()])

    async def approval(self, request: Request) -> Response:
        await self._entry.visit(request)
        return answer(ticket_shape(await self._desk.ticket(TicketId(path_id(request, "id")))))

    async def approve(self, request: Request) -> Response:
        visit = await self._entry.write(request)
        fields = await read_object(request)
        only(fields, "fingerprint")
        view = await self._desk.approve(
            TicketId(path_id(request, "id")),
            fingerprint=text(fields, "fingerprint"),
            operator=visit.operator,
            proof=visit.proof,
        )
        return answer(order_shape(_still_asked(view)))

    async def deny(self, request: Request) -> Response:
        visit = await self._entry.write(request)
        fields = await read_object(request)
        only(fields, "reason")
        view = await self._desk.deny(
            TicketId(path_id(request, "id")),
            reason=text(fields, "reason", default=""),
            operator=visit.operator,
        )
        return answer(order_shape(view))

    async def drafts(self, request: Request) -> Response:
        await self._entry.visit(request)
        return answer(
            [
                order_shape(view) | price_shape(self._gateway.price(view.order.symbol))
                for view in await self._desk.drafts()
            ]
        )

    async def submit_draft(self, request: Request) -> Response:
        visit = await self._entry.write(request)
        only(await read_object(request))
        order_id = OrderId(path_id(request, "id"))
        return answer(order_shape(await self._desk.submit_draft(order_id, operator=visit.operator)))

    async def discard_draft(self, request: Request) -> Response:
        visit = await self._entry.write(request)
        only(await read_object(request))
        order_id = OrderId(path_id(request, "id"))
        return answer(
            order_shape(await self._desk.discard_draft(order_id, operator=visit.operator))
        )

    async def halts(self, request: Request) -> Response:
        await self._entry.visit(request)
        return answer(plain_data(await self._desk.halts()))

    async def engage(self, request: Request) -> Response:
        visit = await self._entry.write(request)
        fields = await read_object(request)
        only(fields, "scope", "target", "reason")
        halt = await self._gateway.engage(
            scope=scope_of(text(fields, "scope", default=ScopeKind.GLOBAL)),
            target=text(fields, "target", default=""),
            reason=text(fields, "reason"),
            asker=visit.operator,
        )
        return answer(plain_data(halt))

    async def release(self, request: Request) -> Response:
        visit = await self._entry.write(request)
        fields = await read_object(request)
        only(fields, "reason")
        halt = await self._desk.release(
            path_id(request, "id"), reason=text(fields, "reason"), operator=visit.operator
        )
        return answer(plain_data(halt))

    async def parked(self, request: Request) -> Response:
        await self._entry.visit(request)
        return answer([order_shape(view) for view in await self._desk.parked()])

    async def resolve(self, request: Request) -> Response:
        visit = await self._entry.write(request)
        fields = await read_object(request)
        only(fields, "placed", "reason")
        view = await self._desk.resolve(
            OrderId(path_id(request, "id")),
            placed=typed(fields, "placed", bool),
            reason=text(fields, "reason"),
            operator=visit.operator,
        )
        return answer(order_shape(view))

    async def loosen(self, request: Request) -> Response:
        visit = await self._entry.write(request)
        fields = await read_object(request)
        only(fields, "reason")
        safety = await self._desk.loosen(
            path_id(request, "name"), reason=text(fields, "reason"), operator=visit.operator
        )
        return answer(_limits_shape(safety))

    async def withdraw_loosening(self, request: Request) -> Response:
        visit = await self._entry.write(request)
        fields = await read_object(request)
        only(fields, "reason")
        safety = await self._desk.withdraw_loosening(
            path_id(request, "name"), reason=text(fields, "reason"), operator=visit.operator
        )
        return answer(_limits_shape(safety))

    async def underlyings(self, request: Request) -> Response:
        await self._entry.visit(request)
        return answer(plain_data(await self._desk.underlyings()))

    async def confirm_underlying(self, request: Request) -> Response:
        visit = await self._entry.write(request)
        fields = await read_object(request)
        only(fields, "name", "underlying", "venue", "reason")
        row = await self._desk.confirm_underlying(
            Symbol(text(fields, "name")),
            text(fields, "underlying"),
            venue=text(fields, "venue", default=""),
            reason=text(fields, "reason"),
            operator=visit.operator,
        )
        return answer(plain_data(row))

    async def remove_underlying(self, request: Request) -> Response:
        visit = await self._entry.write(request)
        fields = await read_object(request)
        only(fields, "name", "venue", "reason")
        await self._desk.remove_underlying(
            Symbol(text(fields, "name")),
            venue=text(fields, "venue", default=""),
            reason=text(fields, "reason"),
            operator=visit.operator,
        )
        return answer({})

    async def externals(self, request: Request) -> Response:
        await self._entry.visit(request)
        page = await self._desk.externals(limit=EXTERNALS_SHOWN, cursor=None)
        return answer(plain_data(page.items))

    async def close(self, request: Request) -> Response:
        visit = await self._entry.write(request)
        fields = await read_object(request)
        only(fields, "reason")
        view = await self._desk.close(
            PositionId(path_id(request, "id")),
            reason=text(fields, "reason"),
            operator=visit.operator,
        )
        return answer(order_shape(view))

    async def set_pace(self, request: Request) -> Response:
        visit = await self._entry.write(request)
        fields = await read_object(request)
        only(fields, "paused", "speed")
        if not fields:
            raise InvalidArgument("nothing to set", fix="send paused, speed or both")
        pace = await self._desk.set_pace(
            paused=typed(fields, "paused", bool) if "paused" in fields else None,
            speed=_speed(text(fields, "speed")) if "speed" in fields else None,
            operator=visit.operator,
        )
        return answer({"paused": pace.paused, "speed": plain(pace.speed)})

    async def tokens(self, request: Request) -> Response:
        await self._entry.visit(request)
        return answer([token_shape(record) for record in await self._sign_in.tokens()])

    async def create_token(self, request: Request) -> Response:
        visit = await self._entry.write(request)
        fields = await read_object(request)
        only(fields, "kind", "name", "days", *Grant)
        try:
            kind = Kind(text(fields, "kind"))
        except ValueError:
            raise InvalidArgument("kind must be agent or read_only") from None
        record, token = await self._sign_in.create_token(
            kind=kind,
            name=text(fields, "name"),
            days=typed(fields, "days", int) if "days" in fields else TOKEN_DAYS,
            grants=frozenset(one for one in Grant if one in fields and typed(fields, one, bool)),
            by=visit.operator,
        )
        return answer({**token_shape(record), "token": token})

    async def revoke_token(self, request: Request) -> Response:
        visit = await self._entry.write(request)
        await self._sign_in.revoke_token(path_id(request, "id"), by=visit.operator)
        return answer({})

    async def export_audit(self, request: Request) -> Response:
        visit = await self._entry.visit(request)
        require(visit.operator, Act.EXPORT_AUDIT)
        assert self._audit is not None  # the route stands only with a reader
        return StreamingResponse(self._audit(), media_type="application/jsonl")


def scope_of(word: str) -> ScopeKind:
    """Read the scope of a halt; raise InvalidArgument."""
    try:
        return ScopeKind(word)
    except ValueError:
        raise InvalidArgument("unknown scope", fix=f"one of: {', '.join(ScopeKind)}") from None


def _limits_shape(safety: SafetyView) -> dict[str, object]:
    return {"limits": plain_data(safety.limits), "loosenings": plain_data(safety.loosenings)}


def _speed(words: str) -> Decimal:
    try:
        return parse_decimal(words)
    except NotANumber:
        raise InvalidArgument('speed must be a plain number in quotes, such as "60"') from None


def _still_asked(view: OrderView) -> OrderView:
    """Refuse with the new ask when the yes could not be redeemed."""
    if view.order.code == Code.NEEDS_REAPPROVAL and view.ticket is not None:
        raise Refused(
            Code.NEEDS_REAPPROVAL,
            "the price left the band of this ask; nothing was sent",
            fix="look at the new ask and answer it",
            details={"ticket_id": view.ticket.ticket_id, "ticket": plain_data(view.ticket)},
        )
    return view
