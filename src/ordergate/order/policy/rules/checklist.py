"""The checklist: every rule in declared order, and what each may say in each lane."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from ordergate.model.orders import Lane
from ordergate.model.verdicts import Finding, RuleVerdict
from ordergate.order.policy.facts import Facts, Request
from ordergate.order.policy.rules import (
    budgets,
    crossing,
    form,
    live,
    losses,
    machine,
    market,
    pace,
    size,
    standing,
    stops,
    totals,
    wholebook,
)
from ordergate.order.policy.rules.control import MONEY, Control

Check = Callable[[Request, Facts], RuleVerdict]


class Say(enum.Enum):
    """The most a rule may say in a lane that adds no risk."""

    REFUSE = "refuse"
    WARN = "warn"
    PASS = "pass"
    NOT_APPLICABLE = "n/a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of the control table; in the open lane every rule has its full say."""

    control: Control
    check: Check
    tighten: Say = Say.PASS
    close: Say = Say.PASS
    cancel: Say = Say.PASS

    def judge(self, request: Request, facts: Facts) -> RuleVerdict:
        """Return the rule's verdict, no louder than its lane lets it be, in the currency known."""
        verdict = self._verdict(request, facts)
        if verdict.value is None or MONEY not in verdict.unit or not facts.currency:
            return verdict
        return replace(verdict, unit=verdict.unit.replace(MONEY, facts.currency))

    def _verdict(self, request: Request, facts: Facts) -> RuleVerdict:
        say = self._say(request.lane)
        if say in _SILENT:
            return self.control.silent(f"not asked in the {request.lane.value} lane")
        verdict = self.check(request, facts)
        if say is Say.WARN and verdict.finding in (Finding.REFUSE, Finding.ASK):
            return replace(verdict, finding=Finding.WARN, halts=None)
        return verdict

    def _say(self, lane: Lane) -> Say:
        match lane:
            case Lane.OPEN:
                return Say.REFUSE
            case Lane.TIGHTEN:
                return self.tighten
            case Lane.CLOSE:
                return self.close
            case Lane.CANCEL:
                return self.cancel


_SILENT: Final = frozenset({Say.PASS, Say.NOT_APPLICABLE})


def _everywhere(say: Say, control: Control, check: Check) -> Rule:
    return Rule(control=control, check=check, tighten=say, close=say, cancel=say)


def _opening(control: Control, check: Check, *, tighten: Say = Say.NOT_APPLICABLE) -> Rule:
    """Return a rule of what an order adds: an exit passes, the other lanes add nothing."""
    return Rule(control=control, check=check, tighten=tighten, cancel=Say.NOT_APPLICABLE)


def _at_market(control: Control, check: Check) -> Rule:
    """Return a rule of the price: it warns an exit, and a cancel has none."""
    return Rule(
        control=control,
        check=check,
        tighten=Say.WARN,
        close=Say.WARN,
        cancel=Say.NOT_APPLICABLE,
    )


