"""Machine (C26, C29, C34, C35): clocks, own pace, the journal, the venue's law, one version."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from ordergate.model.accounts import Mode, SebiPack
from ordergate.model.errors import Code
from ordergate.model.records import ScopeKind
from ordergate.model.values import plain
from ordergate.model.verdicts import RuleVerdict
from ordergate.order.policy.facts import Facts, Request, seconds
from ordergate.order.policy.rules.control import Control

TRAIL_YEARS: Final = 5

VENUE_CLOCK: Final = Control(
    rule="venue_clock", number="C26", limit_name="limits.clock_skew_max_s", unit="seconds"
)
WALL_CLOCK: Final = Control(
    rule="wall_clock", number="C26", limit_name="limits.clock_skew_max_s", unit="seconds"
)
LAG: Final = Control(
    rule="loop_lag", number="C26", limit_name="limits.loop_lag_max_s", unit="seconds"
)
JOURNAL: Final = Control(rule="journal_writable", number="C29", halts=ScopeKind.GLOBAL)
SEBI: Final = Control(
    rule="sebi_pack", number="C34", limit_name="limits.sign_in_age_max_s", unit="seconds"
)
VERSION: Final = Control(rule="one_version", number="C35")


def venue_clock(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse new risk while the venue's clock and ours are apart; a made-up market has its own."""
    if facts.identity is not None and facts.identity.mode is Mode.PAPER:
        return VENUE_CLOCK.silent("the paper venue's clock is its feed's")
    if facts.identity is not None and facts.identity.simulated:
        return VENUE_CLOCK.silent("the terminal is simulated, and so is its clock")
    if facts.venue_time is None or facts.snapshot_age_s is None:
        return VENUE_CLOCK.lacks("the venue's clock")
    read_at = facts.wall_now - timedelta(milliseconds=int(facts.snapshot_age_s * 1000))
    return _apart(VENUE_CLOCK, facts, abs(seconds(facts.venue_time - read_at)), "the venue's clock")


def wall_clock(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse new risk for a minute after the machine's clock was set: no window can be trusted."""
    if facts.machine is None or facts.machine.jump_s is None:
        return WALL_CLOCK.lacks("how steady the machine's clock is")
    return _apart(WALL_CLOCK, facts, facts.machine.jump_s, "after a leap, the machine's clock")


def _apart(control: Control, facts: Facts, skew: Decimal, what: str) -> RuleVerdict:
    limit = facts.limits.clock_skew_max_s
    return control.measured(
        value=skew,
        limit=limit,
        room=limit - skew,
        broken=skew > limit,
        message=f"{what} is {plain(skew)} s away, at most {plain(limit)}",
        fix=lambda: "wait a minute; the operator sees to the clock",
        code=Code.NOT_READY,
    )


def loop_lag(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse new risk while the gateway comes too late to its own work."""
    if facts.machine is None or facts.machine.lag_s is None:
        return LAG.lacks("how late the gateway is")
    lag, limit = facts.machine.lag_s, facts.limits.loop_lag_max_s
    return LAG.measured(
        value=lag,
        limit=limit,
        room=limit - lag,
        broken=lag > limit,
        message=f"the gateway is {plain(lag)} s late, at most {plain(limit)}",
        fix=lambda: "try again when the machine is less busy",
        code=Code.NOT_READY,
    )


def journal_writable(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse new risk, and halt everything, after a write that did not become durable."""
    if facts.machine is None or facts.machine.writable is None:
        return JOURNAL.lacks("whether the journal can be written")
    if facts.machine.writable:
        return JOURNAL.passes()
    return JOURNAL.refuses(
        Code.NOT_READY,
        "the journal could not be written: what is not recorded is not sent",
        fix="the operator frees the disk and releases the halt; closing and cancelling pass",
    )


def sebi_pack(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse new risk at a venue under SEBI's rules unless all they ask for is shown."""
    pack = facts.sebi
    if pack is None:
        return SEBI.silent("the venue is under no such rules")
    missing = _lacking(pack)
    if missing is not None:
        return SEBI.refuses(
            Code.NOT_READY, f"{missing}: SEBI's rules ask for it", fix="the operator sets it right"
        )
    if pack.second_factor_age_s is None:
        return SEBI.lacks("the age of the second factor")
    age, limit = pack.second_factor_age_s, facts.limits.sign_in_age_max_s
    return SEBI.measured(
        value=age,
        limit=limit,
        room=limit - age,
        broken=age > limit,
        message=f"the second factor is {plain(age)} s old, at most {plain(limit)}",
        fix=lambda: "the operator signs in at the venue again",
        code=Code.NOT_READY,
    )


def one_version(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse new risk while any process or agent runs another protocol or policy."""
    other = next((peer for peer in facts.peers if peer.identity != facts.version), None)
    if not facts.version:
        return VERSION.lacks("the version of this process")
    if other is None:
        return VERSION.passes()
    return VERSION.refuses(
        Code.NOT_READY,
        f"{other.name[:64]} runs another version or policy ({other.identity[:12]}) than this "
        f"process ({facts.version[:12]})",
        fix="the operator brings all to one version; closing and cancelling pass",
    )


def _lacking(pack: SebiPack) -> str | None:
    if not pack.algo_id:
        return "no algo id"
    if not pack.static_ip:
        return "the address is not shown to be the registered one"
    if not pack.signed_in_today:
        return "nobody signed in at the venue today"
    if pack.trail_years is None or pack.trail_years < TRAIL_YEARS:
        return f"orders are not kept for {TRAIL_YEARS} years"
    return None
