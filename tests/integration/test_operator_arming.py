"""Arming at the operator's listener: what a page offers, what a passkey signs, how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.live import LIMITS, LIVE, ON, TRADER, prove_live
from support.operator_browser import forms_of, visible_text
from support.operator_line import LARGE, OperatorLine, with_operator_line


@pytest.fixture
def _live(monkeypatch: pytest.MonkeyPatch) -> None:
    prove_live(monkeypatch)


async def offer(line: OperatorLine, **fields: str) -> str:
    body = {"account": LIVE.account, **fields}
    reply = await line.http.post("/operator/arming/offer", json=body)
    assert reply.status_code == 200, reply.text
    return str(reply.json()["data"]["digest"])


async def arm(line: OperatorLine, digest: str, **factor: str) -> tuple[int, str | None]:
    """Arm with a passkey that signed this offer, or with another factor."""
    shown = factor or {"assertion": await line.signed("arm", digest)}
    body = {"account": LIVE.account, "offer": digest, **shown}
    reply = await line.http.post("/operator/arming/arm", json=body)
    return reply.status_code, (reply.json()["error"] or {}).get("code")


async def is_armed(line: OperatorLine) -> bool:
    found = (await line.http.get("/operator/arming")).json()["data"]
    assert (found["mode"], found["switched_on"]) == ("live", True)
    return bool(found["armed"])


@pytest.mark.usefixtures("_live")
def test_an_account_is_armed_by_a_signature_and_disarmed_by_a_word(tmp_path: Path) -> None:
    async def scene(line: OperatorLine) -> None:
        await line.operator_signs_in()
        await line.enrols()
        digest = await offer(line, hours="2")
        code = line.codes.pop()
        assert await arm(line, digest, code=code) == (409, "INVALID_APPROVAL"), (
            "a code arms nothing"
        )
        assert await arm(line, "0" * 64) == (409, "INVALID_APPROVAL"), "nor what was not offered"
        assert not await is_armed(line)
        digest = await offer(line, hours="2")
        assert await arm(line, digest) == (200, None)
        assert await is_armed(line)
        body = {"account": LIVE.account, "reason": "done"}
        assert (await line.http.post("/operator/arming/disarm", json=body)).status_code == 200
        assert not await is_armed(line)
        assert await arm(line, digest) == (409, "INVALID_APPROVAL"), "a signature is good once"

    with_operator_line(tmp_path, scene, switches=ON, limits=LIMITS)


@pytest.mark.usefixtures("_live")
def test_the_page_shows_account_mode_hours_limits_and_the_hash_to_sign(tmp_path: Path) -> None:
    async def scene(line: OperatorLine) -> None:
        await line.operator_signs_in()
        await line.enrols()
        first = (await line.http.get("/arming")).text
        assert "LIVE ACCOUNT: orders move real money." in first
        form = forms_of(first)["/arming/offer"]
        assert form.fields["hours"] == "1"
        signing = (await line.http.post("/arming/offer", data=form.fields)).text
        shown = visible_text(signing)
        for words in (str(LIVE.account), "0.005 of equity", '["EURUSD"]'.replace('"', "&quot;")):
            assert words in shown
        (digest,) = [word for word in shown.split() if len(word) == 64]
        assert f'data-target="{digest}"' in signing
        fields = forms_of(signing)["/arming/arm"].fields
        fields["assertion"] = await line.signed("arm", digest)
        sent = await line.http.post("/arming/arm", data=fields)
        assert sent.status_code == 303
        armed = (await line.http.get("/arming")).text
        assert "until 20" in visible_text(armed)
        ended = await line.http.post(
            "/arming/disarm", data={**forms_of(armed)["/arming/disarm"].fields, "reason": "over"}
        )
        assert ended.status_code == 303
        assert not await is_armed(line)

    with_operator_line(tmp_path, scene, switches=ON, limits=LIMITS)


@pytest.mark.usefixtures("_live")
def test_a_live_order_is_approved_by_a_signature_over_it_alone(tmp_path: Path) -> None:
    async def scene(line: OperatorLine) -> None:
        await line.operator_signs_in()
        await line.enrols()
        assert await arm(line, await offer(line)) == (200, None)
        view = await line.gate.line.gateway.submit(LARGE, key=None, asker=TRADER)
        assert view.ticket is not None
        by_code = await line.approve(view)
        assert by_code.json()["error"]["code"] == "INVALID_APPROVAL"
        path = f"/operator/approvals/{view.ticket.ticket_id}/approve"
        shown = {"fingerprint": view.ticket.fingerprint}
        elsewhere = {**shown, "assertion": await line.signed("arm", await offer(line))}
        assert (await line.http.post(path, json=elsewhere)).status_code == 401
        assert await line.positions() == 0
        over = await line.signed("approve", view.ticket.ticket_id)
        done = await line.http.post(path, json={**shown, "assertion": over})
        assert (done.status_code, done.json()["data"]["mode"]) == (200, "live")
        assert await line.positions() == 1

    with_operator_line(tmp_path, scene, switches=ON, limits=LIMITS)


@pytest.mark.usefixtures("_live")
@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("offer", {"account": LIVE.account, "hours": "9"}, 400),
        ("offer", {"account": LIVE.account, "hours": "an hour"}, 400),
        ("offer", {"account": LIVE.account, "forever": True}, 400),
        ("offer", {}, 400),
        ("arm", {"account": LIVE.account, "proof": "passkey"}, 400),
        ("disarm", {"account": LIVE.account}, 409),
    ],
)
def test_what_is_asked_is_read_strictly(
    tmp_path: Path, path: str, body: dict[str, object], status: int
) -> None:
    async def scene(line: OperatorLine) -> None:
        await line.operator_signs_in()
        reply = await line.http.post(f"/operator/arming/{path}", json=body)
        assert reply.status_code == status, reply.text

    with_operator_line(tmp_path, scene, switches=ON, limits=LIMITS)


@pytest.mark.usefixtures("_live")
def test_nobody_else_reaches_it(tmp_path: Path) -> None:
    async def scene(line: OperatorLine) -> None:
        assert (await line.http.get("/operator/arming")).status_code == 401
        for path in ("offer", "arm", "disarm"):
            reply = await line.http.post(f"/operator/arming/{path}", json={"account": "x"})
            assert reply.status_code == 401
        await line.operator_signs_in()
        del line.http.headers["X-CSRF-Token"]
        reply = await line.http.post("/operator/arming/offer", json={"account": LIVE.account})
        assert reply.status_code == 403

    with_operator_line(tmp_path, scene, switches=ON, limits=LIMITS)


def test_on_paper_the_page_says_there_is_nothing_to_arm(tmp_path: Path) -> None:
    async def scene(line: OperatorLine) -> None:
        await line.operator_signs_in()
        shown = (await line.http.get("/arming")).text
        assert "There is nothing to arm here" in shown
        assert "/arming/offer" not in shown
        reply = await line.http.post("/operator/arming/offer", json={"account": LIVE.account})
        assert reply.json()["error"]["code"] == "LIVE_NOT_ARMED"

    with_operator_line(tmp_path, scene)
