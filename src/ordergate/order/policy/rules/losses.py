"""Losses (C10): the day's, the week's, and the fall from the peak; each ends what adds risk."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from ordergate.model.accounts import AccountState, Baselines
from ordergate.model.records import ScopeKind
from ordergate.model.verdicts import Halting, RuleVerdict
from ordergate.order.policy.facts import Facts, Request
from ordergate.order.policy.limits import Limits
from ordergate.order.policy.rules.control import MONEY, Control, cents_down, cents_up, money

DAY: Final = Control(
    rule="daily_loss",
    number="C10",
    limit_name="limits.daily_loss_fraction",
    unit=MONEY,
    halts=ScopeKind.ACCOUNT,
)
WEEK: Final = Control(
    rule="weekly_loss",
    number="C10",
    limit_name="limits.weekly_loss_fraction",
    unit=MONEY,
    halts=ScopeKind.ACCOUNT,
)
PEAK: Final = Control(
    rule="drawdown",
    number="C10",
    limit_name="limits.drawdown_fraction",
    unit=MONEY,
    halts=ScopeKind.ACCOUNT,
)


def daily_loss(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse new risk, and halt, once the day has lost its share of the equity at its start.

    Realised and open loss, trades made elsewhere included; the day is the venue's.
    """
    state = facts.state
    if state is None or state.day_start_equity is None:
        return DAY.lacks("the equity at the day's start")
    start, share = state.day_start_equity, facts.limits.daily_loss_fraction
    return _lost(DAY, state, start, share, "the day")


def weekly_loss(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse new risk, and halt, once the week has lost its share of the equity at its start."""
    start = facts.baselines.week_start_equity
    if facts.state is None or start is None:
        return WEEK.lacks("the equity at the week's start")
    return _lost(WEEK, facts.state, start, facts.limits.weekly_loss_fraction, "the week")


def drawdown(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse new risk, and halt, once the equity has fallen so far from its peak."""
    peak = facts.baselines.peak_equity
    if facts.state is None or peak is None:
        return PEAK.lacks("the highest equity so far")
    share = facts.limits.drawdown_fraction
    return _lost(PEAK, facts.state, peak, share, "the equity, against its peak,")


def lost(state: AccountState, baselines: Baselines, limits: Limits) -> Halting | None:
    """Return the first loss that is reached; what is not known is no loss."""
    starts = (
        (DAY, state.day_start_equity, limits.daily_loss_fraction),
        (WEEK, baselines.week_start_equity, limits.weekly_loss_fraction),
        (PEAK, baselines.peak_equity, limits.drawdown_fraction),
    )
    for control, start, share in starts:
        if start is not None and start - state.equity >= share * start:
            return Halting(control.rule, ScopeKind.ACCOUNT)
    return None


def _lost(
    control: Control, state: AccountState, start: Decimal, share: Decimal, what: str
) -> RuleVerdict:
    loss, limit = start - state.equity, share * start
    return control.measured(
        value=cents_up(loss),
        limit=cents_down(limit),
        room=cents_down(limit - loss),
        broken=loss >= limit,
        message=f"{what} stands at {money(-loss, state.currency)}, "
        f"it ends at {money(-limit, state.currency)}",
        fix=lambda: "no new risk until it is over; closing and tightening pass",
    )
