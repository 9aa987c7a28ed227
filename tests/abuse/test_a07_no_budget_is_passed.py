"""A7: two agents with a budget each, many orders of each at once: neither budget is passed."""

from __future__ import annotations

import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.gateway_process import ROOMY, GatewayProcess, gateway

EACH = 16
BUDGETS = {"local-agent": 5_500, "second": 3_300}  # of orders worth about 1,100 at worst


def race(one: GatewayProcess, tokens: dict[str, str]) -> dict[str, list[dict[str, Any]]]:
    """Let every agent send its orders from two threads, all at once."""
    order = one.order()
    answers: dict[str, list[dict[str, Any]]] = {name: [] for name in tokens}
    gun = threading.Barrier(2 * len(tokens))

    def trade(name: str, part: int) -> None:
        headers = {"Authorization": f"Bearer {tokens[name]}"}
        with httpx.Client(base_url=one.rest, headers=headers, trust_env=False) as http:
            gun.wait(10)
            for number in range(EACH // 2):
                body = order | {"idempotency_key": f"{name}-{part}-{number}"}
                answers[name].append(http.post("/api/v1/orders", json=body).json())

    threads = [
        threading.Thread(target=trade, args=(name, part)) for name in tokens for part in (0, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return answers


@pytest.mark.slow
@pytest.mark.parametrize(
    ("limit", "rule"),
    [
        ("agent_open_exposure_max", "agent_open_exposure"),
        pytest.param(
            "agent_notional_per_day_max", "agent_notional_per_day", marks=pytest.mark.slow
        ),
    ],
)
def test_neither_agent_passes_its_own_budget(tmp_path: Path, limit: str, rule: str) -> None:
    own = {f"limits.agents.{name}": {limit: budget} for name, budget in BUDGETS.items()}
    with gateway(tmp_path, ROOMY | own, operator=True) as one:
        with one.operator() as desk:
            made = {"kind": "agent", "name": "second", "days": 1}
            second = desk.post("/operator/tokens", json=made).json()["data"]["token"]
        answers = race(one, {"local-agent": one.token, "second": second})
        for name, budget in BUDGETS.items():
            held = one.book("select notional from reservations where principal = ?", name)
            used = sum((Decimal(notional) for (notional,) in held), Decimal(0))
            assert Decimal(budget) * Decimal("0.6") < used <= budget, "used well, and never passed"
            refused = [answer["error"] for answer in answers[name] if not answer["ok"]]
            assert len(refused) == EACH - len(held)
            said = {(each["details"]["rule"], each["details"]["source"]) for each in refused}
            assert said == {(rule, f"agent {name}")}
        ((kept,),) = one.book(
            "select count(*) from orders where state = 'active' or state = 'done'"
        )
        ((filled,),) = one.venue("select count(*) from positions where steps > 0")
        assert kept == filled == len(one.book("select 1 from reservations"))
