from __future__ import annotations

import re
from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ordergate.model.errors import InvalidArgument
from ordergate.model.records import Tightening
from ordergate.model.values import PrincipalId, Symbol
from ordergate.order.policy.limits import (
    SPECS,
    BadLimits,
    Limits,
    Stricter,
    accepted_tightening,
    limit_views,
    policy_hash,
    shown,
    spec_named,
    tightened,
)

DEFAULTS = Limits()


def tightening(name: str, value: str, by: str = "local-agent") -> Tightening:
    return Tightening(
        limit_name=name,
        value=Decimal(value),
        set_by=PrincipalId(by),
        set_at=datetime(2026, 1, 7, tzinfo=UTC),
        reason="careful",
    )


def test_every_field_but_the_source_is_a_row_of_the_table() -> None:
    assert {spec.attribute for spec in SPECS} == {row.name for row in fields(Limits)} - {"given"}
    assert len({spec.name for spec in SPECS}) == len(SPECS)


def test_every_default_is_in_its_own_range() -> None:
    tables: dict[str, dict[str, object]] = {}
    for spec in SPECS:
        tables.setdefault(spec.table, {})[spec.key] = spec.default
    assert Limits.from_mapping(tables) == DEFAULTS


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limits.order_notional_fraction", "1"),
        ("limits.risk_per_trade_fraction", "0.01"),
        ("limits.gross_exposure_fraction", "5"),
        ("limits.daily_loss_fraction", "0.02"),
        ("limits.auto_approve_notional", "20000"),
        ("limits.repeat_orders_max", "20"),
        ("limits.repeat_window_s", "600"),
        ("approval.ttl_s", "300"),
    ],
)
def test_the_profile_paper_default(name: str, value: str) -> None:
    assert shown(spec_named(name).default) == value


def test_a_file_sets_limits_by_table_or_dotted_name() -> None:
    limits = Limits.from_mapping(
        {
            "limits": {"daily_loss_fraction": Decimal("0.01"), "symbols_deny": ["BTCUSD"]},
            "approval.ttl_s": 120,
            "limits.order_notional_max": "5000",
            "limits.stop_required": False,
        }
    )
    assert limits.daily_loss_fraction == Decimal("0.01")
    assert limits.approval_ttl_s == 120
    assert limits.order_notional_max == 5000
    assert limits.stop_required is False
    assert not limits.allows(Symbol("BTCUSD"))
    assert limits.given == {
        "limits.daily_loss_fraction",
        "limits.symbols_deny",
        "approval.ttl_s",
        "limits.order_notional_max",
        "limits.stop_required",
    }


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("limits.dayly_loss_fraction", Decimal(1), 'Did you mean "limits.daily_loss_fraction"?'),
        ("risk", Decimal(1), 'there is no limit "risk"'),
        ("limits.daily_loss_fraction", Decimal(0), "must be from"),
        ("limits.daily_loss_fraction", Decimal("1.01"), "must be from"),
        ("limits.daily_loss_fraction", Decimal("NaN"), "plain number"),
        ("limits.daily_loss_fraction", Decimal("Infinity"), "plain number"),
        ("limits.daily_loss_fraction", 0.02, "plain number"),
        ("limits.daily_loss_fraction", "1e-2", "plain number"),
        ("limits.daily_loss_fraction", True, "plain number"),
        ("limits.daily_loss_fraction", None, "plain number"),
        ("limits.open_orders_max", Decimal("2.5"), "whole number"),
        ("limits.open_orders_max", 0, "must be from 1"),
        ("limits.stop_required", 1, "true or false"),
        ("limits.symbols_allow", "EURUSD", "a list"),
        ("limits.symbols_allow", [1], "symbols only"),
        ("limits.symbols_allow", ["X"] * 1001, "a list of at most"),
    ],
)
def test_what_a_file_may_not_say(key: str, value: object, says: str) -> None:
    with pytest.raises(BadLimits, match=re.escape(says)):
        Limits.from_mapping({key: value})


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(BadLimits) as caught:
        Limits.from_mapping({"limits": {"a": 1, "daily_loss_fraction": 2, "open_orders_max": 3}})
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    ("allow", "deny", "passes"),
    [
        (("*",), (), True),
        (("*",), ("EURUSD",), False),
        (("EURUSD",), (), True),
        (("GBPUSD",), (), False),
        ((), (), False),
        (("EURUSD",), ("EURUSD",), False),
    ],
)
def test_the_lists_of_symbols(allow: tuple[str, ...], deny: tuple[str, ...], passes: bool) -> None:
    limits = replace(DEFAULTS, symbols_allow=allow, symbols_deny=deny)
    assert limits.allows(Symbol("EURUSD")) is passes


