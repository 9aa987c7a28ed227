"""The operator's acts as JSON: translate in, one call, translate out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from decimal import Decimal
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from ordergate.identity.authority import Act
from ordergate.identity.bearers.recognise import TOKEN_DAYS
from ordergate.identity.sign_in import SignIn
from ordergate.model.canonical import plain_data
from ordergate.model.errors import Code, InvalidApproval, InvalidArgument, Refused
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
from ordergate.surfaces.console.answers import (
    answer,
    order_shape,
    price_shape,
    ticket_shape,
    token_shape,
)
from ordergate.surfaces.console.entry import (
    Entry,
    Visit,
    only,
    path_id,
    read_object,
    text,
    typed,
)

EXTERNALS_SHOWN: Final = 200

UNDERLYINGS: Final = "underlyings"  # what a factor for the map of underlyings is shown for
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
            table.append(("POST", "/operator/audit/export", self.export_audit))
        return [Route(path, act, methods=[method]) for method, path, act in table]

    async def approvals(self, request: Request) -> Response:
        await self._entry.visit(request)
        return answer([ticket_shape(view) for view in await self._desk.waiting()])

    async def approval(self, request: Request) -> Response:
        await self._entry.visit(request)
        return answer(ticket_shape(await self._desk.ticket(TicketId(path_id(request, "id")))))

    async def approve(self, request: Request) -> Response:
        ticket_id = TicketId(path_id(request, "id"))
        visit, fingerprint = await self._entry.act(
            request, Act.APPROVE, ticket_id, ("fingerprint",), lambda it: text(it, "fingerprint")
        )
        view = await self._desk.approve(
            ticket_id,
            fingerprint=seen(visit, fingerprint),
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
        order_id = OrderId(path_id(request, "id"))
        visit, _ = await self._entry.act(request, Act.SUBMIT_DRAFT, order_id)
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
        halt_id = path_id(request, "id")
        visit, reason = await self._entry.act(request, Act.RELEASE, halt_id, *_REASON)
        halt = await self._desk.release(halt_id, reason=reason, operator=visit.operator)
        return answer(plain_data(halt))

    async def parked(self, request: Request) -> Response:
        await self._entry.visit(request)
        return answer([order_shape(view) for view in await self._desk.parked()])

    async def resolve(self, request: Request) -> Response:
        order_id = OrderId(path_id(request, "id"))
        visit, (placed, reason) = await self._entry.act(
            request,
            Act.RESOLVE,
            order_id,
            ("placed", "reason"),
            lambda it: (typed(it, "placed", bool), text(it, "reason")),
        )
        view = await self._desk.resolve(
            order_id, placed=placed, reason=reason, operator=visit.operator
        )
        return answer(order_shape(view))

    async def loosen(self, request: Request) -> Response:
        name = path_id(request, "name")
        visit, reason = await self._entry.act(request, Act.LOOSEN, name, *_REASON)
        safety = await self._desk.loosen(name, reason=reason, operator=visit.operator)
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
        visit, wanted = await self._entry.act(
            request, Act.LOOSEN, UNDERLYINGS, ("name", "underlying", "venue", "reason"), _same_risk
        )
        row = await self._desk.confirm_underlying(
            Symbol(wanted["name"]),
            wanted["underlying"],
            venue=wanted["venue"],
            reason=wanted["reason"],
            operator=visit.operator,
        )
        return answer(plain_data(row))

    async def remove_underlying(self, request: Request) -> Response:
        visit, wanted = await self._entry.act(
            request, Act.LOOSEN, UNDERLYINGS, ("name", "venue", "reason"), _named_risk
        )
        await self._desk.remove_underlying(
            Symbol(wanted["name"]),
            venue=wanted["venue"],
            reason=wanted["reason"],
            operator=visit.operator,
        )
        return answer({})

    async def externals(self, request: Request) -> Response:
        await self._entry.visit(request)
        page = await self._desk.externals(limit=EXTERNALS_SHOWN, cursor=None)
        return answer(plain_data(page.items))

    async def close(self, request: Request) -> Response:
        position = PositionId(path_id(request, "id"))
        visit, reason = await self._entry.act(request, Act.RESOLVE, position, *_REASON)
        view = await self._desk.close(position, reason=reason, operator=visit.operator)
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
        visit, wanted = await self._entry.act(
            request, Act.MAKE_TOKENS, "", ("kind", "name", "days", *Grant), _wanted_token
        )
        kind, name, days, grants = wanted
        record, token = await self._sign_in.create_token(
            kind=kind, name=name, days=days, grants=grants, by=visit.operator
        )
        return answer({**token_shape(record), "token": token})

    async def revoke_token(self, request: Request) -> Response:
        visit = await self._entry.write(request)
        await self._sign_in.revoke_token(path_id(request, "id"), by=visit.operator)
        return answer({})

    async def export_audit(self, request: Request) -> Response:
        await self._entry.act(request, Act.EXPORT_AUDIT, "")
        assert self._audit is not None  # the route stands only with a reader
        return StreamingResponse(self._audit(), media_type="application/jsonl")


def seen(visit: Visit, fingerprint: str) -> str:
    """Return what was shown; a passkey that signed something else is a yes to something else."""
    signed = visit.proof.over
    if signed is not None and signed != fingerprint:
        raise InvalidApproval("the passkey signed another order than the one that was shown")
    return fingerprint


def _wanted_token(fields: Mapping[str, object]) -> tuple[Kind, str, int, frozenset[Grant]]:
    try:
        kind = Kind(text(fields, "kind"))
    except ValueError:
        raise InvalidArgument("kind must be agent or read_only") from None
    days = typed(fields, "days", int) if "days" in fields else TOKEN_DAYS
    grants = frozenset(one for one in Grant if one in fields and typed(fields, one, bool))
    return kind, text(fields, "name"), days, grants


def _same_risk(fields: Mapping[str, object]) -> dict[str, str]:
    return _named_risk(fields) | {"underlying": text(fields, "underlying")}


def _named_risk(fields: Mapping[str, object]) -> dict[str, str]:
    venue = text(fields, "venue", default="")
    return {"name": text(fields, "name"), "venue": venue, "reason": text(fields, "reason")}


def _reason(fields: Mapping[str, object]) -> str:
    return text(fields, "reason")


_REASON: Final = (("reason",), _reason)


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
