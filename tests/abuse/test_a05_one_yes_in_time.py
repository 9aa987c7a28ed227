"""A5: an ask past its lifetime can no longer be answered; a yes works once, at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

from support.operator_line import OperatorLine, with_operator_line


def test_an_ask_past_its_time_is_not_answered(tmp_path: Path) -> None:
    async def scene(line: OperatorLine) -> None:
        view = await line.large_order()
        await line.operator_signs_in()
        line.clock.advance(300)
        reply = await line.approve(view)
        assert (reply.status_code, reply.json()["error"]["code"]) == (409, "APPROVAL_EXPIRED")
        assert await line.positions() == 0

    with_operator_line(tmp_path, scene)


def test_many_yeses_at_once_send_one_order(tmp_path: Path) -> None:
    async def scene(line: OperatorLine) -> None:
        view = await line.large_order()
        visits = []
        for _ in range(4):  # each with a cookie of its own: one turns with the factor it shows
            await line.operator_signs_in()
            names = ("Cookie", "X-CSRF-Token")
            visits.append({name: line.http.headers[name] for name in names})
        replies = await asyncio.gather(*(line.approve(view, **visit) for visit in visits))
        assert sorted(reply.status_code for reply in replies) == [200] + [409] * 3
        assert await line.positions() == 1
        late = await line.http.get(f"/approve/{view.ticket.ticket_id}")
        assert "approved by operator:alice" in late.text

    with_operator_line(tmp_path, scene)
