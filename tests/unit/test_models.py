"""The models under formal/ speak of the code's states and moves; their runner tells the truth."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import run as runner
from ordergate.model.orders import AttemptState, OrderState
from ordergate.order.journal.lifecycle import CHANGE_TABLE, ORDER_TABLE, PLACE_TABLE
from runs import DEEP, EVERY_CHANGE, Expected, Run

ROOT = Path(__file__).parents[2]
FORMAL = ROOT / "formal"
PAGE = ROOT / "docs" / "explanation" / "models.md"
NAMES = ("order", "agent", "limits", "exits")
MODELS = {name: (FORMAL / f"{name}.pml").read_text(encoding="utf-8") for name in NAMES}

STATES = re.compile(r"^\s+@(\w+)\s+(.+?)(?: \*/)?$", re.MULTILINE)
MOVES = re.compile(r"\bMOVE\((\w+), (\w+),")
ASKED = re.compile(r"defined\((\w+)\)|#ifn?def (\w+)")
SIZES = {"GATEWAYS", "CRASHES", "ORDERS", "LIMIT", "FAULTS"}

# Events of the tables that order.pml leaves out, and why.
LEFT_OUT = {
    ("UNKNOWN", "NOT_SENT"): "a remote job withdrawn before its start: agent.pml",
    ("PARKED", "NOT_SENT"): "likewise",
    ("TRACKED", "REFUSED"): "refused after it rested: it was never executed",
}


def states_of(model: str) -> dict[str, str]:
    """Return the model's state of every state of the code that its table names."""
    found: dict[str, str] = {}
    for state, named in STATES.findall(MODELS[model]):
        for name in named.replace("-", " ").split():
            assert name not in found, f"{model}: {name} stands twice"
            found[name] = state
    return found


def moves_of_the_tables() -> set[tuple[str, str]]:
    """Return what the lifecycle's events are in the model's states, without what stays the same."""
    states = states_of("order")
    steps = [(before, after) for (before, _), after in PLACE_TABLE.items() if before is not None]
    pairs = {(states[before.name], states[after.name]) for before, after in steps}
    for (before, event), after in ORDER_TABLE.items():
        if before is None or event == "attempt_ended":
            continue  # how an order begins and ends with its attempt: the attempt's own events
        # An ACTIVE order is what its attempt is; a DONE one too.
        was = "SENDING" if before is OrderState.ACTIVE else states.get(before.name)
        now = {"claimed": "SENDING", "adopted": "TRACKED", "requote_over": "REFUSED"}.get(event)
        if (before, event) != (OrderState.ACTIVE, "adopted") and was is not None:
            pairs.add((was, now or states[after.name]))
    return {(a, b) for a, b in pairs if a != b and "OUTSIDE" not in (a, b)}


def test_every_state_of_the_code_has_its_place_in_the_order_model() -> None:
    orders = {state.name for state in OrderState} - {"ACTIVE", "DONE"}
    assert set(states_of("order")) == orders | {state.name for state in AttemptState}


def test_every_state_of_an_attempt_has_its_place_in_the_limits_model() -> None:
    assert set(states_of("limits")) == {state.name for state in AttemptState}


def test_the_order_model_moves_as_the_tables_do_and_leaves_nothing_out() -> None:
    moves, tables = set(MOVES.findall(MODELS["order"])) - {("from", "to")}, moves_of_the_tables()
    assert moves - tables == set(), "the model moves where the code cannot"
    assert tables - moves == set(LEFT_OUT), "the code moves where the model does not"


def test_only_changes_of_what_exists_are_outside_the_order_model() -> None:
    outside = {name for name, state in states_of("order").items() if state == "OUTSIDE"}
    placing = {state.name for state in PLACE_TABLE.values()}
    assert outside - {"DRAFT"} == {one.name for one in CHANGE_TABLE.values()} - placing


@pytest.mark.parametrize("model", NAMES)
def test_every_name_that_is_defined_for_a_run_is_one_that_the_model_asks_for(model: str) -> None:
    """A misspelled variant would be ours under another name."""
    asked = {one or other for one, other in ASKED.findall(MODELS[model])} - {"REACH", "FIRST"}
    runs = [one for one in (*EVERY_CHANGE, *DEEP) if one.model == model]
    defined = {name.partition("=")[0] for one in runs for name in one.defines.split()}
    assert defined <= asked
    assert asked <= defined | SIZES, "a variant that no run tries"


@pytest.mark.parametrize("model", NAMES)
def test_every_model_is_run_as_ours_as_broken_and_for_what_it_reaches(model: str) -> None:
    ended = {one.expected for one in EVERY_CHANGE if one.model == model}
    assert ended == {"holds", "fails", "is reached"}


def test_no_two_runs_are_the_same() -> None:
    for runs in (EVERY_CHANGE, DEEP):
        assert len({(one.model, one.name) for one in runs}) == len(runs)


def test_the_page_has_a_row_for_every_run() -> None:
    rows = re.findall(r"^\| (\w+) \| (.+?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    shown = [(model, name) for model, name in rows if model in NAMES]
    assert shown == [(one.model, one.name) for one in (*EVERY_CHANGE, *DEEP)]


CLEAN = "State-vector 100 byte, depth reached 56, errors: 0\n    10359 states, stored\n"
VIOLATED = (
    "pan:1: assertion violated {} (at depth 60)\nWarning: Search not completed\n"
    "State-vector 100 byte, depth reached 60, errors: 1\n       93 states, stored\n"
)
TWICE, REACHED = VIOLATED.format("(execs<=1)"), VIOLATED.format("0")


@pytest.mark.parametrize(
    ("expected", "output", "right", "outcome"),
    [
        ("holds", CLEAN, True, "no error"),
        ("holds", TWICE, False, "executed twice"),
        ("fails", TWICE, True, "executed twice"),
        ("fails", CLEAN, False, "no error"),
        ("fails", REACHED, False, "reached"),
        ("is reached", REACHED, True, "reached"),
        ("is reached", CLEAN, False, "no error"),
        ("is reached", TWICE, False, "executed twice"),
    ],
)
def test_a_run_is_judged_by_how_it_must_end(
    expected: Expected, output: str, right: bool, outcome: str
) -> None:
    verdict = runner.judged(Run("order", "a run", expected), output, 1.0)
    assert (verdict.as_expected, verdict.outcome) == (right, outcome)


@pytest.mark.parametrize(
    "output",
    [
        "",
        "error: max search depth too small\n" + CLEAN,
        "pan: out of memory\n" + CLEAN,
        "pan:1: invalid end state (at depth 9)\n" + CLEAN.replace("errors: 0", "errors: 1"),
    ],
)
def test_a_search_that_proves_nothing_is_no_verdict(output: str) -> None:
    with pytest.raises(runner.Broke):
        runner.judged(Run("order", "a run", "holds"), output, 1.0)


def test_what_is_defined_for_a_run_stands_before_its_model() -> None:
    text = runner.source(Run("order", "x", "is reached", "HUMAN CRASHES=4", "killed", "execs == 1"))
    assert text.splitlines()[:4] == [
        "#define HUMAN 1",
        "#define CRASHES 4",
        "#define FIRST (killed)",
        "#define REACH (execs == 1)",
    ]
