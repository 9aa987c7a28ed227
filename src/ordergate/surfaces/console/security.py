"""Endpoints of the pages around the operator's identity: sign-in, sign-out, /security."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ordergate.identity.authority import Act
from ordergate.identity.sign_in import SignIn
from ordergate.model.errors import GateError
from ordergate.order.gateway import Gateway
from ordergate.surfaces.console.answers import status_of
from ordergate.surfaces.console.entry import (
    ASSERTION_MAX,
    CODE_MAX,
    COOKIE,
    address_of,
    drop_cookie,
    keep_cookie,
    only,
    path_id,
    read_form,
    text,
)
from ordergate.surfaces.console.frame import sign_in_form
from ordergate.surfaces.console.markup import tag
from ordergate.surfaces.console.security_page import (
    Held,
    codes_content,
    password_content,
    security_content,
    totp_content,
)
from ordergate.surfaces.console.visiting import Visiting, back, shown, to

SCRIPT = Path(__file__).with_name("passkey.js")


class SecurityPages:
    """Sign in, sign out, and look after the factors."""

    def __init__(self, *, gateway: Gateway, sign_in: SignIn) -> None:
        self._sign_in = sign_in
        self._visiting = Visiting(gateway=gateway, sign_in=sign_in)
        self._script = SCRIPT.read_bytes()

    def routes(self) -> list[Route]:
        table = [
            ("GET", "/sign-in", self.sign_in_form),
            ("POST", "/sign-in", self.sign_in),
            ("POST", "/sign-in/passkey", self.sign_in_with_passkey),
            ("POST", "/sign-out", self.sign_out),
            ("GET", "/passkey.js", self.script),
            ("GET", "/security", self.security),
            ("POST", "/security/passkeys/{id}/remove", self.remove_passkey),
            ("POST", "/security/password", self.new_password),
            ("POST", "/security/recovery-codes", self.recovery_codes),
            ("POST", "/security/totp", self.begin_totp),
            ("POST", "/security/totp/confirm", self.confirm_totp),
            ("POST", "/security/sessions/{id}/end", self.end_session),
        ]
        return [Route(path, act, methods=[method]) for method, path, act in table]

    async def script(self, _: Request) -> Response:
        return Response(self._script, media_type="text/javascript")

    async def sign_in_form(self, request: Request) -> Response:
        return await self._sign_in_page(where=back(request.query_params.get("next", "/")))

    async def sign_in(self, request: Request) -> Response:
        fields = await read_form(request)
        only(fields, "name", "password", "code", "next")
        where = back(fields.get("next", "/"))
        try:
            _, cookie = await self._sign_in.sign_in(
                name=text(fields, "name"),
                password=text(fields, "password"),
                code=text(fields, "code", most=CODE_MAX),
                address=address_of(request),
            )
        except GateError as error:
            return await self._sign_in_page(where=where, fault=error)
        return _entered(where, cookie)

    async def sign_in_with_passkey(self, request: Request) -> Response:
        fields = await read_form(request)
        only(fields, "assertion", "next")
        where = back(fields.get("next", "/"))
        try:
            _, cookie = await self._sign_in.sign_in_with_passkey(
                text(fields, "assertion", most=ASSERTION_MAX), address=address_of(request)
            )
        except GateError as error:
            return await self._sign_in_page(where=where, fault=error)
        return _entered(where, cookie)

    async def sign_out(self, request: Request) -> Response:
        await self._visiting.writer(request)
        await self._sign_in.sign_out(request.cookies[COOKIE])
        response = to("/sign-in")
        drop_cookie(response)
        return response

    async def security(self, request: Request) -> Response:
        visit = await self._visiting.visit(request)
        held = Held(
            passkeys=await self._sign_in.factors.passkeys_of(visit.operator.id),
            sessions=await self._sign_in.sessions(visit.operator),
            codes_left=await self._sign_in.recovery_codes_left(visit.operator),
            here=visit.session.session_id,
        )
        frame = await self._visiting.frame(visit)
        return shown("Security", *security_content(held, frame=frame), frame=frame, script=True)

    async def remove_passkey(self, request: Request) -> Response:
        visit, _ = await self._visiting.actor(request, Act.MANAGE_FACTORS, "")
        await self._sign_in.remove_passkey(path_id(request, "id"), by=visit.operator)
        return to("/security")

    async def new_password(self, request: Request) -> Response:
        visit, _ = await self._visiting.actor(request, Act.MANAGE_FACTORS, "")
        made = await self._sign_in.new_password(visit.session, by=visit.operator)
        frame = await self._visiting.frame(visit)
        return shown("Password", password_content(made), frame=frame)

    async def recovery_codes(self, request: Request) -> Response:
        visit, _ = await self._visiting.actor(request, Act.MANAGE_FACTORS, "")
        codes = await self._sign_in.new_recovery_codes(by=visit.operator)
        frame = await self._visiting.frame(visit)
        return shown("Recovery codes", codes_content(codes), frame=frame)

    async def begin_totp(self, request: Request) -> Response:
        visit, _ = await self._visiting.actor(request, Act.MANAGE_FACTORS, "")
        otpauth = self._sign_in.begin_totp(visit.session, by=visit.operator)
        frame = await self._visiting.frame(visit)
        return shown("Authenticator", totp_content(otpauth, frame=frame), frame=frame)

    async def confirm_totp(self, request: Request) -> Response:
        visit, fields = await self._visiting.writer(request, "code")
        code = text(fields, "code", most=CODE_MAX)
        await self._sign_in.confirm_totp(visit.session, code, by=visit.operator)
        return to("/security")

    async def end_session(self, request: Request) -> Response:
        visit, _ = await self._visiting.writer(request)
        await self._sign_in.end_session(path_id(request, "id"), by=visit.operator)
        return to("/security")

    async def _sign_in_page(self, *, where: str, fault: GateError | None = None) -> Response:
        said = [fault.message, fault.fix] if fault else []
        if not fault and not await self._sign_in.operator_exists():
            said = ["No operator exists yet.", "Run `ordergate operator init` on this machine."]
        notices = [tag("p", words, class_="notice", role="alert") for words in said if words]
        response = shown("Sign in", notices, sign_in_form(where), frame=None, script=True)
        response.status_code = status_of(fault) if fault else 200
        return response


def _entered(where: str, cookie: str) -> Response:
    response = RedirectResponse(where, status_code=303)
    keep_cookie(response, cookie)
    return response
