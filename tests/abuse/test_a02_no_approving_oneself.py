"""A2: an agent holding every tool output cannot approve its own order."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.proofs import SIGNED_IN

from ordergate.model.errors import Forbidden
from ordergate.model.principals import Kind
from support.operator_line import OperatorLine, with_operator_line
from support.order_records import AGENT


def test_neither_token_nor_fingerprint_nor_number_nor_link_is_a_yes(tmp_path: Path) -> None:
    async def scene(line: OperatorLine) -> None:
        view = await line.large_order()
        token = await line.sign_in.first_agent_token()
        assert token is not None
        assert (await line.sign_in.bearer(token)).kind is Kind.AGENT
        tries = [
            await line.approve(view),
            await line.approve(view, Authorization=f"Bearer {token}"),
            await line.approve(view, Cookie=f"__Host-ordergate={token}"),
            await line.approve(view, **{"X-CSRF-Token": token}),
        ]
        assert [reply.status_code for reply in tries] == [401, 403, 401, 401]
        signed = await line.http.post(
            "/operator/sign-in", json={"name": "local-agent", "password": token}
        )
        assert signed.status_code == 401
        with pytest.raises(Forbidden):
            await line.gate.line.desk.approve(
                view.ticket.ticket_id,
                fingerprint=view.ticket.fingerprint,
                operator=AGENT,
                proof=SIGNED_IN,
            )
        assert await line.positions() == 0
        now = await line.gate.line.gateway.status(view.order.order_id, asker=AGENT)
        assert now.status == "approval_required"

    with_operator_line(tmp_path, scene)


def test_the_operators_yes_is_what_sends_it(tmp_path: Path) -> None:
    async def scene(line: OperatorLine) -> None:
        view = await line.large_order()
        await line.operator_signs_in()
        page = await line.http.get(f"/approve/{view.ticket.ticket_id}")
        assert "Approve this order" in page.text
        assert "order notional" in page.text
        reply = await line.approve(view)
        assert reply.json()["data"]["status"] == "filled"
        assert await line.positions() == 1
        kinds = [
            (row.kind, row.actor)
            for row in line.gate.store.read_now(lambda tx: tx.audit_rows(after=0, limit=1000))
        ]
        assert ("ticket.approved", "operator:alice") in kinds

    with_operator_line(tmp_path, scene)


def test_even_the_operators_cookie_and_token_are_no_yes_without_a_factor(tmp_path: Path) -> None:
    """An agent that reads the browser's memory holds a sign-in; a yes needs what is in no file."""

    async def scene(line: OperatorLine) -> None:
        view = await line.large_order()
        await line.operator_signs_in()
        held, line.codes = line.codes, []
        path = f"/operator/approvals/{view.ticket.ticket_id}/approve"
        yes = {"fingerprint": view.ticket.fingerprint}
        used = held[-1] + "x"
        for factor in ({}, {"code": ""}, {"code": "000000"}, {"code": used}, {"assertion": "{}"}):
            reply = await line.http.post(path, json={**yes, **factor})
            assert reply.status_code == 401
            assert reply.json()["error"]["code"] == "UNAUTHENTICATED"
        page = f"/approve/{view.ticket.ticket_id}"
        form = {**yes, "csrf": line.http.headers["X-CSRF-Token"], "code": "", "assertion": ""}
        assert (await line.http.post(f"{page}/yes", data=form)).status_code == 401
        options = await line.http.post("/operator/passkeys/options", json={})
        assert options.status_code == 401, "nor can it enrol a passkey of its own"
        assert await line.positions() == 0

    with_operator_line(tmp_path, scene)
