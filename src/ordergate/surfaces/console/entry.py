"""Who is at the console: the cookie, the CSRF token, and bodies read strictly."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ordergate.identity.authority import Act, require
from ordergate.identity.factors.challenges import Purpose
from ordergate.identity.factors.prove import Shown
from ordergate.identity.sign_in import SignIn, csrf_matches
from ordergate.model.errors import Forbidden, InvalidArgument, NotFound, Unauthenticated
from ordergate.model.principals import Principal
from ordergate.model.proofs import Proof
from ordergate.model.records import SessionRecord

COOKIE: Final = "__Host-ordergate"
READ_TIMEOUT_S: Final = 30
FIELDS_MAX: Final = 32
TEXT_MAX: Final = 500
CODE_MAX: Final = 64
ASSERTION_MAX: Final = 8192
FACTOR: Final = ("code", "assertion")
ROTATED: Final = "ordergate.rotated"
_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,80}", re.ASCII)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Visit:
    """A signed-in operator's request; `fresh` is the factor that came with this very act."""

    operator: Principal
    session: SessionRecord
    fresh: Proof | None = None

    @property
    def now(self) -> datetime:
        return self.session.last_seen_at

    @property
    def proof(self) -> Proof:
        """Return the newest way in which the operator showed that it was them."""
        return self.fresh or Proof(method=self.session.method, at=self.session.factor_at)


class Entry:
    """Turns a request into a visit, or refuses it."""

    def __init__(self, sign_in: SignIn) -> None:
        self._sign_in = sign_in

    async def visit(self, request: HTTPConnection) -> Visit:
        """Return who is signed in; raise Unauthenticated."""
        return Visit(*await self._sign_in.session(_cookie(request)))

    async def watcher(self, request: HTTPConnection) -> Principal:
        """Return who watches a stream; watching alone does not keep a session from ending."""
        operator, _ = await self._sign_in.session(_cookie(request), touch=False)
        return operator

    async def write(self, request: HTTPConnection, presented: str | None = None) -> Visit:
        """Return who writes; the CSRF token comes in a header, or in a form's field."""
        visit = await self.visit(request)
        token = request.headers.get("x-csrf-token") if presented is None else presented
        if not csrf_matches(visit.session, token or ""):
            raise Forbidden("the CSRF token of this session is missing or wrong")
        return visit

    async def prove(
        self, request: HTTPConnection, visit: Visit, purpose: Purpose, shown: Shown
    ) -> Visit:
        """Use up the factor that came with a privileged act; the answer carries the new cookie."""
        require(visit.operator, Act(purpose.act))
        proof, session, cookie = await self._sign_in.factors.fresh(
            visit.session, shown, purpose, address=address_of(request)
        )
        request.scope[ROTATED].append(cookie)
        return Visit(visit.operator, session, proof)

    async def act(
        self,
        request: Request,
        act: Act,
        target: str,
        known: Sequence[str] = (),
        read: Callable[[Mapping[str, object]], T] = lambda _: None,  # type: ignore[assignment,return-value]
    ) -> tuple[Visit, T]:
        """Return who acts and what `read` makes of the JSON body, after a fresh factor was shown.

        A body that is not right uses no factor up.
        """
        visit = await self.write(request)
        fields = await read_object(request)
        only(fields, *FACTOR, *known)
        what = read(fields)
        purpose = Purpose(act=act.value, target=target)
        return await self.prove(request, visit, purpose, shown_in(fields)), what


class Rotation:
    """Puts a cookie that was rotated into the answer, whatever the answer is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        rotated: list[str] = []

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                for cookie in rotated:
                    told = f"{COOKIE}={cookie}; {_COOKIE_RULES}"
                    message["headers"] = [
                        *message["headers"],
                        (b"set-cookie", told.encode("ascii")),
                    ]
            await send(message)

        await self._app({**scope, ROTATED: rotated}, receive, with_cookie)


def shown_in(fields: Mapping[str, object]) -> Shown:
    """Read the factor that came with an act; raise InvalidArgument on what can be none."""
    return Shown(
        code=text(fields, "code", most=CODE_MAX, default="").strip(),
        assertion=text(fields, "assertion", most=ASSERTION_MAX, default=""),
    )


def address_of(request: HTTPConnection) -> str:
    return request.client.host if request.client else ""


def _cookie(request: HTTPConnection) -> str:
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        raise Unauthenticated("not signed in")
    return cookie


def keep_cookie(response: Response, cookie: str) -> None:
    """Hand the session's cookie out; browsers treat *.localhost as a secure origin."""
    response.headers.append("set-cookie", f"{COOKIE}={cookie}; {_COOKIE_RULES}")


def drop_cookie(response: Response) -> None:
    response.headers.append("set-cookie", f"{COOKIE}=; Max-Age=0; {_COOKIE_RULES}")


_COOKIE_RULES: Final = "Path=/; Secure; HttpOnly; SameSite=Strict"


async def read_object(request: Request) -> Mapping[str, object]:
    """Read a flat JSON object; an empty body is an empty one. Raise InvalidArgument."""
    body = await _body(request)
    if not body:
        return {}
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        raise InvalidArgument("the body must be application/json")
    try:
        read = json.loads(body, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise InvalidArgument("the body is no JSON object with unique keys") from None
    if not isinstance(read, dict) or len(read) > FIELDS_MAX:
        raise InvalidArgument(f"the body must be a JSON object of at most {FIELDS_MAX} fields")
    return read


async def read_form(request: Request) -> Mapping[str, str]:
    """Read a form; raise InvalidArgument on doubled fields."""
    body = await _body(request)
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=32
        )
    except ValueError:
        raise InvalidArgument("the body is no form") from None
    fields: dict[str, str] = _unique(pairs)
    return fields


def only(fields: Mapping[str, object], *known: str) -> None:
    """Refuse a field that is not known; it is never dropped."""
    unknown = sorted(set(fields) - set(known))
    if unknown:
        raise InvalidArgument("unknown field", fix=f"known fields: {', '.join(known) or 'none'}")


def text(
    fields: Mapping[str, object], name: str, *, most: int = TEXT_MAX, default: str | None = None
) -> str:
    """Return a text field; without a default it must be there and not be blank."""
    value = fields.get(name, default)
    if not isinstance(value, str):
        raise InvalidArgument(f"{name} must be a text")
    if len(value) > most:
        raise InvalidArgument(f"{name} has at most {most} characters")
    if not value.strip() and default is None:
        raise InvalidArgument(f"{name} must not be empty")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise InvalidArgument(f"{name} is no valid text")
    return value


def typed(fields: Mapping[str, object], name: str, kind: type[T]) -> T:
    """Return a field of exactly this type: true is no number."""
    value = fields.get(name)
    if type(value) is not kind:
        raise InvalidArgument(f"{name} must be of type {kind.__name__}")
    return value


def path_id(request: Request, name: str) -> str:
    """Return an id of the path; raise NotFound on what can be none."""
    value: str = request.path_params[name]
    if not _ID.fullmatch(value):
        raise NotFound("nothing has this id")
    return value


async def _body(request: Request) -> bytes:
    try:
        async with asyncio.timeout(READ_TIMEOUT_S):
            return await request.body()
    except TimeoutError:
        raise InvalidArgument("the body did not arrive in time") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise InvalidArgument("a field is given twice")
    return read
