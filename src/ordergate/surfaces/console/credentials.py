"""Signing in, and the operator's own credentials, as JSON: factors, passkeys, codes, sign-ins."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ordergate.identity.authority import FRESH, Act
from ordergate.identity.factors.challenges import Purpose
from ordergate.identity.factors.passkeys import short_id
from ordergate.identity.sign_in import ENROL, SignIn
from ordergate.model.canonical import plain_data
from ordergate.model.errors import InvalidArgument
from ordergate.model.records import PasskeyRecord, SessionRecord
from ordergate.model.values import OrderId, TicketId
from ordergate.order.desk import Desk
from ordergate.order.gateway import Gateway
from ordergate.surfaces.console.answers import answer
from ordergate.surfaces.console.entry import (
    ASSERTION_MAX,
    CODE_MAX,
    COOKIE,
    Entry,
    Visit,
    address_of,
    drop_cookie,
    keep_cookie,
    only,
    path_id,
    read_object,
    text,
)


class Credentials:
    """Endpoints for who the operator is; what they do is in acts.py."""

    def __init__(self, *, desk: Desk, gateway: Gateway, sign_in: SignIn) -> None:
        self._desk = desk
        self._gateway = gateway
        self._sign_in = sign_in
        self._entry = Entry(sign_in)

    def routes(self) -> list[Route]:
        table = [
            ("POST", "/operator/sign-in", self.sign_in),
            ("POST", "/operator/sign-in/passkey/options", self.ask_at_the_door),
            ("POST", "/operator/sign-in/passkey", self.sign_in_with_passkey),
            ("POST", "/operator/sign-out", self.sign_out),
            ("POST", "/operator/factor", self.ask),
            ("GET", "/operator/sessions", self.sessions),
            ("DELETE", "/operator/sessions/{id}", self.end_session),
            ("GET", "/operator/passkeys", self.passkeys),
            ("POST", "/operator/passkeys/options", self.ask_to_enrol),
            ("POST", "/operator/passkeys", self.add_passkey),
            ("POST", "/operator/passkeys/{id}/remove", self.remove_passkey),
            ("POST", "/operator/password", self.new_password),
            ("POST", "/operator/recovery-codes", self.recovery_codes),
            ("POST", "/operator/totp", self.begin_totp),
            ("POST", "/operator/totp/confirm", self.confirm_totp),
        ]
        return [Route(path, act, methods=[method]) for method, path, act in table]

    async def sign_in(self, request: Request) -> Response:
        fields = await read_object(request)
        only(fields, "name", "password", "code")
        session, cookie = await self._sign_in.sign_in(
            name=text(fields, "name"),
            password=text(fields, "password"),
            code=text(fields, "code", most=CODE_MAX, default=""),
            address=address_of(request),
        )
        return _signed_in(session, cookie)

    async def ask_at_the_door(self, request: Request) -> Response:
        only(await read_object(request))
        return answer(self._sign_in.factors.ask_at_the_door())

    async def sign_in_with_passkey(self, request: Request) -> Response:
        fields = await read_object(request)
        only(fields, "assertion")
        session, cookie = await self._sign_in.sign_in_with_passkey(
            text(fields, "assertion", most=ASSERTION_MAX), address=address_of(request)
        )
        return _signed_in(session, cookie)

    async def sign_out(self, request: Request) -> Response:
        await self._entry.write(request)
        await self._sign_in.sign_out(request.cookies[COOKIE])
        response = answer({})
        drop_cookie(response)
        return response

    async def ask(self, request: Request) -> Response:
        """Answer with what a passkey signs for one act; a yes to an order signs its fingerprint."""
        visit = await self._entry.write(request)
        fields = await read_object(request)
        only(fields, "act", "target")
        act, target = act_of(text(fields, "act")), text(fields, "target", default="")
        over = await self._over(visit, act, target)
        purpose = Purpose(act=act.value, target=target, over=over)
        return answer(await self._sign_in.factors.ask(visit.session, purpose))

    async def sessions(self, request: Request) -> Response:
        visit = await self._entry.visit(request)
        opened = await self._sign_in.sessions(visit.operator)
        return answer([_session_shape(one, visit) for one in opened])

    async def end_session(self, request: Request) -> Response:
        visit = await self._entry.write(request)
        await self._sign_in.end_session(path_id(request, "id"), by=visit.operator)
        return answer({})

    async def passkeys(self, request: Request) -> Response:
        visit = await self._entry.visit(request)
        held = await self._sign_in.factors.passkeys_of(visit.operator.id)
        return answer([_passkey_shape(one) for one in held])

    async def ask_to_enrol(self, request: Request) -> Response:
        visit, _ = await self._entry.act(request, Act.MANAGE_FACTORS, "")
        options = await self._sign_in.factors.ask_to_enrol(
            visit.session, name=visit.operator.name, purpose=ENROL
        )
        return answer(options)

    async def add_passkey(self, request: Request) -> Response:
        """Keep a passkey; what it signed was issued to this sign-in after a fresh factor."""
        visit = await self._entry.write(request)
        fields = await read_object(request)
        only(fields, "name", "credential")
        made = await self._sign_in.add_passkey(
            visit.session,
            text(fields, "credential", most=ASSERTION_MAX),
            name=text(fields, "name"),
        )
        return answer(_passkey_shape(made))

    async def remove_passkey(self, request: Request) -> Response:
        visit, _ = await self._entry.act(request, Act.MANAGE_FACTORS, "")
        await self._sign_in.remove_passkey(path_id(request, "id"), by=visit.operator)
        return answer({})

    async def new_password(self, request: Request) -> Response:
        visit, _ = await self._entry.act(request, Act.MANAGE_FACTORS, "")
        made = await self._sign_in.new_password(visit.session, by=visit.operator)
        return answer({"password": made})

    async def recovery_codes(self, request: Request) -> Response:
        visit, _ = await self._entry.act(request, Act.MANAGE_FACTORS, "")
        return answer({"codes": list(await self._sign_in.new_recovery_codes(by=visit.operator))})

    async def begin_totp(self, request: Request) -> Response:
        visit, _ = await self._entry.act(request, Act.MANAGE_FACTORS, "")
        return answer({"otpauth": self._sign_in.begin_totp(visit.session, by=visit.operator)})

    async def confirm_totp(self, request: Request) -> Response:
        """Take the new authenticator; it was begun by this sign-in after a fresh factor."""
        visit = await self._entry.write(request)
        fields = await read_object(request)
        only(fields, "code")
        code = text(fields, "code", most=CODE_MAX)
        await self._sign_in.confirm_totp(visit.session, code, by=visit.operator)
        return answer({})

    async def _over(self, visit: Visit, act: Act, target: str) -> str | None:
        if act is Act.APPROVE:
            return (await self._desk.ticket(TicketId(target))).ticket.fingerprint
        if act is Act.SUBMIT_DRAFT:
            view = await self._gateway.status(OrderId(target), asker=visit.operator)
            return view.order.fingerprint
        # An arming signs its own offer, whose hash is the target.
        return target if act is Act.ARM else None


def act_of(word: str) -> Act:
    """Read an act that needs a factor; raise InvalidArgument."""
    known = sorted(act.value for act in FRESH)
    if word not in known:
        raise InvalidArgument("no such act needs a factor", fix=f"one of: {', '.join(known)}")
    return Act(word)


def _signed_in(session: SessionRecord, cookie: str) -> Response:
    name = session.principal.removeprefix("operator:")
    response = answer({"name": name, "csrf": session.csrf, "method": session.method.value})
    keep_cookie(response, cookie)
    return response


def _session_shape(one: SessionRecord, visit: Visit) -> dict[str, Any]:
    return {
        "session_id": one.session_id,
        "this": one.session_id == visit.session.session_id,
        "signed_in_at": plain_data(one.created_at),
        "last_seen_at": plain_data(one.last_seen_at),
        "method": one.method.value,
        "factor_at": plain_data(one.factor_at),
        "address": one.address,
    }


def _passkey_shape(one: PasskeyRecord) -> dict[str, Any]:
    shape: dict[str, Any] = plain_data(one)
    del shape["public_key"]
    return {"passkey_id": short_id(one.credential_id), **shape}
