"""The record, heard from its first entry, says in which state every row must be."""

from __future__ import annotations

import json

import pytest

from ordergate.order.journal.told import Told


def heard(*records: tuple[str, str, dict[str, object]]) -> Told:
    told = Told()
    for kind, corr, body in records:
        told.hear(kind, corr, json.dumps({"body": body}))
    return told


DAY = heard(
    ("order.proposed", "o1", {"to": "proposed"}),
    ("order.claimed", "o1", {"to": "active"}),
    ("attempt.claimed", "o1", {"attempt": "a1", "to": "sending"}),
    ("attempt.filled", "o1", {"attempt": "a1", "to": "filled"}),
    ("ticket.opened", "o1", {"ticket": "t1"}),
    ("ticket.denied", "o1", {"ticket": "t1"}),
    ("halt.engaged", "h1", {}),
    ("halt.engaged", "h2", {}),
    ("halt.released", "h1", {}),
    ("limits.in_force", "p1", {"to": "nothing of a state"}),
)
STATES = {"o1": "active", "a1": "filled", "t1": "denied"}
HALTS = frozenset({"h2"})


def test_tables_that_are_as_the_record_tells_differ_in_nothing() -> None:
    assert DAY.differs(STATES, HALTS) is None


@pytest.mark.parametrize(
    ("states", "halts", "named"),
    [
        (STATES | {"o1": "done"}, HALTS, "o1 is done"),
        (STATES | {"o2": "active"}, HALTS, "o2 is active"),
        ({"o1": "active", "a1": "filled"}, HALTS, "t1"),
        (STATES, frozenset(), "halt h2"),
        (STATES, HALTS | {"h1"}, "halt h1"),
    ],
)
def test_a_row_edited_added_or_gone_is_named(
    states: dict[str, str], halts: frozenset[str], named: str
) -> None:
    assert named in (DAY.differs(states, halts) or "")


def test_of_a_log_heard_from_its_middle_only_what_was_heard_is_compared() -> None:
    older = STATES | {"o0": "done"}
    assert DAY.differs(older, HALTS | {"h0"}, whole=False) is None
    assert "o1" in (DAY.differs(older | {"o1": "done"}, HALTS, whole=False) or "")
    assert "halt h1" in (DAY.differs(older, HALTS | {"h1"}, whole=False) or "")
    assert "halt h2" in (DAY.differs(older, frozenset(), whole=False) or "")


def test_a_record_that_cannot_be_read_is_the_chains_to_find() -> None:
    told = Told()
    for text in ("", "[]", '{"body": {}}'):
        told.hear("order.claimed", "o1", text)
    assert told.differs({}, frozenset()) is None
