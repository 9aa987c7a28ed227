"""The rule-based machine over the order line: small here, 500 x 50 steps by `make simulate`."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from simulator.order_machine import TAKEN, OrderMachine, untaken
from simulator.simulate import quiet

EXAMPLES, _, STEPS = os.environ.get("ORDERGATE_MACHINE", "6x15").partition("x")


@pytest.fixture(autouse=True)
def _quiet() -> None:
    quiet()


@pytest.mark.timeout(3 * 3600)
def test_whatever_happens_next_the_invariants_hold() -> None:
    run_state_machine_as_test(
        OrderMachine,
        settings=settings(
            max_examples=int(EXAMPLES),
            stateful_step_count=int(STEPS),
            derandomize=True,
            deadline=None,
            database=None,
            phases=(Phase.explicit, Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
    print(f"{len(TAKEN)} rows of the tables taken, {len(untaken())} not:")
    for row in untaken():
        print("  not taken:", *row)
