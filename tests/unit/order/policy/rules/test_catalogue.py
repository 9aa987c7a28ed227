"""The table of reliability.md 1.2, cell by cell, written by hand from the design."""

from __future__ import annotations

import pytest

from ordergate.model.records import ScopeKind
from ordergate.order.policy.rules.catalogue import BY_NUMBER, CONTROLS
from ordergate.order.policy.rules.checklist import RULES

# number: open, tighten, close, cancel, and the scope it halts.
DESIGN: dict[str, tuple[str, str, str, str, str]] = {
    "C1": ("refuse", "refuse", "refuse", "refuse", ""),
    "C2": ("refuse", "n/a", "pass", "n/a", ""),
    "C3": ("refuse", "n/a", "pass", "n/a", ""),
    "C4": ("refuse", "warn", "warn", "n/a", ""),
    "C5": ("refuse", "pass", "warn", "n/a", "symbol"),
    "C6": ("refuse", "warn", "warn", "n/a", ""),
    "C7": ("refuse", "n/a", "pass", "n/a", ""),
    "C8": ("refuse", "n/a", "pass", "n/a", ""),
    "C9": ("refuse", "n/a", "pass", "n/a", ""),
    "C10": ("refuse", "pass", "pass", "pass", "account"),
    "C11": ("refuse", "n/a", "pass", "n/a", ""),
    "C12": ("refuse", "warn", "warn", "warn", ""),
    "C13": ("refuse", "pass", "warn", "pass", "agent"),
    "C14": ("refuse", "pass", "warn", "pass", ""),
    "C15": ("refuse", "refuse", "refuse", "refuse", ""),
    "C16": ("refuse", "n/a", "warn", "n/a", ""),
    "C17": ("refuse", "pass", "pass", "pass", ""),
    "C18": ("refuse", "n/a", "refuse", "n/a", ""),
    "C19": ("refuse", "pass", "pass", "pass", ""),
    "C20": ("refuse", "warn", "warn", "warn", ""),
    "C21": ("refuse", "warn", "warn", "warn", ""),
    "C22": ("refuse", "pass", "pass", "pass", ""),
    "C23": ("refuse", "pass", "pass", "pass", ""),
    "C24": ("refuse", "pass", "pass", "pass", ""),
    "C25": ("n/a", "n/a", "n/a", "n/a", ""),
    "C26": ("refuse", "warn", "warn", "warn", ""),
    "C27": ("refuse", "pass", "pass", "pass", ""),
    "C28": ("refuse", "pass", "pass", "pass", "account"),
    "C29": ("refuse", "warn", "warn", "warn", "global"),
    "C30": ("n/a", "n/a", "n/a", "n/a", ""),
    "C31": ("refuse", "n/a", "n/a", "n/a", ""),
    "C32": ("n/a", "pass", "pass", "pass", ""),
    "C33": ("n/a", "n/a", "n/a", "n/a", ""),
    "C34": ("refuse", "warn", "warn", "warn", ""),
    "C35": ("refuse", "warn", "warn", "warn", ""),
    "C36": ("refuse", "pass", "pass", "pass", ""),
}
# Where we say more than the design, and why: docs/adr/0020-controls.md.
LOUDER = {
    ("C18", 1): "refuse",  # a resting exit may not be enlarged beyond the position
    ("C19", 1): "warn",  # a new stop beyond the market would close the position at once
}


@pytest.mark.parametrize("number", DESIGN)
def test_a_control_says_in_each_lane_what_the_design_says(number: str) -> None:
    entry = BY_NUMBER[number]
    *cells, halts = DESIGN[number]
    wanted = [LOUDER.get((number, lane), cell) for lane, cell in enumerate(cells)]
    assert [say.value for say in entry.says()] == wanted
    assert entry.halts == (ScopeKind(halts) if halts else None)


def test_every_number_has_one_row_and_every_row_a_place() -> None:
    assert [entry.number for entry in CONTROLS] == [f"C{n}" for n in range(1, 37)]
    assert {entry.number for entry in CONTROLS if not entry.rules and not entry.where} == set()
    assert {rule.control.number for rule in RULES} <= BY_NUMBER.keys()


def test_a_control_that_may_refuse_has_a_code() -> None:
    refusing = {entry.number for entry in CONTROLS if entry.says()[0].value == "refuse"}
    assert {number for number in refusing if not BY_NUMBER[number].codes} == set()
