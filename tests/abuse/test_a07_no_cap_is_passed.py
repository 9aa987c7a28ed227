"""A7: many orders of every kind, by two agents at once, against one cap.

Many equal orders against each cap: tests/e2e/test_concurrency.py.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.gateway_process import ROOMY, gateway, stop_below

CAP = 6
EACH = 12


@pytest.mark.slow
def test_two_agents_with_market_and_resting_orders_share_the_cap(tmp_path: Path) -> None:
    limits = ROOMY["limits"] | {"open_positions_max": CAP}
    with gateway(tmp_path, ROOMY | {"limits": limits}, operator=True) as one:
        with one.operator() as desk:
            made = desk.post(
                "/operator/tokens", json={"kind": "agent", "name": "second", "days": 1}
            ).json()["data"]
        market = one.order()
        resting = market | {"order_type": "limit", "limit_price": market["stop_loss"]}
        resting["stop_loss"] = stop_below(market["stop_loss"])
        answers: list[dict[str, Any]] = []
        gun = threading.Barrier(4)

        def trade(token: str, order: dict[str, Any], name: str) -> None:
            headers = {"Authorization": f"Bearer {token}"}
            with httpx.Client(base_url=one.rest, headers=headers, trust_env=False) as http:
                gun.wait(10)
                for number in range(EACH):
                    body = order | {"idempotency_key": f"{name}-{number}"}
                    answers.append(http.post("/api/v1/orders", json=body).json())

        threads = [
            threading.Thread(target=trade, args=(token, order, f"{place}"))
            for place, (token, order) in enumerate(
                (token, order)
                for token in (one.token, made["token"])
                for order in (market, resting)
            )
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(answers) == 4 * EACH
        assert sum(answer["ok"] for answer in answers) == CAP
        ((positions,),) = one.venue("select count(*) from positions where steps > 0")
        ((orders,),) = one.venue("select count(*) from orders where status = 'working'")
        assert positions + orders == CAP
