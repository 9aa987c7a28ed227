"""A factor counts once, for one act, of one operator, here: everything else is refused."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from ordergate.identity.factors.challenges import LIFE_S
from ordergate.identity.factors.totp import code_of, step_at
from ordergate.identity.operators import TRIES_MAX
from support.operator_browser import Browser, with_browser
from support.sign_ins import ORIGIN
from support.soft_passkey import PRESENT, SoftPasskey

Scene = Callable[[Browser], Awaitable[None]]


def seed_of(browser: Browser) -> str:
    seed = browser.identity.sign_in._seeds.read("operator:alice")
    assert seed is not None
    return seed


def code_now(browser: Browser, off: int = 0) -> str:
    return code_of(seed_of(browser), step_at(browser.identity.clock.now()) + off)


async def asked(browser: Browser) -> str:
    """Sign in by recovery code, put an ask on the desk; return where it is approved."""
    await browser.sign_in()
    return f"/operator/approvals/{browser.gate.ask().ticket_id}/approve"


async def enrolled(browser: Browser, **claims: Any) -> SoftPasskey:
    key = SoftPasskey(ORIGIN, key=generate_private_key(SECP256R1()))
    options = (await browser.act("/operator/passkeys/options")).json()["data"]
    made = {"name": "phone", "credential": key.create(options, **claims)}
    reply = await browser.post("/operator/passkeys", json=made)
    assert reply.status_code == (401 if claims else 200), reply.text
    return key


async def options_for(browser: Browser, act: str, target: str) -> dict[str, Any]:
    reply = await browser.post("/operator/factor", json={"act": act, "target": target})
    options: dict[str, Any] = reply.json()["data"]
    return options


def why(reply: httpx.Response) -> str | None:
    """Return what was wrong with the factor; None where nothing was."""
    error = reply.json()["error"] or {"details": {}}
    said: str | None = error["details"].get("factor")
    return said


YES = {"fingerprint": "fingerprint-o1-1"}


def test_without_a_factor_of_its_own_no_act_is_done(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        path = await asked(browser)
        reply = await browser.post(path, json=YES)
        error = reply.json()["error"]
        assert (reply.status_code, error["code"]) == (401, "UNAUTHENTICATED")
        assert error["details"] == {"factor": "missing"}
        assert browser.gate.done == []

    with_browser(tmp_path, scene)


def test_a_step_is_good_once_and_no_older_one_after_it(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        path = await asked(browser)
        code = code_now(browser)
        wrong = {**YES, "fingerprint": "another"}
        assert (await browser.post(path, json={**wrong, "code": code})).status_code == 409
        for off in (0, -1):
            reply = await browser.post(path, json={**YES, "code": code_now(browser, off)})
            assert why(reply) == "used"
        assert browser.gate.done == []
        reply = await browser.post(path, json={**YES, "code": code_now(browser, 1)})
        assert reply.status_code == 200
        assert [act for act, _, _ in browser.gate.done] == ["approve"]

    with_browser(tmp_path, scene)


def test_a_code_that_signed_in_does_not_act(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.make_operator()
        code = code_now(browser)
        who = {"name": "alice", "password": browser.password, "code": code}
        signed = await browser.post("/operator/sign-in", json=who)
        browser.csrf = signed.json()["data"]["csrf"]
        assert signed.json()["data"]["method"] == "totp"
        ticket = browser.gate.ask()
        path = f"/operator/approvals/{ticket.ticket_id}/approve"
        reply = await browser.post(path, json={**YES, "code": code})
        assert why(reply) == "used"
        again = await browser.post("/operator/sign-in", json=who)
        assert why(again) == "used"
        assert browser.gate.done == []

    with_browser(tmp_path, scene)


def test_the_same_code_at_once_is_taken_once(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.make_operator()
        who = {"name": "alice", "password": browser.password, "code": code_now(browser)}
        replies = await asyncio.gather(
            *(browser.post("/operator/sign-in", json=who) for _ in range(4))
        )
        assert sorted(reply.status_code for reply in replies) == [200, 401, 401, 401]

    with_browser(tmp_path, scene)


def test_a_recovery_code_is_good_once_and_ten_new_ones_void_the_old(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        path = await asked(browser)
        code = browser.codes.pop()
        other = {"fingerprint": "another", "code": code}
        assert (await browser.post(path, json=other)).status_code == 409
        reply = await browser.post(path, json={**YES, "code": code})
        assert why(reply) == "wrong"
        made = await browser.act("/operator/recovery-codes")
        old, new = browser.codes.pop(), made.json()["data"]["codes"]
        assert len(new) == 10
        assert (await browser.post(path, json={**YES, "code": old})).status_code == 401
        assert (await browser.post(path, json={**YES, "code": new[0]})).status_code == 200

    with_browser(tmp_path, scene)


def test_a_new_password_voids_the_old_one_and_every_other_sign_in(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        who = {"name": "alice", "password": browser.password}
        code = browser.codes.pop()
        again = await browser.post("/operator/sign-in", json={**who, "code": code})
        browser.csrf = again.json()["data"]["csrf"]
        assert len((await browser.get("/operator/sessions")).json()["data"]) == 2
        refused = await browser.post("/operator/password", json={})
        assert refused.status_code == 401, "a stolen cookie alone takes nothing over"
        made = (await browser.act("/operator/password")).json()["data"]["password"]
        assert made != browser.password
        opened = (await browser.get("/operator/sessions")).json()["data"]
        assert [one["this"] for one in opened] == [True]
        old = {**who, "code": browser.codes.pop()}
        assert (await browser.post("/operator/sign-in", json=old)).status_code == 401
        new = {"name": "alice", "password": made, "code": browser.codes.pop()}
        assert (await browser.post("/operator/sign-in", json=new)).status_code == 200
        kinds = [row.kind for row in browser.identity.audit()]
        assert kinds.count("operator.password_replaced") == 1

    with_browser(tmp_path, scene)


def test_the_page_shows_a_new_password_this_once(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        shown = await browser.submit("/security", "/security/password", code=browser.codes.pop())
        (made,) = re.findall(r'class="codes"><code>([^<]+)<', shown.text)
        assert made not in (await browser.get("/security")).text
        who = {"name": "alice", "password": made, "code": browser.codes.pop()}
        assert (await browser.post("/operator/sign-in", json=who)).status_code == 200

    with_browser(tmp_path, scene)


def test_a_passkey_signs_exactly_this_order_and_its_proof_says_so(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        path = await asked(browser)
        key = await enrolled(browser)
        proofs = []
        sound = browser.gate.approve

        async def noted(*given: Any, proof: Any, **more: Any) -> Any:
            proofs.append(proof)
            return await sound(*given, proof=proof, **more)

        browser.gate.approve = noted  # type: ignore[method-assign]  # to see what the desk is given
        options = await options_for(browser, "approve", "t-o1-1")
        answer = {**YES, "assertion": key.get(options)}
        assert (await browser.post(path, json=answer)).status_code == 200
        (proof,) = proofs
        assert proof.is_over("fingerprint-o1-1")
        assert not proof.is_over("fingerprint-o2-1")
        assert browser.gate.done == [("approve", "t-o1-1", "passkey")]

    with_browser(tmp_path, scene)


@pytest.mark.parametrize(
    "claims",
    [
        {"origin": "http://ordergate.localhost:8010"},
        {"origin": "http://evil.example"},
        {"rp_id": "localhost"},
        {"flags": PRESENT},
        {"flags": 0},
        {"count": 0},
    ],
    ids=str,
)
def test_an_assertion_from_elsewhere_or_of_nobody_is_refused(
    tmp_path: Path, claims: dict[str, Any]
) -> None:
    async def scene(browser: Browser) -> None:
        path = await asked(browser)
        key = await enrolled(browser)
        first = key.get(await options_for(browser, "approve", "t-o1-1"))
        assert (
            await browser.post(path, json={"fingerprint": "another", "assertion": first})
        ).status_code == 409
        options = await options_for(browser, "approve", "t-o1-1")
        answer = {**YES, "assertion": key.get(options, **claims)}
        reply = await browser.post(path, json=answer)
        assert why(reply) == "wrong"
        assert browser.gate.done == []

    with_browser(tmp_path, scene)


@pytest.mark.parametrize("claims", [{"flags": PRESENT}, {"origin": "http://evil.example"}], ids=str)
def test_a_device_that_does_not_verify_its_user_is_not_enrolled(
    tmp_path: Path, claims: dict[str, Any]
) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        await enrolled(browser, **claims)
        assert (await browser.get("/operator/passkeys")).json()["data"] == []

    with_browser(tmp_path, scene)


def test_an_assertion_is_no_yes_to_another_ask_or_act_nor_again_nor_late(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        path = await asked(browser)
        other = f"/operator/approvals/{browser.gate.ask('o2').ticket_id}/approve"
        key = await enrolled(browser)

        async def refused(where: str, answer: dict[str, Any]) -> None:
            reply = await browser.post(where, json=answer)
            assert reply.status_code == 401, reply.text
            assert browser.gate.done == []

        async def signed(act: str, target: str) -> str:
            return key.get(await options_for(browser, act, target))

        fields = {"fingerprint": "fingerprint-o2-1"}
        await refused(other, {**fields, "assertion": await signed("approve", "t-o1-1")})
        await refused(path, {**YES, "assertion": await signed("release", "t-o1-1")})
        await refused(path, {**YES, "assertion": await signed("manage_factors", "")})
        once = await signed("approve", "t-o1-1")
        spent = await browser.post(path, json={"fingerprint": "another", "assertion": once})
        assert spent.json()["error"]["code"] == "INVALID_APPROVAL"
        await refused(path, {**YES, "assertion": once})
        late = await signed("approve", "t-o1-1")
        browser.identity.clock.advance(LIFE_S)
        await refused(path, {**YES, "assertion": late})
        unasked = key.get({"challenge": "AAAA"})
        await refused(path, {**YES, "assertion": unasked})

    with_browser(tmp_path, scene)


def test_an_assertion_asked_by_another_sign_in_is_refused(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        path = await asked(browser)
        key = await enrolled(browser)
        options = await options_for(browser, "approve", "t-o1-1")
        who = {"name": "alice", "password": browser.password, "code": browser.codes.pop()}
        browser.csrf = (await browser.post("/operator/sign-in", json=who)).json()["data"]["csrf"]
        reply = await browser.post(path, json={**YES, "assertion": key.get(options)})
        assert why(reply) == "wrong"
        assert browser.gate.done == []

    with_browser(tmp_path, scene)


def test_a_passkey_signs_in_is_listed_and_removed(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        key = await enrolled(browser)

        async def enter() -> int:
            asked = await browser.post("/operator/sign-in/passkey/options", json={})
            answer = {"assertion": key.get(asked.json()["data"])}
            reply = await browser.post("/operator/sign-in/passkey", json=answer)
            if reply.status_code == 200:
                assert reply.json()["data"]["method"] == "passkey"
                browser.csrf = reply.json()["data"]["csrf"]
                again = await browser.post("/operator/sign-in/passkey", json=answer)
                assert again.status_code == 401, "a challenge is answered once"
            return reply.status_code

        assert await enter() == 200
        (held,) = (await browser.get("/operator/passkeys")).json()["data"]
        assert held["name"] == "phone"
        assert "public_key" not in held
        path = f"/operator/passkeys/{held['passkey_id']}/remove"
        assert (await browser.post(path, json={})).status_code == 401
        assert (await browser.act(path)).status_code == 200
        assert await enter() == 401

    with_browser(tmp_path, scene)


def test_the_cookie_turns_with_each_factor_and_the_old_one_is_nothing(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        path = await asked(browser)
        before = browser.http.headers["Cookie"]
        await browser.act(path, {"fingerprint": "another"})
        after = browser.http.headers["Cookie"]
        assert before != after, "also where the act itself was refused"
        assert (await browser.get("/operator/halts")).status_code == 200
        stale = await browser.get("/operator/halts", headers={"Cookie": before})
        assert stale.status_code == 401
        await browser.post(path, json={**YES, "code": "000000"})
        assert browser.http.headers["Cookie"] == after, "a wrong factor turns nothing"

    with_browser(tmp_path, scene)


def test_guessing_factors_is_throttled_like_guessing_passwords(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        path = await asked(browser)
        guesses = [{**YES, "code": f"{n:06}"} for n in range(TRIES_MAX + 1)]
        codes = [(await browser.post(path, json=one)).status_code for one in guesses]
        assert codes == [401] * TRIES_MAX + [429]
        right = await browser.act(path, YES)
        assert right.status_code == 429
        browser.identity.clock.advance(61)
        assert (await browser.act(path, YES)).status_code == 200

    with_browser(tmp_path, scene)


def test_sign_ins_are_listed_and_ended(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        first = {"Cookie": browser.http.headers["Cookie"]}
        who = {"name": "alice", "password": browser.password, "code": browser.codes.pop()}
        browser.csrf = (await browser.post("/operator/sign-in", json=who)).json()["data"]["csrf"]
        listed = (await browser.get("/operator/sessions")).json()["data"]
        assert [one["this"] for one in listed] == [False, True]
        assert {one["method"] for one in listed} == {"recovery"}
        assert "digest" not in listed[0]
        headers = {"Origin": ORIGIN, "X-CSRF-Token": browser.csrf}
        path = f"/operator/sessions/{listed[0]['session_id']}"
        assert (await browser.http.delete(path, headers=headers)).status_code == 200
        assert (await browser.http.delete(path, headers=headers)).status_code == 404
        assert (await browser.get("/operator/halts", headers=first)).status_code == 401
        assert len((await browser.get("/operator/sessions")).json()["data"]) == 1

    with_browser(tmp_path, scene)


def test_a_new_authenticator_counts_when_it_has_shown_a_right_code(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        path = await asked(browser)
        old = seed_of(browser)
        page = await browser.submit("/security", "/security/totp")
        assert "<svg" in page.text
        assert "otpauth://" in page.text
        form = "/security/totp/confirm"
        fields = {"csrf": browser.csrf, "code": "000000"}
        wrong = await browser.http.post(form, data=fields, headers={"Origin": ORIGIN})
        assert wrong.status_code == 400
        assert seed_of(browser) == old
        seed = page.text.split("secret=")[1].split("&")[0]
        fields["code"] = code_of(seed, step_at(browser.identity.clock.now()))
        right = await browser.http.post(form, data=fields, headers={"Origin": ORIGIN})
        assert right.status_code == 303
        assert seed_of(browser) == seed
        reply = await browser.post(path, json={**YES, "code": fields["code"]})
        assert why(reply) == "used"
        assert (
            await browser.post(path, json={**YES, "code": code_now(browser, 1)})
        ).status_code == 200

    with_browser(tmp_path, scene)


def test_what_was_shown_is_sealed_and_no_code_or_seed_is(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        path = await asked(browser)
        seed, code = seed_of(browser), browser.codes[-1]
        await browser.act(path, YES)
        await browser.post(path, json={**YES, "code": "123456"})
        rows = browser.identity.audit()
        kinds = [row.kind for row in rows]
        assert kinds[-2:] == ["operator.factor_shown", "operator.factor_refused"]
        written = "".join(row.actor + row.corr + row.body for row in rows)
        for secret in (seed, code, code.replace("-", ""), "123456"):
            assert secret not in written
        for file in tmp_path.glob("gate.db*"):
            assert seed.encode() not in file.read_bytes(), "it lies apart from the password's hash"

    with_browser(tmp_path, scene)
