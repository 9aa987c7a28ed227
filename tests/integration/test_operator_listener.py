"""Who and what the operator's listener lets in, and its JSON."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.requests import HTTPConnection

from ordergate.model.principals import Kind
from ordergate.model.records import TicketState
from ordergate.surfaces.console.app import Beside
from ordergate.surfaces.console.behind import principal_of
from support.operator_browser import ORIGIN, Browser, with_browser
from support.sign_ins import OPERATOR

WRITES = [
    "/operator/sign-out",
    "/operator/approvals/t-o1-1/approve",
    "/operator/approvals/t-o1-1/deny",
    "/operator/drafts/d1/submit",
    "/operator/drafts/d1/discard",
    "/operator/halts",
    "/operator/halts/h1/release",
    "/operator/orders/a1/resolve",
    "/operator/limits/limits.open_orders_max/loosen",
    "/operator/limits/limits.open_orders_max/withdraw",
    "/operator/feed",
    "/operator/tokens",
    "/approve/t-o1-1/yes",
    "/approve/t-o1-1/no",
    "/drafts/d1/submit",
    "/halts",
    "/halts/h1/release",
    "/orders/a1/placed",
    "/orders/a1/not-placed",
    "/limits/limits.open_orders_max/loosen",
    "/limits/limits.open_orders_max/withdraw",
    "/sign-out",
]
READS = [
    "/operator/approvals",
    "/operator/approvals/t-o1-1",
    "/operator/drafts",
    "/operator/halts",
    "/operator/parked",
    "/operator/tokens",
]


async def nothing_happened(browser: Browser) -> None:
    assert browser.gate.done == []
    assert browser.gate.standing == []
    assert all(one.state is TicketState.OPEN for one in browser.gate.tickets.values())
    await browser.identity.sign_in.session(browser.http.headers["Cookie"].partition("=")[2])


async def asked(browser: Browser) -> None:
    await browser.sign_in()
    browser.gate.ask()
    browser.gate.draft()


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "Basic", "Token", ""])
def test_any_authorization_header_is_refused_whatever_it_holds(tmp_path: Path, scheme: str) -> None:
    async def scene(browser: Browser) -> None:
        await asked(browser)
        _, token = await browser.identity.sign_in.create_token(
            kind=Kind.AGENT, name="claude", by=OPERATOR
        )
        bearer = {"Authorization": f"{scheme} {token}".strip()}
        for path in WRITES:
            reply = await browser.post(path, headers=bearer, json={})
            assert (reply.status_code, reply.json()["error"]["code"]) == (403, "FORBIDDEN")
        for path in [*READS, "/", "/sign-in", "/approve/t-o1-1"]:
            assert (await browser.get(path, headers=bearer)).status_code == 403
        await nothing_happened(browser)

    with_browser(tmp_path, scene)


def test_an_agents_token_opens_nothing_as_cookie_password_or_argument(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await asked(browser)
        _, token = await browser.identity.sign_in.create_token(
            kind=Kind.AGENT, name="claude", by=OPERATOR
        )
        reply = await browser.post(
            "/operator/sign-in", json={"name": "local-agent", "password": token, "code": "123456"}
        )
        assert reply.status_code == 401
        reply = await browser.post(
            "/operator/sign-in", json={"name": "alice", "password": "x", "token": token}
        )
        assert reply.status_code == 400
        for cookie in (f"__Host-ordergate={token}", "__Host-ordergate=", "session=x"):
            headers = {"Cookie": cookie}
            for path in READS:
                assert (await browser.get(path, headers=headers)).status_code == 401
            reply = await browser.post("/operator/approvals/t-o1-1/approve", headers=headers)
            assert reply.status_code == 401
        await nothing_happened(browser)

    with_browser(tmp_path, scene)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://ordergate.localhost:8010"},
        {"Origin": "http://ordergate.localhost"},
        {"Origin": "https://ordergate.localhost:8030"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "A" * 43},
        {"X-CSRF-Token": "é".encode()},
        {"Host": "127.0.0.1:8030"},
        {"Host": "localhost:8030"},
        {"Host": "ordergate.localhost"},
        {"Host": "evil.example:8030"},
    ],
    ids=str,
)
def test_a_write_from_elsewhere_is_refused(tmp_path: Path, headers: dict[str, str | bytes]) -> None:
    async def scene(browser: Browser) -> None:
        await asked(browser)
        for path in WRITES:
            reply = await browser.post(path, headers=headers, json={"reason": "because"})
            assert reply.status_code in (400, 403), path
        await nothing_happened(browser)

    with_browser(tmp_path, scene)


def test_a_write_without_origin_or_csrf_token_is_refused(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await asked(browser)
        for path in WRITES:
            no_origin = {"X-CSRF-Token": browser.csrf}
            assert (await browser.http.post(path, headers=no_origin)).status_code == 403
            no_token = {"Origin": ORIGIN}
            assert (await browser.http.post(path, headers=no_token)).status_code == 403
        await nothing_happened(browser)

    with_browser(tmp_path, scene)


@pytest.mark.parametrize("host", ["127.0.0.1:8030", "evil.example", "ordergate.localhost:80"])
def test_reading_under_another_name_is_refused(tmp_path: Path, host: str) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        for path in (*READS, "/", "/sign-in", "/console.css"):
            assert (await browser.get(path, headers={"Host": host})).status_code == 403
            both = [("Host", "ordergate.localhost:8030"), ("Host", host)]
            assert (await browser.get(path, headers=both)).status_code == 403

    with_browser(tmp_path, scene)


def test_the_cookie_is_host_bound_secure_http_only_and_strict(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.make_operator()
        who = {"name": "alice", "password": browser.password, "code": browser.codes.pop()}
        reply = await browser.post("/operator/sign-in", json=who)
        name, _, rules = reply.headers["set-cookie"].partition("=")
        assert name == "__Host-ordergate"
        assert rules.partition("; ")[2] == "Path=/; Secure; HttpOnly; SameSite=Strict"

    with_browser(tmp_path, scene)


def test_every_answer_carries_the_headers_and_is_never_kept(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await asked(browser)
        replies = [
            await browser.get("/approve/t-o1-1"),
            await browser.get("/operator/approvals"),
            await browser.get("/console.css"),
            await browser.get("/nothing-here"),
            await browser.get("/", headers={"Host": "evil.example"}),
            await browser.post("/operator/halts", headers={"Origin": "null"}),
        ]
        for reply in replies:
            policy = reply.headers["content-security-policy"]
            for rule in ("default-src 'self'", "frame-ancestors 'none'", "form-action 'self'"):
                assert rule in policy
            assert "unsafe" not in policy
            assert reply.headers["referrer-policy"] == "same-origin"
            assert reply.headers["x-content-type-options"] == "nosniff"
            assert reply.headers["cache-control"] == "no-store"
            assert "access-control-allow-origin" not in reply.headers

    with_browser(tmp_path, scene)


def test_a_large_body_is_refused_with_or_without_a_length(tmp_path: Path) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(65):
            yield b" " * 1024

    async def scene(browser: Browser) -> None:
        await asked(browser)
        for content in (b" " * (64 * 1024 + 1), chunks()):
            reply = await browser.post("/operator/halts", content=content)
            assert reply.status_code == 413
            assert reply.json()["error"]["code"] == "PAYLOAD_TOO_LARGE"
        await nothing_happened(browser)

    with_browser(tmp_path, scene)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"[" * 60_000,
        b'{"reason": {"a": {}}}',
        b'{"reason": 5}',
        b'{"reason": null}',
        b'{"reason": "  "}',
        b'{"reason": "\\ud800"}',
        b'{"reason": NaN}',
        b'{"reason": "x", "reason": "y"}',
        b'{"reason": "x", "force": true}',
        b'{"reason": "x", "scope": "everything"}',
        b'{"reason": "' + b"x" * 501 + b'"}',
        b"\xff\xfe",
        b"",
    ],
)
def test_bad_json_gets_a_code_and_changes_nothing(tmp_path: Path, body: bytes) -> None:
    async def scene(browser: Browser) -> None:
        await asked(browser)
        reply = await browser.post(
            "/operator/halts", content=body, headers={"Content-Type": "application/json"}
        )
        assert reply.status_code == 400
        answer = reply.json()
        assert (answer["ok"], answer["data"]) == (False, None)
        assert answer["error"]["code"] == "INVALID_ARGUMENT"
        await nothing_happened(browser)

    with_browser(tmp_path, scene)


def test_signing_in_before_any_operator_exists_says_what_to_do(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        reply = await browser.post(
            "/operator/sign-in", json={"name": "a", "password": "b", "code": "123456"}
        )
        assert reply.status_code == 401
        assert "ordergate operator init" in reply.json()["error"]["fix"]

    with_browser(tmp_path, scene)


def test_too_many_tries_answer_when_to_try_again(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.identity.sign_in.init_operator("alice")
        wrong = {"name": "alice", "password": "wrong", "code": "123456"}
        codes = [
            (await browser.post("/operator/sign-in", json=wrong)).status_code for _ in range(6)
        ]
        assert codes == [401] * 5 + [429]
        reply = await browser.post("/operator/sign-in", json=wrong)
        assert reply.json()["error"]["retryable"] is True
        assert reply.headers["retry-after"] == "61"

    with_browser(tmp_path, scene)


def test_an_ended_session_reads_and_writes_nothing(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await asked(browser)
        browser.identity.clock.advance(30 * 60)
        for path in READS:
            assert (await browser.get(path)).status_code == 401
        reply = await browser.post("/operator/halts", json={"reason": "because"})
        assert reply.status_code == 401
        assert browser.gate.standing == []

    with_browser(tmp_path, scene)


def test_signing_out_ends_the_session(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await asked(browser)
        reply = await browser.post("/operator/sign-out")
        assert reply.status_code == 200
        assert "Max-Age=0" in reply.headers["set-cookie"]
        assert (await browser.get("/operator/approvals")).status_code == 401

    with_browser(tmp_path, scene)


def test_an_ask_is_approved_once_for_what_was_shown(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await asked(browser)
        (ask,) = (await browser.get("/operator/approvals")).json()["data"]
        shown = (await browser.get(f"/operator/approvals/{ask['ticket_id']}")).json()["data"]
        assert shown["order"]["decision"]["verdicts"][0]["rule"] == "order_notional"
        path = f"/operator/approvals/{ask['ticket_id']}/approve"

        other = await browser.act(path, {"fingerprint": "another order"})
        assert other.json()["error"]["code"] == "INVALID_APPROVAL"
        assert browser.gate.done == []

        fingerprint = {"fingerprint": shown["ticket"]["fingerprint"]}
        answers = await asyncio.gather(*(browser.act(path, fingerprint) for _ in range(4)))
        # The cookie turns with the first factor: the others came with one that is over.
        assert sorted(answer.status_code for answer in answers) == [200] + [401] * 3
        assert (await browser.act(path, fingerprint)).status_code == 409
        assert browser.gate.done == [("approve", ask["ticket_id"], "recovery")]

    with_browser(tmp_path, scene)


def test_a_price_out_of_the_band_is_no_success_and_names_the_new_ask(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        ticket = browser.gate.ask()
        browser.gate.move_price("1.1000")
        reply = await browser.act(
            f"/operator/approvals/{ticket.ticket_id}/approve",
            {"fingerprint": ticket.fingerprint},
        )
        assert reply.status_code == 409
        error = reply.json()["error"]
        assert (error["code"], error["requires_human"]) == ("NEEDS_REAPPROVAL", True)
        assert error["details"]["ticket_id"] == "t-o1-2"
        assert error["details"]["ticket"]["reference_price"] == "1.1"
        assert browser.gate.done == []

    with_browser(tmp_path, scene)


def test_drafts_halts_and_parked_orders_are_the_operators(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        browser.gate.draft("d1")
        browser.gate.draft("d2")
        assert len((await browser.get("/operator/drafts")).json()["data"]) == 2
        submitted = await browser.act("/operator/drafts/d1/submit")
        assert submitted.json()["data"]["status"] == "filled"
        await browser.post("/operator/drafts/d2/discard", json={})

        engaged = (await browser.post("/operator/halts", json={"reason": "too fast"})).json()
        halt_id = engaged["data"]["halt_id"]
        (standing,) = (await browser.get("/operator/halts")).json()["data"]
        assert (standing["kind"], standing["scope"]) == ("kill", "global")
        released = await browser.act(
            f"/operator/halts/{halt_id}/release", {"reason": "looked at it"}
        )
        assert released.json()["data"]["released_by"] == "operator:alice"

        browser.gate.park("x1")
        (parked,) = (await browser.get("/operator/parked")).json()["data"]
        assert (parked["order_id"], parked["code"]) == ("x1", "ORDER_UNKNOWN")
        loose = {"placed": 1, "reason": "not in the books"}
        assert (await browser.post("/operator/orders/x1/resolve", json=loose)).status_code == 400
        found = {"placed": False, "reason": "not in the books"}
        assert (await browser.act("/operator/orders/x1/resolve", found)).status_code == 200
        assert browser.gate.done == [
            ("submit", "d1", "operator:alice"),
            ("discard", "d2", "operator:alice"),
            ("release", "h1", "looked at it"),
            ("resolve", "x1", "False not in the books"),
        ]

    with_browser(tmp_path, scene)


def test_a_tightening_is_taken_back_with_a_reason(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        browser.gate.tighten("limits.open_orders_max", "1")
        path = "/operator/limits/limits.open_orders_max/loosen"
        for refused in ({}, {"reason": " "}, {"reason": "looked", "value": "9"}):
            assert (await browser.post(path, json=refused)).status_code == 400
        assert browser.gate.done == []
        reply = await browser.act(path, {"reason": "looked"})
        assert reply.json()["data"] == {"limits": [], "loosenings": []}
        assert browser.gate.done == [("loosen", "limits.open_orders_max", "looked")]
        again = await browser.act(path, {"reason": "looked"})
        assert again.json()["error"]["code"] == "ILLEGAL_STATE"

    with_browser(tmp_path, scene)


def test_the_pace_of_a_recording_is_set_by_exact_fields(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        for refused in ({}, {"paused": 1}, {"speed": 60}, {"speed": "fast"}, {"pause": True}):
            assert (await browser.post("/operator/feed", json=refused)).status_code == 400
        assert browser.gate.done == []
        reply = await browser.post("/operator/feed", json={"paused": True, "speed": "60"})
        assert reply.json()["data"] == {"paused": True, "speed": "60"}
        await browser.post("/operator/feed", json={"paused": False})
        assert browser.gate.done == [("pace", "True", "60"), ("pace", "False", "None")]

    with_browser(tmp_path, scene)


def test_prices_before_a_decision_carry_source_age_and_that_they_are_made_up(
    tmp_path: Path,
) -> None:
    async def scene(browser: Browser) -> None:
        await asked(browser)
        for path in ("/operator/approvals", "/operator/drafts"):
            (shown,) = (await browser.get(path)).json()["data"]
            names = ("price_now", "source", "synthetic", "price_age_s")
            assert [shown[name] for name in names] == ["1.0851", "simulated", True, "1.5"]
            assert shown["price_as_of"].startswith("2026-01-07T14:00")

    with_browser(tmp_path, scene)


def test_tokens_are_made_shown_once_and_revoked(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        made = await browser.act("/operator/tokens", {"kind": "agent", "name": "claude"})
        token = made.json()["data"]["token"]
        assert (await browser.identity.sign_in.bearer(token)).id == "claude"
        listed = await browser.get("/operator/tokens")
        (row,) = listed.json()["data"]
        assert "digest" not in row
        assert token.split("_")[3] not in listed.text
        revoked = await browser.http.delete(
            f"/operator/tokens/{row['token_id']}",
            headers={"Origin": ORIGIN, "X-CSRF-Token": browser.csrf},
        )
        assert revoked.status_code == 200
        for fields in (
            {"kind": "operator", "name": "boss"},
            {"kind": "gateway", "name": "boss"},
            {"kind": "root", "name": "boss"},
            {"kind": "agent", "name": "boss", "days": True},
            {"kind": "agent", "name": "boss", "days": 10**30},
        ):
            reply = await browser.act("/operator/tokens", fields)
            assert reply.status_code == 400, fields

    with_browser(tmp_path, scene)


def test_the_audit_is_exported_as_lines_to_the_operator_alone(tmp_path: Path) -> None:
    async def lines() -> AsyncIterator[str]:
        yield '{"seq":1}\n'
        yield '{"seq":2}\n'

    async def scene(browser: Browser) -> None:
        assert (await browser.post("/operator/audit/export")).status_code == 401
        await browser.sign_in()
        assert (await browser.post("/operator/audit/export")).status_code == 401
        reply = await browser.act("/operator/audit/export")
        assert reply.text == '{"seq":1}\n{"seq":2}\n'

    with_browser(tmp_path, scene, audit=lines)


def test_what_breaks_inside_is_not_told(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        browser.gate.orders["d1"] = None  # type: ignore[assignment]  # a row that cannot be read
        reply = await browser.get("/operator/drafts")
        assert reply.status_code == 500
        assert reply.json()["error"]["code"] == "INTERNAL_ERROR"
        assert "NoneType" not in reply.text
        assert reply.headers["cache-control"] == "no-store"

    with_browser(tmp_path, scene)


def test_the_agents_operations_behind_the_cookie_know_the_operator(tmp_path: Path) -> None:
    seen: list[tuple[str, str]] = []

    async def api(scope: dict, receive: object, send: object) -> None:
        seen.append((scope["method"], (await principal_of(HTTPConnection(scope))).id))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def scene(browser: Browser) -> None:
        assert (await browser.get("/api/v1/orders")).status_code == 401
        await browser.sign_in()
        assert (await browser.get("/api/v1/orders")).status_code == 204
        assert (await browser.http.post("/api/v1/orders")).status_code == 403
        without = await browser.http.post("/api/v1/orders", headers={"Origin": ORIGIN})
        assert without.status_code == 403
        assert (await browser.post("/api/v1/orders")).status_code == 204
        assert seen == [("GET", "operator:alice"), ("POST", "operator:alice")]

    with_browser(tmp_path, scene, beside=Beside(api))


def test_a_real_server_holds_the_same_wall(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        app = browser.http._transport.app
        config = uvicorn.Config(app, lifespan="off", log_level="error", ws="none")
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve([listener]))
            async with httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{listener.getsockname()[1]}"
            ) as http:
                right = {"Host": "ordergate.localhost:8030"}
                assert (await http.get("/sign-in", headers=right)).status_code == 200
                assert (await http.get("/sign-in")).status_code == 403
                bearer = {**right, "Authorization": "Bearer og_x"}
                assert (await http.get("/sign-in", headers=bearer)).status_code == 403
            server.should_exit = True
            await serving

    with_browser(tmp_path, scene)
