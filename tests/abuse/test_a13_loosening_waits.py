"""A13: what tightens acts on the very next decision; what loosens waits, also after a restart."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from support.gateway_process import GatewayProcess, gateway

NAME = "limits.order_notional_max"
WITHIN_S = 20.0


def limits_of(one: GatewayProcess) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in one.good("get_limits")["limits"]}


def rewrite(one: GatewayProcess, **limits: object) -> None:
    one.settle_in({"limits": limits})


def until(one: GatewayProcess, value: str) -> dict[str, Any]:
    """Wait until the limit has this value; return what waits then."""
    deadline = time.monotonic() + WITHIN_S
    while limits_of(one)[NAME]["value"] != value:
        assert time.monotonic() < deadline, "it never came into force"
        time.sleep(0.3)
    return one.good("get_limits")


def waiting(one: GatewayProcess) -> list[dict[str, Any]]:
    """Return what waits, once the gateway has looked at the file."""
    deadline = time.monotonic() + WITHIN_S
    while not (found := one.good("get_limits")["loosenings"]):
        assert time.monotonic() < deadline, "it was never announced"
        time.sleep(0.3)
    return list(found)


def sealed(one: GatewayProcess, kind: str) -> list[dict[str, Any]]:
    rows = one.book("select body from audit where kind = ? order by seq", kind)
    return [json.loads(body)["body"] for (body,) in rows]


@pytest.mark.slow
def test_a_tightening_counts_at_once_and_taking_it_back_waits(tmp_path: Path) -> None:
    with gateway(tmp_path) as one:
        assert one.good("place_order", **one.order())["status"] == "filled"
        rewrite(one, order_notional_max=10)
        refused = one.call("place_order", **one.order())["error"]
        assert refused["code"] == "EXCEEDS_LOCAL_LIMIT", "the very next decision"
        assert refused["details"]["limit_name"] == NAME
        assert refused["details"]["source"] == "file"
        # The gateway has taken the tighter number over when it says so after the next look.
        deadline = time.monotonic() + WITHIN_S
        while b'"limits.order_notional_max":"10"' not in kept(one):
            assert time.monotonic() < deadline
            time.sleep(0.3)
        rewrite(one)
        assert one.refusal("place_order", **one.order()) == "EXCEEDS_LOCAL_LIMIT"
        (row,) = waiting(one)
        assert (row["limit_name"], row["old"], row["new"]) == (NAME, "10", "1000000")
        assert row["effective_at"] > row["announced_at"]
        assert one.refusal("place_order", **one.order()) == "EXCEEDS_LOCAL_LIMIT"
        (told,) = sealed(one, "limit.loosening_announced")
        assert (told["limit"], told["from"], told["to"]) == (NAME, "10", "1000000")
        assert sealed(one, "limit.loosened") == []


def kept(one: GatewayProcess) -> bytes:
    rows = one.book("select value from facts where name = 'limits.kept'")
    return rows[0][0].encode() if rows else b""


@pytest.mark.slow
def test_a_file_loosened_while_the_gateway_was_stopped_waits_too(tmp_path: Path) -> None:
    with gateway(tmp_path, {"limits": {"order_notional_max": 10}}) as one:
        assert one.refusal("place_order", **one.order()) == "EXCEEDS_LOCAL_LIMIT"
        one.stop()
        rewrite(one, order_notional_max=500_000)
        one.start()
        assert limits_of(one)[NAME]["value"] == "10"
        assert one.refusal("place_order", **one.order()) == "EXCEEDS_LOCAL_LIMIT"
        (row,) = waiting(one)
        assert (row["old"], row["new"]) == ("10", "500000")
        one.kill()
        rewrite(one, order_notional_max=20)
        one.start()
        assert limits_of(one)[NAME]["value"] == "10"
        assert [row["new"] for row in waiting(one)] == ["20"], "another number waits anew"


@pytest.mark.slow
def test_it_counts_when_the_announced_delay_is_over(tmp_path: Path) -> None:
    tables = {"limits": {"order_notional_max": 10, "loosening_delay_s": 2}}
    with gateway(tmp_path, tables) as one:
        rewrite(one, loosening_delay_s=2)
        (row,) = waiting(one)
        found = until(one, "1000000")
        assert found["loosenings"] == []
        (told,) = sealed(one, "limit.loosened")
        assert (told["limit"], told["to"]) == (NAME, "1000000")
        ((begun,),) = one.book("select ts from audit where kind = 'limit.loosening_announced'")
        ((ended,),) = one.book("select ts from audit where kind = 'limit.loosened'")
        assert ended >= row["effective_at"] > begun
        assert one.good("place_order", **one.order())["status"] == "filled"
        assert one.verified() == 0


@pytest.mark.slow
def test_a_looser_profile_and_a_dropped_table_are_loosenings(tmp_path: Path) -> None:
    own = {"limits.agents.local-agent": {"order_notional_max": 10}}
    with gateway(tmp_path, {"risk": {"profile": "conservative"}, **own}) as one:
        refused = one.call("place_order", **one.order())["error"]["details"]
        assert refused["source"] == "agent local-agent"
        rows = limits_of(one)
        assert rows[NAME]["source"] == "agent local-agent"
        assert rows["limits.open_orders_max"]["source"] == "profile conservative"
        one.settle_in({"risk": {"profile": "paper-default"}})
        names = {row["limit_name"]: row["source"] for row in waiting(one)}
        assert names[NAME] == "agent local-agent"
        assert names["limits.daily_loss_fraction"] == "file"
        assert limits_of(one)["limits.daily_loss_fraction"]["value"] == "0.01"
        assert one.refusal("place_order", **one.order()) == "EXCEEDS_LOCAL_LIMIT"


@pytest.mark.slow
def test_the_operator_calls_a_loosening_off(tmp_path: Path) -> None:
    tables = {"limits": {"order_notional_max": 10, "loosening_delay_s": 3}}
    with gateway(tmp_path, tables, operator=True) as one:
        rewrite(one, loosening_delay_s=3)
        waiting(one)
        with one.operator() as desk:
            reply = desk.post(f"/operator/limits/{NAME}/withdraw", json={"reason": "not me"})
            assert reply.status_code == 200, reply.text
        assert one.good("get_limits")["loosenings"] == []
        time.sleep(4)  # the delay it would have had
        assert limits_of(one)[NAME]["value"] == "10"
        assert len(sealed(one, "limit.loosening_announced")) == 1, "and it is not announced again"


@pytest.mark.slow
def test_a_broken_file_opens_nothing_and_loosens_nothing(tmp_path: Path) -> None:
    with gateway(tmp_path, {"limits": {"order_notional_max": 20_000}}) as one:
        path = one.config / "ordergate.toml"
        sound = path.read_text()
        path.write_text("[limits]\norder_notional_max = nonsense\n")
        assert not one.call("place_order", **one.order())["ok"]
        time.sleep(1.5)  # a look at the broken file
        path.write_text(sound)
        assert one.good("place_order", **one.order())["status"] == "filled"
        assert one.good("get_limits")["loosenings"] == []
