"""The backtest's gate and the real one give the same answer to the same order."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from decimal import Decimal

import numpy
import pytest

from ordergate.model.orders import Side
from ordergate.order.policy.limits import Limits
from ordergate.research.backtest.engine import CODES
from ordergate.research.backtest.spec import Account, Sizing
from ordergate.sim import layout
from ordergate.sim.gating import ALLOWED, gated, part
from support.backtests import bars, laid_on, ran, spec, word
from support.judging import Court, D, place, state

CALM = (0, 5, -5, 0)
ASKED_HERE = frozenset(
    {
        *("stop_required", "reward_risk", "order_quantity", "order_notional"),
        *("order_notional_max", "risk_per_trade"),
    }
)


def ours(limits: Limits, equity: Decimal, asked: tuple[int, int, int, int, int]) -> str:
    told = spec(policy=limits, account=Account(balance=equity))
    laid = laid_on(told, bars([CALM] * 3))
    account = numpy.zeros(layout.MARKS_AT + 2, dtype=numpy.int64)
    account[layout.A_BALANCE] = laid.terms[layout.BALANCE]
    none = numpy.zeros(1, dtype=numpy.int64)
    run = layout.Run(
        bid=laid.bid,
        ask=laid.ask,
        extra=laid.extra,
        finer=laid.finer,
        rolls=laid.rolls,
        terms=laid.terms,
        want=none,
        word=none,
        account=account,
        positions=none,
        orders=none,
        trades=none,
        equity=none,
    )
    found = gated(run, 0, 0, asked)
    return "" if found == ALLOWED else CODES[found].split()[-1].lower()


def theirs(limits: Limits, equity: Decimal, asked: tuple[int, int, int, int, int]) -> str:
    """Return the first rule of those that the real checklist refuses an order by."""
    side, steps, price, stop, target = asked
    court = Court(limits=limits, account=state(equity=equity, balance=equity, margin_free=equity))
    bid, ask = (price - 1, price) if side > 0 else (price, price + 1)
    court.market.set("EURUSD", D(bid) / 100_000, D(ask) / 100_000)
    intent = place(
        side=Side.BUY if side > 0 else Side.SELL,
        quantity=D(steps) / 100,
        stop_loss=None if not stop else D(stop) / 100_000,
        take_profit=None if not target else D(target) / 100_000,
    )
    for verdict in court.judge(intent).decision.verdicts:
        if verdict.finding.value == "refuse" and verdict.rule in ASKED_HERE:
            return verdict.rule
    return ""


def test_both_gates_refuse_the_same_orders_by_the_same_rule() -> None:
    chance, seen = random.Random(5), Counter[str]()
    for _ in range(200):
        limits = replace(
            Limits(),
            order_quantity_fx_max=Decimal(chance.choice(("0.5", "20"))),
            order_notional_fraction=Decimal(chance.choice(("1", "3", "30"))),
            order_notional_max=Decimal(chance.choice((90_000, 10**6))),
            risk_per_trade_fraction=Decimal(chance.choice(("0.001", "0.01"))),
            reward_risk_min=Decimal(chance.choice(("0.8", "2"))),
            stop_required=chance.random() < 0.7,
        )
        side, price = chance.choice((1, -1)), 108_000 + chance.randint(-500, 500)
        away, gain = chance.randint(20, 400), chance.randint(20, 600)
        stop = 0 if chance.random() < 0.2 else price - side * away
        target = 0 if chance.random() < 0.3 else price + side * gain
        steps = chance.choice((10, 50, 51, 83, 84, 100, 2_001))
        equity = Decimal(chance.choice((20_000, 100_000)))
        asked = (side, steps, price, stop, target)
        mine = ours(limits, equity, asked)
        assert mine == theirs(limits, equity, asked), (asked, limits, equity)
        seen[mine] += 1
    assert set(seen) == ASKED_HERE | {""}


@pytest.mark.parametrize(
    ("stop", "told"), [(-997, ""), (-998, "risk_per_trade"), (-999, "risk_per_trade")]
)
def test_the_risk_may_be_as_large_as_the_limit_and_no_larger(stop: int, told: str) -> None:
    # one lot bought at 1.00002: 999 ticks lose 999 of the 1,000 allowed; the fraction is exact
    limits = replace(
        Limits(), risk_per_trade_fraction=Decimal("0.00999"), order_notional_fraction=Decimal(3)
    )
    assert ours(limits, Decimal(100_000), (1, 100, 100_002, 100_000 + stop, 0)) == told


def test_what_the_gate_refuses_is_counted_and_not_traded() -> None:
    asked = spec(policy=Limits(), sizing=Sizing(amount=Decimal(25)))
    refused = ran(asked, bars([CALM] * 4), word([1, 0, 0, 0], stop=[-50, 0, 0, 0]))
    assert (len(refused.trades), refused.refused) == (0, {"EXCEEDS_LOCAL_LIMIT order_quantity": 1})
    bare = ran(spec(policy=Limits()), bars([CALM] * 4), word([1, 0, 0, 0]))
    assert bare.refused == {"STOP_REQUIRED": 1}


def test_millionths_are_rounded_down() -> None:
    assert part(10**13 + 7, 10_000) == (10**13 + 7) // 100
