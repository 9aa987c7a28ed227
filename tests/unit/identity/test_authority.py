"""The matrix of kinds and acts, cell by cell, against the table written out by hand."""

from __future__ import annotations

import pytest

from ordergate.identity.authority import FRESH, GRANTED, MAY, Act, allowed, require
from ordergate.model.errors import Code, Forbidden
from ordergate.model.principals import Grant, Kind, Principal
from ordergate.model.values import PrincipalId

# reliability.md 4.3; columns: read-only, agent, gateway, operator
TABLE = """
read_market    y y y y
read_account   y y y y
read_safety    y y y y
read_audit     y - - y
draft          - y - y
trade_paper    - y - y
propose_live   - - - y
withdraw       - y - y
keep_watch     - y - y
research       - y - y
cancel         - y y y
close          - y y y
modify         - y y y
touch_others   - - y y
engage_kill    - y y y
tighten        - y - y
submit_draft   - - - y
approve        - - - y
deny           - - - y
release        - - - y
resolve        - - - y
loosen         - - - y
arm            - - - y
disarm         - - - y
set_pace       - - - y
make_tokens    - - - y
export_audit   - - - y
acknowledge    - - - y
manage_factors - - - y
"""
COLUMNS = (Kind.READ_ONLY, Kind.AGENT, Kind.GATEWAY, Kind.OPERATOR)
ROWS = [line.split() for line in TABLE.strip().splitlines()]
CELLS = [
    (kind, Act(row[0]), word == "y")
    for row in ROWS
    for kind, word in zip(COLUMNS, row[1:], strict=True)
]


def test_the_table_names_every_kind_and_every_act() -> None:
    assert {act for _, act, _ in CELLS} == set(Act)
    assert {kind for kind, _, _ in CELLS} == set(Kind)
    assert len(CELLS) == len(Act) * len(Kind)


@pytest.mark.parametrize(("kind", "act", "may"), CELLS, ids=lambda value: str(value))
def test_each_cell_is_as_the_table_says(kind: Kind, act: Act, may: bool) -> None:
    principal = Principal(PrincipalId("someone"), kind, "someone")
    assert allowed(kind, act) is may
    if may:
        require(principal, act)
        return
    with pytest.raises(Forbidden) as refused:
        require(principal, act)
    assert refused.value.code is Code.FORBIDDEN
    assert refused.value.requires_human


def test_a_refusal_tells_no_way_round() -> None:
    agent = Principal(PrincipalId("bot"), Kind.AGENT, "bot")
    with pytest.raises(Forbidden) as refused:
        require(agent, Act.APPROVE)
    assert refused.value.message == "a principal of kind agent may not approve"
    assert refused.value.fix == ""


@pytest.mark.parametrize("grant", Grant)
@pytest.mark.parametrize("kind", Kind)
def test_a_grant_adds_one_act_to_an_agent_and_nothing_to_anybody_else(
    kind: Kind, grant: Grant
) -> None:
    held = frozenset({grant})
    added = {act for act in Act if allowed(kind, act, held)} - MAY[kind]
    assert added == ({GRANTED[grant]} if kind is Kind.AGENT else set())


def test_no_grant_can_stand_for_a_decision() -> None:
    assert set(GRANTED) == set(Grant)
    assert set(GRANTED.values()) == {Act.PROPOSE_LIVE, Act.TOUCH_OTHERS}
    everything = Principal(PrincipalId("bot"), Kind.AGENT, "bot", frozenset(Grant))
    for act in (Act.APPROVE, Act.ARM, Act.RELEASE, Act.RESOLVE, Act.LOOSEN, Act.MAKE_TOKENS):
        with pytest.raises(Forbidden):
            require(everything, act)


def test_a_fresh_factor_is_asked_for_what_lets_more_risk_in_and_for_nothing_that_takes_it_out() -> (
    None
):
    """reliability.md 4.3, the column "operator + fresh factor"."""
    deciding = MAY[Kind.OPERATOR] - MAY[Kind.AGENT] - MAY[Kind.READ_ONLY] - set(GRANTED.values())
    lets_nothing_in = {Act.DENY, Act.DISARM, Act.ACKNOWLEDGE, Act.SET_PACE}
    assert deciding - lets_nothing_in == FRESH
