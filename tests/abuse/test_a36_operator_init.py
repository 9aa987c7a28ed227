"""A36: an agent that runs `operator init` itself gains nothing beyond paper."""

from __future__ import annotations

from pathlib import Path

import pytest

from ordergate.model.accounts import Mode
from ordergate.model.errors import IllegalState
from support.operator_line import OperatorLine, with_operator_line
from support.order_records import AGENT


def test_it_works_only_while_there_is_no_operator(tmp_path: Path) -> None:
    async def scene(line: OperatorLine) -> None:
        await line.operator_signs_in()
        for name in ("alice", "mallory"):
            with pytest.raises(IllegalState):
                await line.sign_in.init_operator(name)

    with_operator_line(tmp_path, scene)


def test_who_came_first_holds_a_paper_account_and_is_on_record(tmp_path: Path) -> None:
    async def scene(line: OperatorLine) -> None:
        await line.operator_signs_in()
        account = await line.gate.line.gateway.account(asker=AGENT)
        assert account.identity.mode is Mode.PAPER
        rows = line.gate.store.read_now(lambda tx: tx.audit_rows(after=0, limit=1000))
        assert [row.corr for row in rows if row.kind == "operator.created"] == ["alice"]

    with_operator_line(tmp_path, scene)
