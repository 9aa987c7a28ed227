from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ordergate.model.errors import InvalidArgument
from ordergate.model.records import Tightening
from ordergate.model.values import PrincipalId
from ordergate.order.policy.limits import SPECS, Limits, Stricter
from ordergate.order.policy.tightenings import accepted_tightening, limit_views, tightened

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
    views = {view.name: view for view in limit_views(file, held, tightened(file, held))}
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
