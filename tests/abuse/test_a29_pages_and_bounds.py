"""A29: every list comes in pages without gap or repetition, and no answer is without bound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from support.gateway_process import ROOMY, GatewayProcess, gateway

MANY = 60
LISTS = {
    "list_orders": ("orders", "order_id", {"scope": "all"}),
    "list_fills": ("fills", "trade_id", {}),
    "get_positions": ("positions", "position_id", {}),
    "list_instruments": ("instruments", "symbol", {}),
}
USUAL_MAX = 30_000  # characters of a page of the size that is given unasked
ANSWER_MAX = 250_000  # of the largest page


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with gateway(tmp_path_factory.mktemp("busy"), ROOMY) as one:
        order = one.order()
        for number in range(MANY):
            placed = one.good("place_order", **order | {"idempotency_key": f"page-{number}"})
            assert placed["status"] == "filled"
        yield one


def pages(one: GatewayProcess, tool: str, limit: int) -> Iterator[list[dict[str, Any]]]:
    rows, _, arguments = LISTS[tool]
    cursor: dict[str, str] = {}
    for _ in range(10 * MANY):
        page = one.good(tool, limit=limit, **arguments, **cursor)
        yield page[rows]
        if page["next_cursor"] is None:
            return
        cursor = {"cursor": page["next_cursor"]}
    raise AssertionError("the pages never end")


@pytest.mark.parametrize("limit", [1, 7, 100])
@pytest.mark.parametrize("tool", LISTS)
def test_pages_hold_everything_once(busy: GatewayProcess, tool: str, limit: int) -> None:
    _, key, _ = LISTS[tool]
    found = [row[key] for page in pages(busy, tool, limit) for row in page]
    assert all(len(page) <= limit for page in pages(busy, tool, limit))
    whole = [row[key] for page in pages(busy, tool, 100) for row in page]
    assert found == whole
    assert len(found) == len(set(found)) == (13 if tool == "list_instruments" else MANY)


def test_the_audit_is_read_to_its_end_by_sequence(busy: GatewayProcess) -> None:
    after, seen = 0, []
    while after is not None:
        page = busy.good("get_audit", after=after, limit=11)
        assert len(page["records"]) <= 11
        seen += [record["seq"] for record in page["records"]]
        after = page["next_after"]
    assert seen == sorted(set(seen))
    assert len(seen) >= MANY


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        *((tool, {"limit": 100, **more}) for tool, (_, _, more) in LISTS.items()),
        ("get_audit", {"limit": 100}),
        ("get_bars", {"symbol": "EURUSD", "timeframe": "M1", "limit": 300}),
        ("get_ticks", {"symbol": "EURUSD", "limit": 400}),
        ("get_account", {"section": "all"}),
        ("get_quotes", {"symbols": ["EURUSD"] * 50}),
    ],
)
def test_the_largest_answer_is_bounded(
    busy: GatewayProcess, tool: str, arguments: dict[str, Any]
) -> None:
    reply = busy.http.post(f"/api/v1/call/{tool}", json=arguments)
    assert reply.status_code == 200, reply.text[:300]
    assert len(reply.text) < ANSWER_MAX
    arguments.pop("limit", None)
    assert len(busy.http.post(f"/api/v1/call/{tool}", json=arguments).text) < USUAL_MAX


def test_the_account_shows_so_many_rows_and_says_how_many_it_left_out(
    busy: GatewayProcess,
) -> None:
    for section in ("all", "positions"):
        shown = busy.good("get_account", section=section)
        assert (len(shown["positions"]), shown["left_out"]) == (50, MANY - 50)
    assert busy.good("get_account")["left_out"] == 0


@pytest.mark.parametrize("tool", [*LISTS, "get_audit", "get_bars", "get_ticks"])
def test_no_caller_asks_for_more_than_a_page(busy: GatewayProcess, tool: str) -> None:
    for limit in (0, -1, 401, 10**6, 2**63):
        more = {"symbol": "EURUSD"} if tool in ("get_bars", "get_ticks") else {}
        assert busy.refusal(tool, limit=limit, **more) == "INVALID_ARGUMENT"
