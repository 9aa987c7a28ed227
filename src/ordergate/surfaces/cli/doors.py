"""The two doors a command knocks at: the agents' REST door and the operator's listener.

Answers are envelopes, whatever happens on the way; nothing is kept on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import httpx

from ordergate.model.errors import Code

CONNECT_S: Final = 5.0
ANSWER_S: Final = 130.0  # the longest wait a tool knows is 120 s

CODE_TRIES: Final = 3

Envelope = Mapping[str, Any]


class Stopped(Exception):
    """A command ends here with this envelope."""

    def __init__(self, envelope: Envelope) -> None:
        super().__init__(envelope["error"]["message"])
        self.envelope = envelope


def failure(
    code: Code,
    message: str,
    *,
    fix: str = "",
    retryable: bool = False,
    details: Mapping[str, Any] | None = None,
) -> Envelope:
    """Return the envelope of a "no" that no gateway spoke."""
    error: dict[str, Any] = {
        "code": code.value,
        "message": message,
        "retryable": retryable,
        "requires_human": False,
        "details": dict(details or {}),
        "fix": fix,
    }
    return {"ok": False, "data": None, "error": error}


def success(content: object) -> Envelope:
    return {"ok": True, "data": content, "error": None}


class AgentDoor:
    """Calls tools by name over REST with a bearer token."""

    def __init__(self, rest_url: str, *, token: str) -> None:
        self._rest_url = rest_url
        self._token = token

    def call(self, tool: str, arguments: Mapping[str, Any], *, acts: bool) -> Envelope:
        """Return the tool's envelope; a reply lost on the way of an act is ORDER_UNKNOWN."""
        try:
            with _client(self._rest_url, {"Authorization": f"Bearer {self._token}"}) as client:
                return _envelope(client.post(f"/api/v1/call/{tool}", json=dict(arguments)))
        except (httpx.ConnectError, httpx.ConnectTimeout):
            return not_running()
        except httpx.HTTPError as error:
            return _lost(error, acts=acts)


class OperatorDoor:
    """An operator's sign-in, from `with` to its end; cookie and CSRF token live in memory.

    `code` gives the next code of the authenticator: it is told what for, and why once more.
    """

    def __init__(
        self,
        console_url: str,
        *,
        connect_to: str,
        name: str,
        password: str,
        code: Callable[[str, str], str],
    ) -> None:
        place = urlsplit(console_url)
        origin = f"{place.scheme}://{place.netloc}"
        self._client = _client(
            f"{place.scheme}://{connect_to}:{place.port or 80}",
            {"Host": place.netloc, "Origin": origin},
        )
        self._who = {"name": name, "password": password}
        self._code = code

    def __enter__(self) -> Self:
        try:
            self._sign_in()
        except Stopped:
            self._client.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        try:
            self._client.post("/operator/sign-out", json={})
        except httpx.HTTPError:
            pass  # the session ends by itself, too
        finally:
            self._client.close()

    def get(self, path: str) -> Envelope:
        return self._ask("GET", path)

    def post(self, path: str, fields: Mapping[str, Any]) -> Envelope:
        return self._ask("POST", path, fields)

    def delete(self, path: str) -> Envelope:
        return self._ask("DELETE", path)

    def act(self, what: str, path: str, fields: Mapping[str, Any]) -> Envelope:
        """Do what needs a fresh factor; a code that was used up asks for the next one."""

        def once(code: str) -> Envelope:
            return self._ask("POST", path, {**fields, "code": code})

        return self._with_code(what, once)

    def lines(self, what: str, path: str) -> Iterator[str]:
        """Yield the lines of a stream; raise Stopped when it is refused or breaks off."""
        refused: Envelope = {}
        for _ in range(CODE_TRIES):
            said = refused["error"]["message"] if refused else ""
            body = {"code": self._code(what, said)}
            try:
                with self._client.stream("POST", f"/operator{path}", json=body) as reply:
                    self._keep_cookie(reply)
                    if reply.status_code == 200:
                        yield from reply.iter_lines()
                        return
                    reply.read()
                    refused = _envelope(reply)
            except httpx.HTTPError as error:
                raise Stopped(_lost(error, acts=False)) from None
            if not _was_used(refused):
                break
        raise Stopped(refused)

    def _with_code(self, what: str, once: Callable[[str], Envelope]) -> Envelope:
        envelope = once(self._code(what, ""))
        for _ in range(CODE_TRIES - 1):
            if not _was_used(envelope):
                break
            envelope = once(self._code(what, str(envelope["error"]["message"])))
        return envelope

    def _sign_in(self) -> None:
        def once(code: str) -> Envelope:
            try:
                reply = self._client.post("/operator/sign-in", json={**self._who, "code": code})
            except httpx.HTTPError:
                raise Stopped(not_running()) from None
            self._keep_cookie(reply)
            return _envelope(reply)

        envelope = self._with_code("sign in", once)
        if not envelope["ok"]:
            raise Stopped(envelope)
        self._client.headers["X-CSRF-Token"] = envelope["data"]["csrf"]

    def _ask(self, method: str, path: str, fields: Mapping[str, Any] | None = None) -> Envelope:
        try:
            body = None if fields is None else dict(fields)
            reply = self._client.request(method, f"/operator{path}", json=body)
        except httpx.HTTPError as error:
            return _lost(error, acts=method != "GET")
        self._keep_cookie(reply)
        return _envelope(reply)

    def _keep_cookie(self, reply: httpx.Response) -> None:
        """Take the cookie: it is another one after each factor that was shown."""
        told = reply.headers.get("set-cookie", "").partition(";")[0]
        if told.partition("=")[2]:
            self._client.headers["Cookie"] = told
        self._client.cookies.clear()  # the one Cookie header is ours: httpx keeps none of its own


def _was_used(envelope: Envelope) -> bool:
    error = envelope.get("error") or {}
    return (error.get("details") or {}).get("factor") == "used"


def not_running() -> Envelope:
    return failure(
        Code.NOT_READY,
        "no gateway is running on this data directory",
        fix="start it in another terminal: ordergate up",
        retryable=True,
    )


def _client(url: str, headers: Mapping[str, str]) -> httpx.Client:
    # trust_env off: a proxy of the environment has no business between us and our own machine
    return httpx.Client(
        base_url=url,
        headers=dict(headers),
        timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
        trust_env=False,
        follow_redirects=False,
    )


def _envelope(reply: httpx.Response) -> Envelope:
    """Read an envelope, or a problem document that carries the same fields."""
    try:
        body = reply.json()
    except ValueError:
        body = None
    if isinstance(body, dict) and isinstance(body.get("ok"), bool):
        return {"ok": body["ok"], "data": body.get("data"), "error": body.get("error")}
    return failure(
        Code.INTERNAL_ERROR, f"an answer that is none of ours (HTTP {reply.status_code})"
    )


def _lost(error: httpx.HTTPError, *, acts: bool) -> Envelope:
    kind = type(error).__name__
    if not acts:
        return failure(Code.NOT_READY, f"the gateway's answer got lost: {kind}", retryable=True)
    return failure(
        Code.ORDER_UNKNOWN,
        f"the gateway's answer got lost: {kind}; what became of the request is not known here",
        fix="look with: ordergate orders --scope all; repeat only with the same --key",
    )