# reliability.md 1.2. Outside the open lane only C1 and C18 refuse, and both only on what is known.
RULES: Final = (
    _everywhere(Say.REFUSE, form.NUMBERS, form.numbers),
    _everywhere(Say.REFUSE, form.FIELDS, form.fields),
    _everywhere(Say.WARN, form.SYMBOL, form.symbol_known),
    _everywhere(Say.WARN, form.TARGET, form.target),
    _everywhere(Say.REFUSE, form.VOLUME, form.volume),
    _everywhere(Say.REFUSE, form.TICKS, form.price_ticks),
    _everywhere(Say.REFUSE, form.EXPIRY, form.expiry),
    Rule(control=standing.KILL, check=standing.kill_switch),
    Rule(control=standing.HALTS, check=standing.halts),
    _everywhere(Say.WARN, standing.ACCOUNT, standing.account_proven),
    Rule(control=standing.ARMED, check=standing.live_armed),
    _everywhere(Say.WARN, machine.JOURNAL, machine.journal_writable),
    _everywhere(Say.WARN, machine.VERSION, machine.one_version),
    _everywhere(Say.WARN, machine.VENUE_CLOCK, machine.venue_clock),
    _everywhere(Say.WARN, machine.WALL_CLOCK, machine.wall_clock),
    _everywhere(Say.WARN, machine.LAG, machine.loop_lag),
    _everywhere(Say.WARN, machine.SEBI, machine.sebi_pack),
    Rule(control=budgets.LIVE, check=budgets.live_allowed),
    Rule(control=live.GRANT, check=live.live_grant),
    Rule(control=standing.SYMBOLS, check=standing.symbol_allowed),
    Rule(
        control=size.REDUCES,
        check=size.reduces_only,
        tighten=Say.REFUSE,
        close=Say.REFUSE,
        cancel=Say.NOT_APPLICABLE,
    ),
    _everywhere(Say.WARN, market.SESSION, market.market_open),
    _everywhere(Say.WARN, market.TRADE_MODE, market.trade_mode),
    _everywhere(Say.WARN, market.ROLLOVER, market.rollover),
    _everywhere(Say.WARN, market.NEWS, market.news_window),
    _at_market(market.QUOTE, market.quote_fresh),
    _at_market(market.SPREAD, market.spread),
    Rule(control=form.TRIGGER, check=form.trigger_side),
    _at_market(market.COLLAR, market.price_collar),
    Rule(
        control=market.DRIFT,
        check=market.price_drift,
        close=Say.WARN,
        cancel=Say.NOT_APPLICABLE,
    ),
    Rule(
        control=crossing.SELF_TRADE,
        check=crossing.self_trade,
        tighten=Say.NOT_APPLICABLE,
        close=Say.WARN,
        cancel=Say.NOT_APPLICABLE,
    ),
    _opening(size.SHORT, size.no_accidental_short),
    Rule(control=stops.REQUIRED, check=stops.stop_required),
    Rule(control=live.RESIDENT, check=live.stop_resident),
    Rule(control=stops.SIDE, check=stops.stop_side, tighten=Say.WARN),
    Rule(
        control=stops.GROUP,
        check=stops.group_keeps_stops,
        tighten=Say.NOT_APPLICABLE,
        close=Say.REFUSE,
        cancel=Say.NOT_APPLICABLE,
    ),
    Rule(control=stops.REWARD, check=stops.reward_risk),
    _opening(size.QUANTITY, size.order_quantity),
    _opening(size.NOTIONAL, size.order_notional),
    _opening(size.NOTIONAL_MAX, size.order_notional_max),
    _opening(size.RISK, size.risk_per_trade),
    _opening(size.POSITION, size.position_size),
    _opening(size.GROSS, size.gross_exposure),
    _opening(totals.NET, totals.net_exposure),
    _opening(wholebook.POSITION, wholebook.book_position_size),
    _opening(wholebook.GROSS, wholebook.book_gross_exposure),
    _opening(wholebook.NET, wholebook.book_net_exposure),
    _opening(size.MARGIN, size.margin_free),
    Rule(control=totals.STRESS, check=totals.stress_loss),
    _opening(size.ORDERS, size.open_orders),
    _opening(totals.UNFILLED, totals.open_orders_value),
    _opening(size.POSITIONS, size.open_positions),
    Rule(control=losses.DAY, check=losses.daily_loss),
    Rule(control=losses.WEEK, check=losses.weekly_loss),
    Rule(control=losses.PEAK, check=losses.drawdown),
    Rule(control=wholebook.LOSS, check=wholebook.book_daily_loss),
    _opening(pace.DAY_ORDERS, pace.orders_per_day),
    _opening(pace.ACCOUNT_ORDERS, pace.account_orders_per_day),
    _opening(pace.DAY_NOTIONAL, pace.notional_per_day),
    _opening(budgets.ACCOUNT_VALUE, budgets.account_value),
    _opening(budgets.AGENT_VALUE, budgets.agent_value),
    Rule(control=budgets.AGENT_LOSS, check=budgets.agent_loss),
    _opening(budgets.AGENT_EXPOSURE, budgets.agent_exposure),
    _everywhere(Say.WARN, pace.THROTTLE, pace.throttle),
    _everywhere(Say.WARN, pace.ACCOUNT_THROTTLE, pace.account_throttle),
    Rule(control=pace.REPEATS, check=pace.repetition, close=Say.WARN),
    Rule(control=pace.HANDS_OFF, check=pace.hands_off_fills, close=Say.WARN),
    Rule(control=pace.LOSING, check=pace.losing_closes, close=Say.WARN),
    Rule(control=live.WAITING, check=live.asks_waiting),
    Rule(control=live.HOURLY, check=live.asks_in_hour),
    Rule(control=pace.DUPLICATE, check=pace.duplicate, close=Say.WARN),
    Rule(control=standing.UNKNOWN, check=standing.unknown_orders),
    Rule(control=standing.UNKNOWN_SYMBOL, check=standing.unknown_in_symbol),
    Rule(control=stops.WIDENING, check=stops.stop_widened),
    Rule(control=size.APPROVAL, check=size.approval),
)
