from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from ordergate.model.values import AccountId, VenueName
from ordergate.order.policy.limits import BY_NAME, Limits, Stricter
from ordergate.order.policy.on_live import CAPS, RealMoney, ask_life_s, on_live


def test_the_defaults_are_the_live_profile() -> None:
    live = on_live(Limits())
    assert live.risk_per_trade_fraction == Decimal("0.005")
    assert live.gross_exposure_fraction == live.net_exposure_fraction == 2
    assert live.stress_loss_fraction == Decimal("0.1")
    assert live.daily_loss_fraction == Decimal("0.02")
    assert (live.repeat_orders_max, live.repeat_window_s) == (5, 600)
    assert (live.hands_off_fills_max, live.losing_closes_max) == (5, 5)
    assert live.symbols_allow == ()
    assert live.auto_approve_notional == 0
    assert live.stop_required


@pytest.mark.parametrize(("name", "cap"), CAPS.items())
def test_a_live_row_only_makes_stricter(name: str, cap: str) -> None:
    for one in (name, cap):
        assert BY_NAME[f"limits.{one}"].stricter is Stricter.LOWER
    base = Limits()
    less, more = Decimal("0.001"), Decimal(10**6)
    for file, row in ((less, more), (more, less)):
        assert getattr(on_live(replace(base, **{name: file, cap: row})), name) == less


@pytest.mark.parametrize(
    ("every", "named", "left"),
    [
        (("*",), ("EURUSD",), ("EURUSD",)),
        (("EURUSD",), ("EURUSD", "AAPL"), ("EURUSD",)),
        ((), ("EURUSD",), ()),
        (("*",), ("*",), ()),
        (("*",), (), ()),
    ],
)
def test_symbols_must_be_on_both_lists_by_name(
    every: tuple[str, ...], named: tuple[str, ...], left: tuple[str, ...]
) -> None:
    limits = on_live(Limits(symbols_allow=every, live_symbols_allow=named))
    assert limits.symbols_allow == left


def test_no_stop_is_waived() -> None:
    limits = on_live(Limits(stop_required=False, stop_waived_symbols=("EURUSD",)))
    assert limits.stop_required
    assert limits.stop_waived_symbols == ()


def test_a_longer_repeat_window_stays() -> None:
    assert on_live(Limits(repeat_window_s=Decimal(900))).repeat_window_s == 900


@pytest.mark.parametrize(
    ("live", "limit_order", "seconds"), [(False, True, 300), (True, False, 300), (True, True, 3600)]
)
def test_how_long_an_ask_waits(*, live: bool, limit_order: bool, seconds: int) -> None:
    assert ask_life_s(Limits(), live=live, limit_order=limit_order) == seconds


def test_an_ask_lives_a_quarter_of_an_hour_or_a_day_at_most() -> None:
    assert BY_NAME["approval.live_ttl_s"].most == 900
    assert BY_NAME["approval.live_limit_ttl_s"].most == 86_400


def test_where_nothing_is_told_nothing_is_armed_and_no_stop_rests() -> None:
    real = RealMoney()
    assert real.armed_until(AccountId("a"), VenueName("v")) is None
    assert real.stops_rest() is False
