from __future__ import annotations

import pytest

from ordergate.adapters.venues.paper.faults import Fault, FaultKind, FaultPlan


def test_a_fault_is_met_as_often_as_it_was_planned() -> None:
    plan = FaultPlan([Fault(FaultKind.LOST_REPLY, "submit", count=2)])
    met = [plan.take("submit", "EURUSD") is not None for _ in range(3)]
    assert met == [True, True, False]


def test_faults_are_met_in_the_order_they_were_planned() -> None:
    plan = FaultPlan([Fault(FaultKind.REQUOTE), Fault(FaultKind.LOST_REQUEST)])
    kinds = [fault.kind for _ in range(2) if (fault := plan.take("modify", "EURUSD"))]
    assert kinds == [FaultKind.REQUOTE, FaultKind.LOST_REQUEST]


def test_another_operation_or_symbol_does_not_meet_it() -> None:
    plan = FaultPlan([Fault(FaultKind.REQUOTE, "submit", symbol="EURUSD")])
    assert plan.take("cancel", "EURUSD") is None
    assert plan.take("submit", "GBPUSD") is None
    assert plan.take("submit", "EURUSD") is not None


@pytest.mark.parametrize(
    "fault",
    [
        Fault(FaultKind.REJECT, "sumbit"),
        Fault(FaultKind.REJECT, "submit", code="MADE_UP"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_at_once(fault: Fault) -> None:
    with pytest.raises(ValueError, match="no "):
        FaultPlan([fault])