def test_the_strictest_of_all_sources_counts() -> None:
    effective = tightened(
        DEFAULTS,
        [
            tightening("limits.daily_loss_fraction", "0.015"),
            tightening("limits.daily_loss_fraction", "0.01", by="other"),
            tightening("limits.daily_loss_fraction", "0.018"),
            tightening("limits.margin_free_min_fraction", "0.7"),
            tightening("limits.short_allowed", "0"),
        ],
    )
    assert effective.daily_loss_fraction == Decimal("0.01")
    assert effective.margin_free_min_fraction == Decimal("0.7")
    assert effective.short_allowed is False


def test_a_tightening_never_loosens() -> None:
    loose = [
        tightening("limits.daily_loss_fraction", "0.5"),
        tightening("limits.margin_free_min_fraction", "0.1"),
        tightening("limits.stop_required", "0"),
        tightening("limits.equity_short_allowed", "1"),
        tightening("limits.symbols_deny", "0"),
        tightening("limits.renamed_since", "0"),
    ]
    assert tightened(DEFAULTS, loose) == DEFAULTS


def test_what_an_agent_may_tighten() -> None:
    spec = accepted_tightening(DEFAULTS, "daily_loss_fraction", Decimal("0.01"), by_agent=True)
    assert spec.name == "limits.daily_loss_fraction"
    accepted_tightening(DEFAULTS, "limits.short_allowed", Decimal(0), by_agent=True)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("limits.daily_loss_fraction", "0.02", "is not stricter"),
        ("limits.daily_loss_fraction", "0.03", "is not stricter"),
        ("limits.margin_free_min_fraction", "0.4", "is not stricter"),
        ("limits.daily_loss_fraction", "0", "must be from"),
        ("limits.daily_loss_fraction", "-1", "must be from"),
        ("limits.daily_loss_fraction", "NaN", "plain number"),
        ("limits.short_allowed", "0.5", "true or false"),
        ("limits.open_orders_max", "1.5", "whole number"),
        ("approval.ttl_s", "10", "in ordergate.toml alone"),
        ("limits.symbols_allow", "0", "in ordergate.toml alone"),
        ("limits.daily_loss", "0.01", "there is no limit"),
    ],
)
def test_what_an_agent_may_not_tighten(name: str, value: str, says: str) -> None:
    with pytest.raises(InvalidArgument, match=says):
        accepted_tightening(DEFAULTS, name, Decimal(value), by_agent=True)


def test_an_operator_may_tighten_the_life_of_an_ask() -> None:
    spec = accepted_tightening(DEFAULTS, "approval.ttl_s", Decimal(60), by_agent=False)
    assert spec.stricter is Stricter.LOWER


def test_views_name_the_source_of_each_limit() -> None:
    file = Limits.from_mapping({"limits": {"open_orders_max": 7}})
    views = {
        view.name: view
        for view in limit_views(file, [tightening("limits.daily_loss_fraction", "0.01")])
    }
    assert len(views) == len(SPECS)
    assert (views["limits.open_orders_max"].value, views["limits.open_orders_max"].source) == (
        "7",
        "file",
    )
    loss = views["limits.daily_loss_fraction"]
    assert (loss.value, loss.source) == ("0.01", "tightened by local-agent")
    assert views["limits.stop_required"].value == "true"
    assert views["limits.symbols_allow"].value == '["*"]'
    assert views["limits.risk_per_trade_fraction"].source == "profile"


def test_the_hash_follows_the_numbers_and_not_their_spelling() -> None:
    same = replace(DEFAULTS, order_notional_fraction=Decimal("1.00"), given=frozenset({"x"}))
    other = replace(DEFAULTS, order_notional_fraction=Decimal("1.01"))
    assert policy_hash(same) == policy_hash(DEFAULTS) != policy_hash(other)
