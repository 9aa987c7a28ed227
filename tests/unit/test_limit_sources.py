"""Where limits come from: profiles, tables of agents, accounts and venues, foreign keys."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ordergate.model.errors import GateError
from ordergate.order.policy.limits import SPECS, BadLimits
from ordergate.order.policy.tightenings import Scope, in_force, stricter_of
from ordergate.settings.limit_tables import policy_of
from ordergate.settings.profile import NAMES, profile, strictest_profile
from unit.test_settings import Home


@pytest.fixture
def home(tmp_path: Any) -> Home:
    return Home(tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_every_profile_reads(name: str) -> None:
    limits = profile(name)
    assert set(limits.origin.values()) <= {f"profile {name}"}


def test_a_profile_says_what_the_design_says() -> None:
    demo = profile("opentrading-demo")
    assert (demo.risk_per_trade_fraction, demo.daily_loss_fraction, demo.reward_risk_min) == (
        Decimal("0.05"),
        Decimal("0.10"),
        Decimal("0.7"),
    )
    careful = profile("conservative")
    default = profile("paper-default")
    for spec in SPECS:
        assert stricter_of(spec, default.value(spec), careful.value(spec)) == careful.value(spec)


def test_of_several_profiles_the_strictest_number_counts_with_its_name() -> None:
    both = strictest_profile(("opentrading-demo", "conservative"))
    assert both.risk_per_trade_fraction == Decimal("0.005")
    assert both.origin["limits.risk_per_trade_fraction"] == "profile conservative"
    swapped = strictest_profile(("conservative", "opentrading-demo"))
    assert both == swapped
    with_default = strictest_profile(("opentrading-demo", "paper-default"))
    assert with_default.risk_per_trade_fraction == Decimal("0.01")


def test_the_files_numbers_are_the_base_and_may_be_looser_than_the_profile() -> None:
    tables = {"risk": {"profile": "conservative"}, "limits": {"daily_loss_fraction": "0.05"}}
    found = in_force(policy_of(tables, "t", {}), ())
    assert found.limits.daily_loss_fraction == Decimal("0.05")
    assert found.sources["limits.daily_loss_fraction"] == "file"
    assert found.sources["limits.open_orders_max"] == "profile conservative"


def test_a_demo_profile_stays_off_live_accounts_whatever_the_file_says() -> None:
    tables = {"risk": {"profile": "opentrading-demo"}, "limits": {"live_allowed": True}}
    found = in_force(policy_of(tables, "t", {}), ())
    assert found.limits.live_allowed is False
    assert found.sources["limits.live_allowed"] == "profile opentrading-demo"


def test_tables_of_their_own_cover_their_own() -> None:
    tables = {
        "limits": {
            "order_notional_max": 900,
            "agents": {"bot": {"order_notional_max": 100}},
            "accounts": {"U12.3": {"order_notional_max": 200}},
            "venues": {"paper": {"order_notional_max": 300, "symbols_deny": ["X"]}},
        }
    }
    policy = policy_of(tables, "t", {})
    for scope, value, source in (
        (Scope(), 900, "file"),
        (Scope(venue="paper"), 300, "venue paper"),
        (Scope(venue="paper", account="U12.3"), 200, "account U12.3"),
        (Scope(venue="paper", account="U12.3", principal="bot"), 100, "agent bot"),
    ):
        found = in_force(policy, (), scope)
        said = (found.limits.order_notional_max, found.sources["limits.order_notional_max"])
        assert said == (value, source)


@pytest.mark.parametrize(
    ("key", "raw", "name", "value"),
    [
        ("MAX_RISK_PER_TRADE", "0.005", "risk_per_trade_fraction", "0.005"),
        ("MAX_RISK_PER_TRADE_PERCENT", "0.5", "risk_per_trade_fraction", "0.005"),
        ("MAX_DAILY_LOSS", "0.01", "daily_loss_fraction", "0.01"),
        ("MAX_DAILY_LOSS_PERCENT", "1", "daily_loss_fraction", "0.01"),
        ("MAX_OPEN_POSITIONS", "5", "open_positions_max", "5"),
        ("MIN_REWARD_RISK", "1.5", "reward_risk_min", "1.5"),
        ("MIN_RISK_REWARD_RATIO", "1.5", "reward_risk_min", "1.5"),
        ("MAX_ORDER_VALUE", "100", "order_notional_max", "100"),
        ("MAX_DAILY_VALUE", "1000", "account_notional_per_day_max", "1000"),
        ("DUPLICATE_WINDOW_SECONDS", "90", "duplicate_window_s", "90"),
    ],
)
def test_a_foreign_key_keeps_its_unit_and_only_tightens(
    home: Home, key: str, raw: str, name: str, value: str
) -> None:
    found = in_force(home.load(**{key: raw}).limits.current(), ())
    assert getattr(found.limits, name) == Decimal(value)
    assert found.sources[f"limits.{name}"] == f"compat {key}"
    home.toml(f"[compat.theirs]\n{key} = {raw}\n")
    found = in_force(home.load().limits.current(), ())
    assert found.sources[f"limits.{name}"] == f"compat theirs {key}"


def test_a_looser_foreign_key_changes_nothing_and_is_shown() -> None:
    found = in_force(policy_of({"compat": {"a": {"MAX_DAILY_LOSS": "0.10"}}}, "t", {}), ())
    assert found.limits.daily_loss_fraction == Decimal("0.02")


def test_config_show_says_which_source_won(home: Home) -> None:
    home.toml("[limits.agents.bot]\nopen_orders_max = 2\n")
    home.env("MAX_DAILY_LOSS_PERCENT=1\n")
    rows = {row.key: row for row in home.load().rows() if row.source.startswith("compat")}
    assert rows["limits.daily_loss_fraction"].value == "0.01"
    own = [row for row in home.load().rows() if row.source == "agent bot"]
    assert [(row.key, row.value) for row in own] == [("limits.open_orders_max", "2")]


@pytest.mark.parametrize(
    ("tables", "says"),
    [
        ({"risk": {"profile": "brave"}}, "no risk profile"),
        ({"risk": {"profile": 3}}, "name of a profile"),
        ({"limits": {"agents": {"bot": {"order_notional": 3}}}}, "there is no limit"),
        ({"limits": {"agents": {"bot": 3}}}, "must be a table"),
        ({"limits": {"venues": 3}}, "holds tables"),
        ({"limits": {"agents": {"bot": {"open_orders_max": 0}}}}, "must be from 1"),
        ({"compat": {"x": {"MAX_LOSS": 3}}}, "no such key"),
        ({"compat": {"x": {"MAX_DAILY_LOSS": 0}}}, "must be from"),
        ({"compat": {"x": {"MAX_DAILY_LOSS": True}}}, "plain number"),
        ({"compat": {"x": {"MAX_DAILY_LOSS": "NaN"}}}, "MAX_DAILY_LOSS"),
        ({"limits": {"agent": {"bot": {"open_orders_max": 1}}}}, "unknown key"),
    ],
)
def test_what_is_not_understood_is_refused(tables: dict[str, Any], says: str) -> None:
    with pytest.raises((GateError, BadLimits), match=says):
        policy_of(tables, "t", {})


def test_a_wrong_table_stops_the_start_and_names_the_key(home: Home) -> None:
    home.toml("[limits.agents.bot]\norder_notional = 3\n")
    with pytest.raises(GateError, match=r"\[limits.agents.bot\] there is no limit"):
        home.load()
