from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ordergate.model.records import Loosening
from ordergate.order.policy.limits import BY_NAME, SPECS, Limits, Narrowing
from ordergate.order.policy.loosening import (
    NOTHING,
    TIGHTENING,
    WAITS,
    Plan,
    cells,
    held_back,
    kept_text,
    plan,
    read_kept,
    read_waiting,
    taken_back,
    waiting_text,
)
from ordergate.order.policy.tightenings import is_looser

NOW = datetime(2026, 1, 7, 14, 0, tzinfo=UTC)
DELAY = timedelta(seconds=600)
STRICT = Limits(order_notional_max=Decimal(10))
OWN = Narrowing(source="agent a", values=(("limits.open_orders_max", Decimal(2)),))
LOSS = "limits.order_notional_max"


def look(file: Limits, before: Plan, *, after_s: float = 0) -> Plan:
    return plan(
        file, before.kept, before.waiting, now=NOW + timedelta(seconds=after_s), by="gateway-1"
    )


def start(file: Limits) -> Plan:
    return Plan(cells(file), ())


def test_a_tightening_is_taken_over_at_once() -> None:
    found = look(STRICT, start(Limits()))
    assert found.kept["", LOSS] == 10
    assert (found.waiting, found.steps) == ((), ())


def test_a_loosening_is_announced_once_waits_and_then_counts() -> None:
    first = look(Limits(), start(STRICT))
    (step,) = first.steps
    assert (step.kind, step.loosening.effective_at) == ("announced", NOW + DELAY)
    assert held_back(Limits(), first.kept).order_notional_max == 10
    just_before = look(Limits(), first, after_s=599.999)
    assert (just_before.steps, just_before.kept["", LOSS]) == ((), 10)
    due = look(Limits(), just_before, after_s=600)
    assert [step.kind for step in due.steps] == ["loosened"]
    assert (due.kept["", LOSS], due.waiting) == (1_000_000, ())


def test_another_number_waits_anew_and_taking_it_back_ends_it() -> None:
    first = look(Limits(), start(STRICT))
    wider = replace(Limits(), order_notional_max=Decimal(2_000_000))
    second = look(wider, first, after_s=500)
    (row,) = second.waiting
    assert (row.new, row.effective_at) == ("2000000", NOW + DELAY + timedelta(seconds=500))
    back = look(STRICT, second, after_s=501)
    assert [step.kind for step in back.steps] == ["withdrawn"]
    assert back.waiting == ()


def test_what_was_withdrawn_never_counts_and_is_not_announced_again() -> None:
    first = look(Limits(), start(STRICT))
    called_off = replace(first, waiting=(replace(first.waiting[0], withdrawn=True),))
    later = look(Limits(), called_off, after_s=10_000)
    assert (later.steps, later.kept["", LOSS]) == ((), 10)


def test_a_table_that_is_gone_still_counts_until_its_delay_is_over() -> None:
    first = look(Limits(), start(Limits(narrowings=(OWN,))))
    (row,) = first.waiting
    assert (row.source, row.new) == ("agent a", NOTHING)
    assert held_back(Limits(), first.kept).narrowings == (OWN,)
    due = look(Limits(), first, after_s=600)
    assert held_back(Limits(), due.kept).narrowings == ()


def test_a_new_table_counts_at_once() -> None:
    found = look(Limits(narrowings=(OWN,)), start(Limits()))
    assert (found.steps, found.kept["agent a", "limits.open_orders_max"]) == ((), 2)


def test_lists_drop_at_once_and_gain_after_the_delay() -> None:
    before = start(Limits(symbols_allow=("A", "B"), symbols_deny=("X",)))
    file = Limits(symbols_allow=("B", "C"), symbols_deny=("Y",))
    now = held_back(file, before.kept)
    assert set(now.symbols_allow) == {"B"}
    assert set(now.symbols_deny) == {"X", "Y"}
    first = look(file, before)
    due = look(file, first, after_s=600)
    assert held_back(file, due.kept).symbols_allow == ("B", "C")
    assert held_back(file, due.kept).symbols_deny == ("Y",)


def test_a_shorter_delay_itself_waits_the_longer_one() -> None:
    hasty = Limits(loosening_delay_s=Decimal(1))
    first = look(hasty, start(STRICT))
    assert {row.effective_at for row in first.waiting} == {NOW + DELAY}


def test_the_source_says_that_a_loosening_waits() -> None:
    assert held_back(Limits(), cells(STRICT)).origin[LOSS] == WAITS
    assert held_back(STRICT, cells(Limits())) is STRICT


def test_what_the_operator_takes_back_of_tightenings_waits_beside_the_file() -> None:
    spec = BY_NAME[LOSS]
    row = taken_back(spec, STRICT, Decimal(20), now=NOW, by="operator:o")
    assert (row.source, row.old, row.new) == (TIGHTENING, "10", "20")
    held = Plan(cells(Limits()), (row,))
    assert look(Limits(), held, after_s=599).waiting == (row,)
    due = look(Limits(), held, after_s=600)
    assert ([step.kind for step in due.steps], due.waiting) == (["loosened"], ())


def test_what_is_kept_and_what_waits_is_read_back() -> None:
    file = Limits(narrowings=(OWN,), symbols_deny=("X",), stop_required=True)
    assert read_kept(kept_text(cells(file))) == cells(file)
    assert read_kept('{"":{"limits.of_old":"1","limits.open_orders_max":"-4"}}') == {}
    rows = look(Limits(), start(STRICT)).waiting
    assert read_waiting(waiting_text(rows)) == rows
    assert all(isinstance(row, Loosening) for row in rows)
    assert read_waiting(None) == ()


numbers = st.sampled_from(
    [spec for spec in SPECS if isinstance(spec.default, Decimal) and not spec.whole]
)


@st.composite
def files(draw: st.DrawFn) -> Limits:
    """Return a file with some numbers, switches and lists moved, and tables of its own."""
    values: dict[str, Any] = {}
    for spec in draw(st.sets(numbers, max_size=4)):
        values[spec.attribute] = draw(st.sampled_from([spec.least, spec.default, spec.most]))
    values["short_allowed"] = draw(st.booleans())
    values["symbols_allow"] = tuple(draw(st.sets(st.sampled_from(["*", "A", "B"]))))
    values["symbols_deny"] = tuple(draw(st.sets(st.sampled_from(["A", "B"]))))
    own = draw(st.sampled_from([(), (OWN,)]))
    return Limits(**values, narrowings=own)


@given(st.lists(files(), min_size=2, max_size=4))
def test_nothing_is_ever_looser_before_a_delay_is_over(edits: list[Limits]) -> None:
    state = start(edits[0])
    for n, file in enumerate(edits[1:]):
        before = held_back(edits[max(n, 0)], state.kept)
        state = look(file, state, after_s=n / 10)  # each edit within the shortest delay, 1 s
        after = held_back(file, state.kept)
        for spec in SPECS:
            assert not is_looser(spec, after.value(spec), than=before.value(spec)), spec.name
        assert set(before.narrowings) <= set(after.narrowings)
