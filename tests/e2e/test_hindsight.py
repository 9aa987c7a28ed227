"""The record looked at again: `risk simulate` and `audit rejudge`, beside a running gateway."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ordergate.bootstrap import hindsight
from ordergate.order.policy.rules import size
from ordergate.order.policy.rules.checklist import RULES, Rule
from ordergate.settings.load import load
from support.gateway_process import GatewayProcess, gateway

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a gateway with a small order sent, a large one asked and answered, one refused."""
    root = tmp_path_factory.mktemp("hindsight")
    with gateway(root, {"limits": {"order_notional_max": 90_000}}, operator=True) as one:
        ids = {"small": one.good("place_order", **one.order())["order_id"]}
        asked = one.call("place_order", **one.order("0.3"))
        ids["large"] = (
            asked["data"]["order_id"] if asked["ok"] else asked["error"]["details"]["order_id"]
        )
        refused = one.call("place_order", **one.order("0.9"))["error"]
        ids["refused"] = refused["details"]["order_id"]
        with one.operator() as desk:
            (ask,) = desk.get("/operator/approvals").json()["data"]
            yes = {"fingerprint": ask["ticket"]["fingerprint"]}
            reply = desk.post(f"/operator/approvals/{ask['ticket_id']}/approve", json=yes)
            assert reply.json()["ok"], reply.text
        yield one, ids


def said(one: GatewayProcess, *words: str) -> tuple[int, dict[str, Any]]:
    done = one.command(*words, "--json")
    return done.returncode, json.loads(done.stdout)


def test_every_verdict_is_made_again_bit_for_bit(
    traded: tuple[GatewayProcess, dict[str, str]],
) -> None:
    one, ids = traded
    for name, count in (("small", 1), ("large", 2), ("refused", 1)):
        code, answer = said(one, "audit", "rejudge", ids[name])
        assert (code, answer["data"]["same"]) == (0, True), answer
        rows = answer["data"]["judgements"]
        assert len(rows) == count, "the ask and the claim that redeemed the yes"
        last = rows[-1]
        ((kept,),) = one.book("select decision_json from orders where order_id = ?", ids[name])
        assert last["recorded"] == last["now"] == kept
        assert all(row["recorded_sha256"] == row["now_sha256"] for row in rows)
    assert said(one, "audit", "rejudge", "nothing")[0] == 1
    drawn = one.command("audit", "rejudge", ids["small"]).stdout
    assert "reproduced" in drawn


def test_it_goes_red_when_a_rule_has_changed(
    traded: tuple[GatewayProcess, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, ids = traded
    settings = load(one.environment)
    assert hindsight.rejudge(settings, ids["refused"])["same"] is True
    place = next(n for n, rule in enumerate(RULES) if rule.control is size.NOTIONAL_MAX)
    other = Rule(control=size.NOTIONAL_MAX, check=size.order_notional)
    changed = (*RULES[:place], other, *RULES[place + 1 :])
    monkeypatch.setattr("ordergate.order.policy.decision.RULES", changed)
    assert hindsight.rejudge(settings, ids["refused"])["same"] is False
    monkeypatch.setattr(hindsight, "__version__", "9.9.9")
    (row,) = hindsight.rejudge(settings, ids["refused"])["judgements"]  # type: ignore[misc]
    assert "rules may have changed" in row["note"]  # type: ignore[index]


def test_other_limits_are_replayed_beside_the_running_gateway(
    traded: tuple[GatewayProcess, dict[str, str]], tmp_path: Path
) -> None:
    one, ids = traded
    policy = tmp_path / "new.toml"
    policy.write_text("[limits.agents.local-agent]\norder_notional_max = 10\n")
    code, answer = said(one, "risk", "simulate", "--policy", str(policy), "--from", "2020-01-01")
    assert code == 0, answer
    found = answer["data"]
    assert (found["decisions"], found["not_replayed"], found["not_exact_for"]) == (4, {}, [])
    assert found["counts"] == {"allow -> deny": 1, "ask -> deny": 2, "deny -> deny": 1}
    small = next(row for row in found["changed"] if row["order_id"] == ids["small"])
    assert (small["then"], small["now"]) == ("allow", "deny (order_notional_max)")
    assert (small["limit"], small["unit"]) == ("10", "USD")
    assert small["source"] == "agent local-agent"
    assert found["notional"]["sent_now"] == found["notional"]["asked_now"] == "0"
    assert float(found["notional"]["asked_then"]) > float(found["notional"]["sent_then"]) > 0
    looser = tmp_path / "loose.toml"
    looser.write_text(
        "[limits]\nauto_approve_notional = 500000\nposition_notional_fraction = 5\n"
        "order_notional_fraction = 5\nagent_open_exposure_max = 900000\n"
    )
    _, answer = said(one, "risk", "simulate", "--policy", str(looser))
    assert answer["data"]["counts"] == {"allow -> allow": 1, "ask -> allow": 2, "deny -> allow": 1}
    _, answer = said(one, "risk", "simulate", "--policy", str(policy), "--to", "2020-01-01")
    assert answer["data"]["decisions"] == 0
    drawn = one.command("risk", "simulate", "--policy", str(policy)).stdout
    assert "(order_notional_" in drawn  # a narrow column breaks the word
    assert "allow -> deny          1" in drawn


def test_what_is_no_policy_or_no_date_is_refused(
    traded: tuple[GatewayProcess, dict[str, str]], tmp_path: Path
) -> None:
    one, _ = traded
    bad = tmp_path / "bad.toml"
    bad.write_text("[limits]\norder_notional_maximum = 3\n")
    for words in (
        ("--policy", str(bad)),
        ("--policy", str(tmp_path / "absent.toml")),
        ("--policy", str(bad), "--from", "yesterday"),
    ):
        code, answer = said(one, "risk", "simulate", *words)
        assert (code, answer["error"]["code"]) == (2, "INVALID_ARGUMENT")
