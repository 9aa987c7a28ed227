from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ordergate.model.errors import InvalidArgument
from ordergate.model.records import Tightening
from ordergate.model.values import PrincipalId
from ordergate.order.policy.limits import BY_NAME, SPECS, Limits, Narrowing, Stricter
from ordergate.order.policy.tightenings import (
    DEFAULT_SOURCE,
    EVERYONE,
    Scope,
    accepted_tightening,
    in_force,
    is_looser,
    limit_views,
    stricter_of,
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
    held = [tightening("limits.daily_loss_fraction", "0.01")]
    views = {view.name: view for view in limit_views(file, held)}
    assert len(views) == len(SPECS)
    assert (views["limits.open_orders_max"].value, views["limits.open_orders_max"].source) == (
        "7",
        "file",
    )
    loss = views["limits.daily_loss_fraction"]
    assert (loss.value, loss.source) == ("0.01", "tightened by local-agent")
    assert views["limits.stop_required"].value == "true"
    assert views["limits.symbols_allow"].value == '["*"]'
    assert views["limits.risk_per_trade_fraction"].source == "profile paper-default"


NAME = "limits.order_notional_max"
HERE = Scope(venue="paper", account="paper-1", principal="bot")


def narrowing(source: str, value: str, name: str = NAME) -> Narrowing:
    return Narrowing(source=source, values=((name, Decimal(value)),))


@pytest.mark.parametrize("strictest", ["agent bot", "account paper-1", "venue paper", "compat X"])
def test_the_strictest_of_venue_account_agent_and_global_wins_and_is_named(strictest: str) -> None:
    sources = ["agent bot", "account paper-1", "venue paper", "compat X"]
    rows = [narrowing(one, "5" if one == strictest else "50") for one in sources]
    rows += [narrowing("agent other", "1"), narrowing("account other", "1")]
    found = in_force(Limits(narrowings=tuple(rows)), [tightening(NAME, "7")], HERE)
    assert (found.limits.order_notional_max, found.sources[NAME]) == (5, strictest)
    tight = in_force(Limits(narrowings=tuple(rows)), [tightening(NAME, "4")], HERE)
    assert (tight.limits.order_notional_max, tight.sources[NAME]) == (4, "tightened by local-agent")


def test_the_base_may_be_looser_than_the_default_and_tables_only_tighten_it() -> None:
    file = Limits.from_mapping({"limits": {"order_notional_max": 5_000_000}})
    wide = dataclasses.replace(file, narrowings=(narrowing("agent bot", "9000000"),))
    found = in_force(wide, (), HERE)
    assert (found.limits.order_notional_max, found.sources[NAME]) == (5_000_000, "file")


def test_tables_of_an_agent_an_account_or_a_venue_are_nobody_elses() -> None:
    rows = (narrowing("agent bot", "5"), narrowing("venue paper", "6"), narrowing("compat X", "7"))
    found = in_force(Limits(narrowings=rows), (), EVERYONE)
    assert (found.limits.order_notional_max, found.sources[NAME]) == (7, "compat X")
    assert DEFAULT_SOURCE not in found.sources.values()


def test_what_is_stricter_of_lists_and_switches() -> None:
    allow, deny = BY_NAME["limits.symbols_allow"], BY_NAME["limits.symbols_deny"]
    waived, short = BY_NAME["limits.stop_waived_symbols"], BY_NAME["limits.short_allowed"]
    assert stricter_of(allow, ("*",), ("A",)) == ("A",)
    assert stricter_of(allow, ("A", "B"), ("B", "C")) == ("B",)
    assert stricter_of(deny, ("A",), ("B",)) == ("A", "B")
    assert stricter_of(waived, ("*",), ("A",)) == (), '"*" waives nothing here'
    assert stricter_of(short, True, False) is False
    assert is_looser(allow, ("A", "B"), than=("A",))
    assert not is_looser(allow, ("B", "A"), than=("A", "B"))
    assert is_looser(deny, (), than=("A",))
