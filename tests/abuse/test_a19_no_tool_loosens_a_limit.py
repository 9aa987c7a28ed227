"""A19: tools tighten limits and never loosen one, by value, by name or by another door."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path

import pytest

from support.gateway_process import GatewayProcess, gateway

LOOSER = ("0.5", "0.9", "1.1", "2", "10", "1000")  # times the value in force
ANY = ("0", "0.000001", "1", "100", "999999999999")


def effective(one: GatewayProcess) -> dict[str, str]:
    return {row["name"]: row["value"] for row in one.good("get_limits")["limits"]}


def stricter_way(one: GatewayProcess, name: str, value: Decimal) -> int:
    """Return +1 where larger is stricter, -1 where smaller is, 0 where nothing is left."""
    for factor, way in (("2", 1), ("0.5", -1)):
        wanted = format((value * Decimal(factor)).normalize(), "f")
        if one.call("tighten_limit", limit_name=name, value=wanted)["ok"]:
            return way
    return 0


@pytest.mark.slow
def test_every_limit_moves_one_way(tmp_path: Path) -> None:
    with gateway(tmp_path, {"server": {"calls_per_second": 10_000, "burst": 10_000}}) as one:
        ways = {}
        for name, text in effective(one).items():
            try:
                value = Decimal(text)
            except InvalidOperation:  # lists and switches
                for wanted in ("0", "1"):
                    one.call("tighten_limit", limit_name=name, value=wanted)
                continue
            ways[name] = stricter_way(one, name, value)
            held = effective(one)[name]
            for factor in LOOSER:
                wanted = format((Decimal(held) * Decimal(factor)).normalize(), "f")
                if (Decimal(wanted) - Decimal(held)) * ways[name] > 0:
                    continue  # that would be tighter
                assert not one.call("tighten_limit", limit_name=name, value=wanted)["ok"]
            assert effective(one)[name] == held
        assert ways["limits.reward_risk_min"] == 1
        assert ways["limits.order_notional_max"] == -1
        assert effective(one)["limits.stop_required"] == "true"
        assert effective(one)["limits.symbols_allow"] == '["*"]'
        assert effective(one)["limits.symbols_deny"] == "[]"


def test_no_other_name_or_door_opens_a_limit(running: GatewayProcess) -> None:
    before = effective(running)
    names = ("auto_approve_notional", "limits.auto_approve_notional")
    for name in (*names, "approval.ttl_s", "approval.band_fraction"):
        looser = running.call("tighten_limit", limit_name=name, value="999999")
        assert not looser["ok"], name
    for name in ("LIMITS.auto_approve_notional", "limits.auto_approve_notional ", "policy.x"):
        for value in ANY:
            assert not running.call("tighten_limit", limit_name=name, value=value)["ok"]
    for method, path in (
        ("PUT", "/api/v1/limits"),
        ("PATCH", "/api/v1/limits"),
        ("POST", "/api/v1/limits"),
        ("DELETE", "/api/v1/limits/tighten"),
        ("POST", "/api/v1/limits/loosen"),
        ("POST", "/api/v1/call/set_limit"),
        ("POST", "/api/v1/call/loosen_limit"),
        ("POST", "/api/v1/call/withdraw_loosening"),
        ("POST", "/operator/limits/limits.order_notional_max/loosen"),
        ("POST", "/operator/limits/limits.order_notional_max/withdraw"),
        ("POST", "/killswitch/release"),
        ("DELETE", "/api/v1/killswitch"),
    ):
        reply = running.http.request(method, path, json={"limit_name": names[0], "value": "9"})
        assert reply.status_code in (404, 405, 422), (method, path, reply.text)
    assert effective(running) == before
