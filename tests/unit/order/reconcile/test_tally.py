"""The tally: executions and lines of cash explain a balance and holdings, or something is wrong."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ordergate.model.accounts import (
    AccountIdentity,
    CashKind,
    CashLine,
    Mode,
    Position,
    VenueSnapshot,
)
from ordergate.model.orders import Side
from ordergate.model.values import Symbol
from ordergate.order.reconcile.tally import Drift, Tally, drifts, held, taken, unclassed
from support.judging import ACCOUNT, VENUE, D, position, state
from unit.order.reconcile.test_difference import AT, a_fill

BEFORE = Tally(balance=D(100_000), holdings={"EURUSD": D("0.10")})


def now(balance: str, *positions: Position) -> VenueSnapshot:
    return VenueSnapshot(
        identity=AccountIdentity(ACCOUNT, VENUE, Mode.PAPER, "embedded"),
        account=state(balance=D(balance)),
        positions=positions,
        open_orders=(),
        venue_time=AT,
    )


def line(kind: CashKind, amount: str, **more: Any) -> CashLine:
    return CashLine(line_id="c1", kind=kind, amount=D(amount), time=AT, **more)


def test_nothing_happened_and_nothing_differs() -> None:
    assert drifts(BEFORE, now("100000", position()), fills=(), cash=()) == ()


def test_an_execution_explains_the_balance_and_the_holding() -> None:
    closing = a_fill(side=Side.SELL, realised=D("12.30"), commission=D("0.35"))
    assert drifts(BEFORE, now("100011.95"), fills=[closing], cash=()) == ()


@pytest.mark.parametrize("kind", [kind for kind in CashKind if kind is not CashKind.OTHER])
def test_a_line_of_cash_explains_the_balance(kind: CashKind) -> None:
    found = drifts(BEFORE, now("99990", position()), fills=(), cash=[line(kind, "-10")])
    assert found == ()


def test_a_split_explains_a_holding() -> None:
    split = line(CashKind.SPLIT, "0", symbol=Symbol("EURUSD"), quantity=D("0.10"))
    doubled = position(quantity=D("0.20"))
    assert drifts(BEFORE, now("100000", doubled), fills=(), cash=[split]) == ()


def test_a_stop_out_is_an_execution_of_the_venue() -> None:
    fired = a_fill(side=Side.SELL, realised=D(-500), reason="stop_out", tag=None)
    assert drifts(BEFORE, now("99500"), fills=[fired], cash=()) == ()


def test_money_that_nothing_explains_is_a_difference() -> None:
    found = drifts(BEFORE, now("100000.01", position()), fills=(), cash=())
    assert found == (Drift(what="balance", expected=D(100_000), found=D("100000.01")),)


def test_a_holding_that_nothing_explains_is_a_difference_missing_is_not_flat() -> None:
    assert drifts(BEFORE, now("100000"), fills=(), cash=()) == (
        Drift(what="EURUSD", expected=D("0.10"), found=Decimal(0)),
    )
    found = drifts(BEFORE, now("100000", position(), position(side=Side.SELL)), fills=(), cash=())
    assert [one.what for one in found] == ["EURUSD"]


@pytest.mark.parametrize(("cents", "explained"), [("0.01", True), ("0.02", False)])
def test_a_venue_may_round_a_cent_away_on_every_line(cents: str, explained: bool) -> None:
    paid = line(CashKind.SWAP, "-1.00")
    balance = D(99_999) - D(cents)
    found = drifts(BEFORE, now(str(balance), position()), fills=(), cash=[paid])
    assert (found == ()) is explained


def test_a_line_of_no_known_kind_is_told_apart() -> None:
    odd = line(CashKind.OTHER, "5")
    assert unclassed([line(CashKind.SWAP, "1"), odd]) == (odd,)


def test_holdings_are_net_and_flat_is_nothing() -> None:
    both = (position(), position(side=Side.SELL), position(symbol=Symbol("GBPUSD")))
    assert held(both) == {"GBPUSD": D("0.10")}


def test_a_tally_is_kept_as_text() -> None:
    kept = taken(now("100000.05", position()), fills=7, cash=3)
    assert Tally.read(kept.text()) == kept
