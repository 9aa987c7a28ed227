"""Every route of the operator's listener is declared here, with what it asks of who comes.

A route that is not in the table fails; so does one that asks for less than the table says.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from ordergate.identity.authority import FRESH
from ordergate.surfaces.console.app import console_app
from support.operator_browser import ORIGIN, Browser, with_browser
from support.operator_desk import FakeGate

# open = anyone; door = anyone, as a write; read = a cookie; write = cookie, Origin, CSRF token;
# factor = all that and a factor shown for this very act
ROUTES = """
GET    /                                        read
GET    /sign-in                                 open
GET    /console.css                             open
GET    /icon.svg                                open
GET    /passkey.js                              open
POST   /sign-in                                 door
POST   /sign-in/passkey                         door
POST   /sign-out                                write
GET    /approve/{id}                            read
POST   /approve/{id}/yes                        factor
POST   /approve/{id}/no                         write
GET    /orders/{id}                             read
POST   /orders/{id}/placed                      factor
POST   /orders/{id}/not-placed                  factor
POST   /limits/{name}/loosen                    factor
POST   /limits/{name}/withdraw                  write
GET    /arming                                  read
POST   /arming/offer                            write
POST   /arming/arm                              factor
POST   /arming/disarm                           write
GET    /drafts                                  read
POST   /drafts/{id}/submit                      factor
POST   /drafts/{id}/discard                     write
GET    /halts                                   read
POST   /halts                                   write
POST   /halts/{id}/release                      factor
GET    /security                                read
POST   /security/passkeys/{id}/remove           factor
POST   /security/password                       factor
POST   /security/recovery-codes                 factor
POST   /security/totp                           factor
POST   /security/totp/confirm                   write
POST   /security/sessions/{id}/end              write
POST   /operator/sign-in                        door
POST   /operator/sign-in/passkey/options        door
POST   /operator/sign-in/passkey                door
POST   /operator/sign-out                       write
POST   /operator/factor                         write
GET    /operator/sessions                       read
DELETE /operator/sessions/{id}                  write
GET    /operator/passkeys                       read
POST   /operator/passkeys/options               factor
POST   /operator/passkeys                       write
POST   /operator/passkeys/{id}/remove           factor
POST   /operator/password                       factor
POST   /operator/recovery-codes                 factor
POST   /operator/totp                           factor
POST   /operator/totp/confirm                   write
GET    /operator/approvals                      read
GET    /operator/approvals/{id}                 read
POST   /operator/approvals/{id}/approve         factor
POST   /operator/approvals/{id}/deny            write
GET    /operator/drafts                         read
POST   /operator/drafts/{id}/submit             factor
POST   /operator/drafts/{id}/discard            write
GET    /operator/halts                          read
POST   /operator/halts                          write
POST   /operator/halts/{id}/release             factor
GET    /operator/parked                         read
POST   /operator/orders/{id}/resolve            factor
POST   /operator/limits/{name}/loosen           factor
POST   /operator/limits/{name}/withdraw         write
GET    /operator/underlyings                    read
POST   /operator/underlyings                    factor
POST   /operator/underlyings/remove             factor
GET    /operator/external                       read
POST   /operator/positions/{id}/close           factor
GET    /operator/arming                         read
POST   /operator/arming/offer                   write
POST   /operator/arming/arm                     factor
POST   /operator/arming/disarm                  write
POST   /operator/feed                           write
GET    /operator/tokens                         read
POST   /operator/tokens                         factor
DELETE /operator/tokens/{id}                    write
POST   /operator/audit/export                   factor
"""
ROWS = [tuple(line.split()) for line in ROUTES.strip().splitlines()]
NEEDS = {(method, path): need for method, path, need in ROWS}
WHOLE: dict[str, dict[str, Any]] = {  # a body that is right but for the factor
    "approve": {"fingerprint": "fingerprint-o1-1"},
    "yes": {"fingerprint": "fingerprint-o1-1"},
    "release": {"reason": "looked"},
    "resolve": {"placed": False, "reason": "looked"},
    "placed": {"reason": "looked"},
    "not-placed": {"reason": "looked"},
    "loosen": {"reason": "looked"},
    "tokens": {"kind": "agent", "name": "claude"},
    "underlyings": {"name": "GOLD", "underlying": "XAUUSD", "reason": "looked"},
    "underlyings/remove": {"name": "GOLD", "reason": "looked"},
    "close": {"reason": "looked"},
    "arm": {"account": "paper-1", "offer": "0" * 64},
}


async def no_lines() -> Any:
    yield ""


def routes_of(app: Any) -> list[Route]:
    """Return the routes inside the wall."""
    while not isinstance(app, Starlette):
        app = getattr(app, "_pages", None) or app._app
    return list(app.routes)


def filled(path: str) -> str:
    ids = {"approvals": "t-o1-1", "approve": "t-o1-1", "drafts": "d1", "halts": "h1"}
    head = next((ids[part] for part in path.split("/") if part in ids), "x1")
    return path.replace("{id}", head).replace("{name}", "limits.open_orders_max")


def test_every_route_is_in_the_table_and_every_row_is_a_route(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        app = console_app(
            desk=FakeGate(browser.identity.clock),  # type: ignore[arg-type]
            gateway=browser.gate,  # type: ignore[arg-type]
            sign_in=browser.identity.sign_in,
            origins=frozenset({ORIGIN}),
            audit=no_lines,
        )
        found = {
            (method, route.path)
            for route in routes_of(app)
            for method in (route.methods or set()) - {"HEAD"}
        }
        assert found == set(NEEDS)
        assert len(ROWS) == len(NEEDS)

    with_browser(tmp_path, scene)


async def stage(browser: Browser) -> None:
    """Sign in, and lay something out for every act."""
    await browser.sign_in()
    browser.gate.ask()
    browser.gate.draft()
    browser.gate.park()
    browser.gate.tighten("limits.open_orders_max", "1")
    await browser.post("/operator/halts", json={"reason": "look"})


async def send(
    browser: Browser, method: str, path: str, *, csrf: str | None = None, **headers: str
) -> Any:
    """Send a request that is right but for the factor: JSON, or a form's fields."""
    body = WHOLE.get(path.removeprefix("/operator/"), WHOLE.get(path.rpartition("/")[2], {}))
    place = filled(path)
    if method != "POST":
        return await browser.http.request(method, place, headers=headers)
    if path.startswith("/operator/"):
        token = {"X-CSRF-Token": csrf} if csrf else {}
        return await browser.http.post(place, json=body, headers={**token, **headers})
    form = {**body, **({"csrf": csrf} if csrf else {})}
    return await browser.http.post(place, data=form, headers=headers)


