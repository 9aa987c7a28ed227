"""The checklist: every rule in declared order, and what each may say in each lane."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from ordergate.model.orders import Lane
from ordergate.model.verdicts import Finding, RuleVerdict
from ordergate.order.policy.facts import Facts, Request
from ordergate.order.policy.rules import form, live, market, pace, size, standing, stops
from ordergate.order.policy.rules.control import MONEY, Control


class Say(enum.Enum):
    """The most a rule may say in a lane that adds no risk."""

    REFUSE = "refuse"
    WARN = "warn"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of the control table; in the open lane every rule has its full say."""

    control: Control
    check: Callable[[Request, Facts], RuleVerdict]
    tighten: Say = Say.NOTHING
    close: Say = Say.NOTHING
    cancel: Say = Say.NOTHING

    def judge(self, request: Request, facts: Facts) -> RuleVerdict:
        """Return the rule's verdict, no louder than its lane lets it be, in the currency known."""
        verdict = self._verdict(request, facts)
        if verdict.value is None or MONEY not in verdict.unit or not facts.currency:
            return verdict
        return replace(verdict, unit=verdict.unit.replace(MONEY, facts.currency))

    def _verdict(self, request: Request, facts: Facts) -> RuleVerdict:
        say = self._say(request.lane)
        if say is Say.NOTHING:
            return self.control.silent(f"not asked in the {request.lane.value} lane")
        verdict = self.check(request, facts)
        if say is Say.WARN and verdict.finding in (Finding.REFUSE, Finding.ASK):
            return replace(verdict, finding=Finding.WARN, halts=False)
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


def _everywhere(say: Say, control: Control, check: Callable[[Request, Facts], RuleVerdict]) -> Rule:
    return Rule(control=control, check=check, tighten=say, close=say, cancel=say)


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
    Rule(control=live.GRANT, check=live.live_grant),
    Rule(control=standing.SYMBOLS, check=standing.symbol_allowed),
    Rule(control=size.REDUCES, check=size.reduces_only, tighten=Say.REFUSE, close=Say.REFUSE),
    _everywhere(Say.WARN, market.SESSION, market.market_open),
    _everywhere(Say.WARN, market.QUOTE, market.quote_fresh),
    Rule(control=market.SPREAD, check=market.spread, tighten=Say.WARN, close=Say.WARN),
    Rule(control=form.TRIGGER, check=form.trigger_side),
    Rule(control=market.COLLAR, check=market.price_collar, close=Say.WARN),
    Rule(control=size.SHORT, check=size.no_accidental_short),
    Rule(control=stops.REQUIRED, check=stops.stop_required),
    Rule(control=live.RESIDENT, check=live.stop_resident),
    Rule(control=stops.SIDE, check=stops.stop_side, tighten=Say.WARN),
    Rule(control=stops.GROUP, check=stops.group_keeps_stops, close=Say.REFUSE),
    Rule(control=stops.REWARD, check=stops.reward_risk),
    Rule(control=size.QUANTITY, check=size.order_quantity),
    Rule(control=size.NOTIONAL, check=size.order_notional),
    Rule(control=size.NOTIONAL_MAX, check=size.order_notional_max),
    Rule(control=size.RISK, check=size.risk_per_trade),
    Rule(control=size.POSITION, check=size.position_size),
    Rule(control=size.GROSS, check=size.gross_exposure),
    Rule(control=size.MARGIN, check=size.margin_free),
    Rule(control=size.ORDERS, check=size.open_orders),
    Rule(control=size.POSITIONS, check=size.open_positions),
    Rule(control=pace.LOSS, check=pace.daily_loss),
    Rule(control=pace.DAY_ORDERS, check=pace.orders_per_day),
    Rule(control=pace.ACCOUNT_ORDERS, check=pace.account_orders_per_day),
    Rule(control=pace.DAY_NOTIONAL, check=pace.notional_per_day),
    _everywhere(Say.WARN, pace.THROTTLE, pace.throttle),
    Rule(control=pace.REPEATS, check=pace.repetition, close=Say.WARN),
    Rule(control=pace.DUPLICATE, check=pace.duplicate, close=Say.WARN),
    Rule(control=standing.UNKNOWN, check=standing.unknown_orders),
    Rule(control=standing.UNKNOWN_SYMBOL, check=standing.unknown_in_symbol),
    Rule(control=stops.WIDENING, check=stops.stop_widened),
    Rule(control=size.APPROVAL, check=size.approval),
)
