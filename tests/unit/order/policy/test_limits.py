from __future__ import annotations

import re
from dataclasses import fields, replace
from decimal import Decimal

import pytest

from ordergate.model.values import Symbol
from ordergate.order.policy.limits import (
    SPECS,
    BadLimits,
    Limits,
    policy_hash,
    shown,
    spec_named,
)

DEFAULTS = Limits()


def test_every_field_but_the_source_is_a_row_of_the_table() -> None:
    assert {spec.attribute for spec in SPECS} == {row.name for row in fields(Limits)} - {
        "origin",
        "narrowings",
        "broken",
    }
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
    assert set(limits.origin) == {
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


def test_the_hash_follows_the_numbers_and_not_their_spelling() -> None:
    same = replace(DEFAULTS, order_notional_fraction=Decimal("1.00"), origin={"x": "file"})
    other = replace(DEFAULTS, order_notional_fraction=Decimal("1.01"))
    assert policy_hash(same) == policy_hash(DEFAULTS) != policy_hash(other)