WRITES = [row for row in ROWS if row[2] in ("write", "factor")]


def unchanged(browser: Browser) -> bool:
    gate = browser.gate
    return gate.done == [] and len(gate.standing) == 1 and len(gate.tight) == 1


def test_no_write_is_taken_from_another_origin_host_or_without_the_token(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await stage(browser)
        for method, path, need in ROWS:
            if need in ("open", "read"):
                continue
            for headers in (
                {},
                {"Origin": "http://ordergate.localhost:8010"},
                {"Origin": "http://evil.example"},
                {"Origin": ORIGIN, "Host": "127.0.0.1:8030"},
                {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
                {"Origin": ORIGIN, "Authorization": "Bearer og_x"},
            ):
                reply = await send(browser, method, path, csrf=browser.csrf, **headers)
                assert reply.status_code == 403, (path, headers)
            if need != "door":
                for token in (None, "A" * 43):
                    reply = await send(browser, method, path, csrf=token, Origin=ORIGIN)
                    assert reply.status_code == 403, (path, token)
        assert unchanged(browser)

    with_browser(tmp_path, scene, audit=no_lines)


def test_nothing_but_the_door_is_open_to_who_is_not_signed_in(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await stage(browser)
        del browser.http.headers["Cookie"]
        for method, path, need in ROWS:
            reply = await send(browser, method, path, csrf=browser.csrf, Origin=ORIGIN)
            if need == "open":
                assert reply.status_code == 200, path
            elif need != "door":
                led = reply.status_code == 303 and "/sign-in" in reply.headers["location"]
                assert reply.status_code == 401 or led, (path, reply.status_code)
        assert unchanged(browser)

    with_browser(tmp_path, scene, audit=no_lines)


@pytest.mark.parametrize(("method", "path"), [row[:2] for row in ROWS if row[2] == "factor"])
def test_a_privileged_act_waits_for_its_factor(tmp_path: Path, method: str, path: str) -> None:
    async def scene(browser: Browser) -> None:
        await stage(browser)
        reply = await send(browser, method, path, csrf=browser.csrf, Origin=ORIGIN)
        assert reply.status_code == 401, reply.text
        assert "needs a factor" in reply.text
        assert unchanged(browser)

    with_browser(tmp_path, scene, audit=no_lines)


def test_every_act_that_needs_a_factor_has_a_way_to_be_done() -> None:
    """ARM comes with the live venues; all else of the matrix is here."""
    acts = {path.rpartition("/")[2] for _, path, need in ROWS if need == "factor"}
    assert len(FRESH) == 9
    assert {"approve", "submit", "release", "resolve", "loosen", "tokens", "export"} <= acts
