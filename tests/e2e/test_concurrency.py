"""Many callers at one moment: one key is one order, and no cap is ever passed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from support.crowd import at_once, from_processes
from support.gateway_process import ROOMY, GatewayProcess, gateway

CALLS = 64
PROCESSES = 4
Crowd = Callable[[GatewayProcess, list[dict[str, Any]]], list[dict[str, Any]]]


def threads(one: GatewayProcess, bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return at_once(one.rest, one.token, "place_order", bodies)


def processes(one: GatewayProcess, bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return from_processes(one.rest, one.token, "place_order", bodies, processes=PROCESSES)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with gateway(tmp_path_factory.mktemp("gateway"), ROOMY) as one:
        yield one


@pytest.mark.parametrize("crowd", [threads, processes])
def test_one_key_is_one_order(running: GatewayProcess, crowd: Crowd) -> None:
    before = len(running.venue("select tag from orders"))
    order = running.order(idempotency_key=f"same-{crowd.__name__}")
    answers = crowd(running, [order] * CALLS)
    assert [one["error"] for one in answers] == [None] * CALLS
    assert len({one["data"]["order_id"] for one in answers}) == 1
    assert sum(not one["data"]["replayed"] for one in answers) == 1
    assert {one["data"]["status"] for one in answers} <= {"filled", "approved", "sending"}
    assert len(running.venue("select tag from orders")) == before + 1
    again = running.good("place_order", **order)
    assert (again["status"], again["replayed"]) == ("filled", True)


def test_one_key_with_other_terms_is_refused_whoever_was_first(running: GatewayProcess) -> None:
    before = len(running.venue("select tag from orders"))
    orders = [running.order(f"0.0{1 + n % 2}", idempotency_key="two-minds") for n in range(CALLS)]
    for order in orders:
        order["stop_loss"] = orders[0]["stop_loss"]
    answers = threads(running, orders)
    good = {one["data"]["quantity"] for one in answers if one["ok"]}
    assert len(good) == 1
    codes = [one["error"]["code"] for one in answers if not one["ok"]]
    assert codes == ["IDEMPOTENCY_DIVERGED"] * (CALLS // 2)
    assert len(running.venue("select tag from orders")) == before + 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("crowd", "cap", "value"),
    [
        (threads, "open_positions_max", 5),
        pytest.param(threads, "gross_exposure_fraction", 0.06, marks=pytest.mark.slow),
        pytest.param(threads, "notional_per_day_max_fraction", 0.06, marks=pytest.mark.slow),
        pytest.param(threads, "orders_per_day_max", 5, marks=pytest.mark.slow),
        pytest.param(processes, "open_positions_max", 5, marks=pytest.mark.slow),
        (processes, "gross_exposure_fraction", 0.06),
    ],
)
def test_no_cap_is_passed(tmp_path: Path, crowd: Crowd, cap: str, value: float) -> None:
    limits = ROOMY["limits"] | {cap: value}
    with gateway(tmp_path, ROOMY | {"limits": limits}) as one:
        order = one.order()
        keyed = [order | {"idempotency_key": f"order-{number}"} for number in range(CALLS)]
        answers = crowd(one, keyed)
        filled = [answer["data"] for answer in answers if answer["ok"]]
        refused = {answer["error"]["code"] for answer in answers if not answer["ok"]}
        assert refused == {"EXCEEDS_LOCAL_LIMIT"}
        (opened,) = one.venue("select count(*), sum(steps) from positions where steps > 0")
        assert opened[0] == len(filled)
        if isinstance(value, int):
            assert len(filled) == value  # all that fits, and no more
        else:
            worth = sum(Decimal(one["average_price"]) for one in filled) * 1_000
            assert 6_000 - 1_300 < worth <= 6_000  # one more would not have fitted
        assert one.verified() == 0
