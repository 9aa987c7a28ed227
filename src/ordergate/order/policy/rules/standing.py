"""Standing: kill switch, halts, the account's proof, arming, symbols, orders in doubt."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from ordergate.model.errors import Code
from ordergate.model.records import HaltKind, ScopeKind
from ordergate.model.values import plain
from ordergate.model.verdicts import RuleVerdict
from ordergate.order.policy.facts import Facts, Request
from ordergate.order.policy.rules.control import Control

KILL: Final = Control(rule="kill_switch", number="C24")
HALTS: Final = Control(rule="halts", number="C27")
ACCOUNT: Final = Control(rule="account_proven", number="C21")
ARMED: Final = Control(rule="live_armed", number="C22")
SYMBOLS: Final = Control(rule="symbol_allowed", number="C17", limit_name="limits.symbols_allow")
UNKNOWN: Final = Control(
    rule="unknown_orders",
    number="C28",
    limit_name="limits.unknown_openings_max",
    unit="orders",
    halts=ScopeKind.ACCOUNT,
)
UNKNOWN_SYMBOL: Final = Control(
    rule="unknown_in_symbol",
    number="C28",
    limit_name="limits.unknown_openings_symbol_max",
    unit="orders",
)


def kill_switch(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse new risk while a kill switch is engaged in its scope."""
    return _halted(KILL, facts, HaltKind.KILL, Code.KILL_SWITCH_ACTIVE)


def halts(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse new risk while a control has halted its scope."""
    return _halted(HALTS, facts, HaltKind.HALT, Code.HALTED)


def account_proven(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse an account that the venue has not just shown to be the one that is named."""
    if facts.identity is None or facts.state is None or facts.book is None:
        return ACCOUNT.lacks("the account")
    age, oldest = facts.snapshot_age_s, facts.limits.facts_age_max_s
    if age is None or age > oldest:
        return ACCOUNT.lacks(f"the account within the last {plain(oldest)} s")
    proven = (facts.identity.account, facts.identity.venue)
    if proven != (facts.account, facts.venue):
        return ACCOUNT.refuses(
            Code.RESOURCE_NOT_FOUND,
            f"the venue shows account {proven[0]}, not {facts.account[:64]}",
            fix=f"name account {proven[0]} on venue {proven[1]}",
        )
    if facts.book.unvalued:
        return ACCOUNT.lacks(f"the value of what is held in {', '.join(facts.book.unvalued)}")
    return ACCOUNT.passes(f"{facts.identity.mode.value} account, as the venue shows it")


def live_armed(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse new risk with real money while the operator has not armed the account."""
    if facts.identity is None:
        return ARMED.lacks("whether the account is paper, demo or live")
    if not facts.live:
        return ARMED.passes()
    until = facts.armed_until
    if until is not None and facts.wall_now < until:
        return ARMED.passes(f"armed until {until:%H:%M:%SZ}")
    return ARMED.refuses(
        Code.LIVE_NOT_ARMED,
        "live trading is not armed for this account",
        fix="only the operator arms it, in the console; closing, tightening and cancelling pass",
    )


def symbol_allowed(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse new risk in a symbol that the operator has not let in, under whatever name."""
    denied = any(name in facts.limits.symbols_deny for name in (facts.symbol, *facts.aliases))
    if facts.limits.allows(facts.symbol) and not denied:
        return SYMBOLS.passes()
    refusal = SYMBOLS.refuses(
        Code.EXCEEDS_LOCAL_LIMIT,
        f"{facts.symbol[:64]} is {'on the deny-list' if denied else 'not on the allow-list'}",
        fix="trade a symbol that is allowed; the operator keeps the list",
    )
    return replace(refusal, limit_name="limits.symbols_deny") if denied else refusal


def unknown_orders(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse new risk, and halt, while too many openings, or one for too long, are in doubt."""
    limits, doubt = facts.limits, facts.doubt
    count, oldest = Decimal(doubt.in_account), doubt.oldest_s
    too_old = oldest > limits.unknown_opening_age_max_s
    return UNKNOWN.measured(
        value=count,
        limit=limits.unknown_openings_max,
        room=limits.unknown_openings_max - count,
        broken=too_old or count >= limits.unknown_openings_max,
        message=f"{_openings(count)} of unknown fate, the oldest for {plain(oldest)} s",
        fix=lambda: "wait until their fate is found out, or ask the operator to look into them",
        code=Code.ORDER_UNKNOWN,
    )


def unknown_in_symbol(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse new risk in a symbol where an opening is in doubt."""
    limit, count = facts.limits.unknown_openings_symbol_max, Decimal(facts.doubt.in_symbol)
    return UNKNOWN_SYMBOL.measured(
        value=count,
        limit=limit,
        room=limit - count,
        broken=count >= limit,
        message=f"{_openings(count)} of unknown fate in {facts.symbol[:64]}",
        fix=lambda: "wait until their fate is found out; reading the order's status tells",
        code=Code.ORDER_UNKNOWN,
    )


def _openings(count: Decimal) -> str:
    return f"{plain(count)} opening {'order' if count == 1 else 'orders'}"


def _halted(control: Control, facts: Facts, kind: HaltKind, code: Code) -> RuleVerdict:
    for halt in facts.halts:
        if halt.kind is kind:
            scope = "everything" if halt.scope is ScopeKind.GLOBAL else halt.target
            return control.refuses(
                code,
                f"new risk is stopped for {scope} since {halt.engaged_at:%H:%M:%SZ}",
                fix="only the operator releases it; closing, tightening and cancelling pass",
            )
    return control.passes()
