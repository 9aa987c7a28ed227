"""Every rule at its limit, one step below and above; every rule without a number, both ways.

Each row is written from the design: what is asked, what the number comes to, what is left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ordergate.model.accounts import Mode, SebiPack
from ordergate.model.errors import Code
from ordergate.model.instruments import TradeMode
from ordergate.model.orders import AttemptState, Intent, OrderType, Side, TimeInForce
from ordergate.model.principals import Kind, Principal
from ordergate.model.records import HaltKind, ScopeKind, Usage
from ordergate.model.values import PositionId, PrincipalId, Symbol
from ordergate.model.verdicts import Finding
from ordergate.order.policy.rules.catalogue import BY_NUMBER
from ordergate.order.policy.rules.checklist import RULES
from ordergate.order.policy.surroundings import Machine, Peer
from support.histories import asked, filled_by_themselves, lost
from support.judging import (
    ACCOUNT,
    AGENT,
    DAY,
    STEADY,
    Court,
    D,
    attempt,
    baseline,
    cancel,
    claims,
    close,
    halt,
    modify,
    place,
    position,
    protective_stop,
    reservation,
    resting,
)
from support.manual_market import STANDARD, ManualMarket

PASS, WARN, ASK, REFUSE = Finding.PASS, Finding.WARN, Finding.ASK, Finding.REFUSE
LIMIT = Code.EXCEEDS_LOCAL_LIMIT
OTHER = Principal(PrincipalId("other"), Kind.AGENT, "other")
GBPUSD, AAPL = Symbol("GBPUSD"), Symbol("AAPL")
UNTIL_ROLLOVER = 8 * 3600  # from the market's 14:00 UTC to 17:00 New York
PACK = SebiPack(
    algo_id="A1",
    static_ip=True,
    second_factor_age_s=D(60),
    signed_in_today=True,
    trail_years=5,
)
World = tuple[Court, Intent]
Case = tuple[str, Finding, str | None]  # the number, the finding, the headroom


def worth_10800(**terms: Any) -> Intent:
    """Return a buy limit of 0.10 EURUSD at 1.08: 10,800 USD, 50 at the stop, 360 of margin."""
    base: dict[str, Any] = {
        "order_type": OrderType.LIMIT,
        "limit_price": D("1.08"),
        "stop_loss": D("1.075"),
    }
    return place(**{**base, **terms})


@dataclass(frozen=True)
class Edge:
    """One rule's limit: a world for a number, and what the rule says one step around it."""

    cases: tuple[Case, Case, Case]
    world: Callable[[Decimal], World]
    code: Code = LIMIT
    halts: ScopeKind | None = None


def edge(
    world: Callable[[Decimal], World],
    *cases: Case,
    code: Code = LIMIT,
    halts: ScopeKind | None = None,
) -> Edge:
    below, at, above = cases
    return Edge(cases=(below, at, above), world=world, code=code, halts=halts)


def equity(amount: Decimal) -> World:
    return Court().equity(str(amount)), worth_10800()


def in_the_book(**limit: Decimal) -> World:
    """Return an order of 10,800 where the book of 100,000 may come to so many times its equity."""
    return Court().limit(**limit), worth_10800()


AT_10800: tuple[Case, Case, Case] = (
    ("0.1080001", PASS, "10800.01"),
    ("0.108", PASS, "10800"),
    ("0.1079999", REFUSE, "10799.99"),
)


def lost_today(result: Decimal) -> World:
    """Return a principal whose own trades have brought `result` today."""
    court = Court()
    court.books.usage[ACCOUNT, AGENT.id, DAY] = Usage(orders=1, notional=D(1), result=result)
    return court, place()


def kept_here(most: Decimal) -> World:
    """Return a live order of 10,800 whose stop the gateway would keep, waived up to a value."""
    court = Court(mode=Mode.LIVE).limit(live_managed_stop_notional_max=most)
    return court, worth_10800()


def counted(limit: int) -> tuple[Case, Case, Case]:
    """Return the cases of a cap on a count, by how many there are already."""
    last = (str(limit), REFUSE, "0")
    return (str(limit - 2), PASS, "2"), (str(limit - 1), PASS, "1"), last


def machine(**terms: Any) -> World:
    return Court(machine=replace(STEADY, **terms)), place()


def quoted(bid: str | Decimal, ask: str | Decimal, intent: Intent) -> World:
    court = Court()
    court.market.set("EURUSD", bid, ask)
    return court, intent


def later(seconds: Decimal) -> Court:
    court = Court()
    court.market.advance(seconds=float(seconds))
    return court


def followed(ask: Decimal) -> World:
    court = Court()
    (past,) = claims(place(), 300, now=court.clock.now())
    court.claimed(replace(past, price=D(1)))
    court.market.set("EURUSD", ask - D("0.0001"), ask)
    return court, place()


def claimed(count: Decimal, age: float, *, by: Principal, of: Intent) -> World:
    court = Court()
    ages = [age] * int(count)
    court.claimed(*claims(of, *ages, now=court.clock.now(), principal=by))
    return court, place()


def twin(age: Decimal) -> World:
    court = Court()
    court.claimed(*claims(place(), float(age), now=court.clock.now()))
    return court, place()


def reserved(count: Decimal) -> World:
    rows = (reservation(n, notional=D(1)) for n in range(100, 100 + int(count)))
    return Court().reserve(*rows), place()


def in_doubt(count: Decimal, symbol: str) -> World:
    rows = (
        attempt(n, state=AttemptState.UNKNOWN, symbol=Symbol(symbol))
        for n in range(50, 50 + int(count))
    )
    return Court().attempted(*rows), place()


def sibling(lots: Decimal) -> World:
    court = Court(positions=(position(),), open_orders=(protective_stop(oco_group="g"),))
    exit_ = place(
        side=Side.SELL,
        order_type=OrderType.LIMIT,
        limit_price=D("1.09"),
        stop_loss=None,
        reduce_only=True,
        quantity=lots,
        oco_group="g",
    )
    return court, exit_


def shares(count: Decimal) -> World:
    held = position(symbol=AAPL, quantity=D(10), current_price=D(190), stop_loss=None)
    sale = place(symbol=AAPL, side=Side.SELL, quantity=count, stop_loss=D(200))
    return Court(positions=(held,)), sale


def good_till(seconds: Decimal) -> World:
    court = Court()
    till = court.market.venue_now() + timedelta(seconds=int(seconds))
    return court, place(time_in_force=TimeInForce.GTD, good_till=till)


def buy_limit(price: Decimal) -> Intent:
    return place(order_type=OrderType.LIMIT, limit_price=price, stop_loss=D("0.9"))


EDGES: dict[str, Edge] = {
    "volume": edge(
        lambda lots: (Court(), place(quantity=lots)),
        ("99.99", PASS, None),
        ("100", PASS, None),
        ("100.01", REFUSE, None),
        code=Code.INVALID_VOLUME,
    ),
    "expiry": edge(
        good_till,
        ("1", PASS, None),
        ("0", REFUSE, None),
        ("-1", REFUSE, None),
        code=Code.INVALID_ARGUMENT,
    ),
    "account_proven": edge(
        lambda age: (Court(snapshot_age=float(age)), place()),
        ("4.999", PASS, None),
        ("5", PASS, None),
        ("5.001", REFUSE, None),
        code=Code.DATA_UNAVAILABLE,
    ),
    "venue_clock": edge(
        lambda skew: (Court(mode=Mode.DEMO, clock_skew=float(skew)), place()),
        ("1.999", PASS, "0.001"),
        ("2", PASS, "0"),
        ("2.001", REFUSE, "0"),
        code=Code.NOT_READY,
    ),
    "wall_clock": edge(
        lambda leap: machine(jump_s=leap),
        ("1.999", PASS, "0.001"),
        ("2", PASS, "0"),
        ("2.001", REFUSE, "0"),
        code=Code.NOT_READY,
    ),
    "loop_lag": edge(
        lambda lag: machine(lag_s=lag),
        ("0.499", PASS, "0.001"),
        ("0.5", PASS, "0"),
        ("0.501", REFUSE, "0"),
        code=Code.NOT_READY,
    ),
    "sebi_pack": edge(
        lambda age: (Court(sebi=replace(PACK, second_factor_age_s=age)), place()),
        ("86399", PASS, "1"),
        ("86400", PASS, "0"),
        ("86401", REFUSE, "0"),
        code=Code.NOT_READY,
    ),
    "reduces_only": edge(
        lambda lots: (Court(positions=(position(),)), close(quantity=lots)),
        ("0.09", PASS, "0.10"),
        ("0.10", PASS, "0.10"),
        ("0.11", REFUSE, "0.10"),
        code=Code.EXCEEDS_POSITION,
    ),
    "rollover": edge(
        lambda away: (later(UNTIL_ROLLOVER - away), place()),
        ("301", PASS, "1"),
        ("300", PASS, "0"),
        ("299", REFUSE, "0"),
        code=Code.MARKET_CLOSED,
    ),
    "news_window": edge(
        lambda away: (Court(release_away=away).limit(news_blackout_s=D(600)), place()),
        ("601", PASS, "1"),
        ("600", PASS, "0"),
        ("599", REFUSE, "0"),
        code=Code.MARKET_CLOSED,
    ),
    "quote_fresh": edge(
        lambda age: (later(age), place()),
        ("259199", PASS, "1"),
        ("259200", PASS, "0"),
        ("259201", REFUSE, "0"),
        code=Code.DATA_UNAVAILABLE,
    ),
    "spread": edge(
        lambda half: quoted(1 - half, 1 + half, place()),
        ("0.00049", PASS, "0.00002"),
        ("0.00050", PASS, "0"),
        ("0.00051", REFUSE, "0"),
    ),
    "trigger_side": edge(
        lambda price: (Court(), place(order_type=OrderType.STOP, stop_price=price)),
        ("1.08511", PASS, None),
        ("1.08510", REFUSE, None),
        ("1.08509", REFUSE, None),
        code=Code.INVALID_PRICE,
    ),
    "price_collar": edge(
        lambda price: quoted("0.9999", "1", buy_limit(price)),
        ("1.00499", PASS, "0.00001"),
        ("1.00500", PASS, "0"),
        ("1.00501", REFUSE, "0"),
    ),
    "price_drift": edge(
        followed,
        ("1.04999", PASS, "0.00001"),
        ("1.05000", PASS, "0"),
        ("1.05001", REFUSE, "0"),
        halts=ScopeKind.SYMBOL,
    ),
    "self_trade": edge(
        lambda price: (
            Court(open_orders=(resting(side=Side.SELL, limit_price=D("1.08600")),)),
            buy_limit(price),
        ),
        ("1.08599", PASS, "0.00001"),
        ("1.08600", REFUSE, "0"),
        ("1.08601", REFUSE, "0"),
    ),
    "no_accidental_short": edge(
        shares,
        ("9", PASS, None),
        ("10", PASS, None),
        ("11", REFUSE, None),
        code=Code.SHORT_NOT_ALLOWED,
    ),
    "stop_side": edge(
        lambda stop: (Court(), place(stop_loss=stop)),
        ("1.08499", PASS, None),
        ("1.08500", REFUSE, None),
        ("1.08501", REFUSE, None),
        code=Code.INVALID_STOPS,
    ),
    "oco_group": edge(
        sibling,
        ("0.11", PASS, None),
        ("0.10", PASS, None),
        ("0.09", REFUSE, None),
        code=Code.STOP_REQUIRED,
    ),
    "reward_risk": edge(
        lambda target: (Court(), worth_10800(stop_loss=D("1.07"), take_profit=target)),
        ("1.08801", PASS, "0.001"),
        ("1.08800", PASS, "0"),
        ("1.08799", REFUSE, "0"),
    ),
    "order_quantity": edge(
        lambda lots: (Court(), place(quantity=lots)),
        ("19.99", PASS, "20"),
        ("20", PASS, "20"),
        ("20.01", REFUSE, "20"),
    ),
    "order_notional": edge(
        equity,
        ("10800.01", PASS, "10800.01"),
        ("10800", PASS, "10800"),
        ("10799.99", REFUSE, "10799.99"),
    ),
    "order_notional_max": edge(
        lambda most: (Court().limit(order_notional_max=most), worth_10800()),
        ("10800.01", PASS, "10800.01"),
        ("10800", PASS, "10800"),
        ("10799.99", REFUSE, "10799.99"),
    ),
    "risk_per_trade": edge(
        equity, ("5001", PASS, "50.01"), ("5000", PASS, "50"), ("4999", REFUSE, "49.99")
    ),
    "position_size": edge(
        equity,
        ("5400.01", PASS, "10800.02"),
        ("5400", PASS, "10800"),
        ("5399.99", REFUSE, "10799.98"),
    ),
    "gross_exposure": edge(
        equity,
        ("2160.01", PASS, "10800.05"),
        ("2160", PASS, "10800"),
        ("2159.99", REFUSE, "10799.95"),
    ),
    "net_exposure": edge(
        equity,
        ("2160.01", PASS, "10800.05"),
        ("2160", PASS, "10800"),
        ("2159.99", REFUSE, "10799.95"),
    ),
    "margin_free": edge(
        equity, ("720.02", PASS, "360.01"), ("720", PASS, "360"), ("719.98", REFUSE, "359.99")
    ),
    "stress_loss": edge(
        equity, ("1296.04", PASS, "324.01"), ("1296", PASS, "324"), ("1295.96", REFUSE, "323.99")
    ),
    "open_orders": edge(reserved, *counted(20)),
    "open_orders_value": edge(
        equity,
        ("2160.01", PASS, "10800.05"),
        ("2160", PASS, "10800"),
        ("2159.99", REFUSE, "10799.95"),
    ),
    "open_positions": edge(reserved, *counted(20)),
    "daily_loss": edge(
        equity,
        ("98000.01", PASS, "0.01"),
        ("98000", REFUSE, "0"),
        ("97999.99", REFUSE, "0"),
        halts=ScopeKind.ACCOUNT,
    ),
    "weekly_loss": edge(
        lambda now: (Court().measured_from(baseline(peak=D(1))).equity(str(now)), place()),
        ("95000.01", PASS, "0.01"),
        ("95000", REFUSE, "0"),
        ("94999.99", REFUSE, "0"),
        halts=ScopeKind.ACCOUNT,
    ),
    "drawdown": edge(
        lambda now: (Court().measured_from(baseline(week_start=D(1))).equity(str(now)), place()),
        ("90000.01", PASS, "0.01"),
        ("90000", REFUSE, "0"),
        ("89999.99", REFUSE, "0"),
        halts=ScopeKind.ACCOUNT,
    ),
    "book_daily_loss": edge(
        lambda now: (Court().measured_from(baseline()).equity(str(now)), place()),
        ("98000.01", PASS, "0.01"),
        ("98000", REFUSE, "0"),
        ("97999.99", REFUSE, "0"),
    ),
    "book_position_size": edge(
        lambda most: in_the_book(book_position_notional_fraction=most), *AT_10800
    ),
    "book_gross_exposure": edge(
        lambda most: in_the_book(book_gross_exposure_fraction=most), *AT_10800
    ),
    "book_net_exposure": edge(lambda most: in_the_book(book_net_exposure_fraction=most), *AT_10800),
    "agent_daily_loss": edge(
        lost_today,
        ("-1999.99", PASS, "0.01"),
        ("-2000", REFUSE, "0"),
        ("-2000.01", REFUSE, "0"),
    ),
    "agent_open_exposure": edge(
        lambda held: (Court().reserve(reservation(notional=held)), worth_10800()),
        ("489199.99", PASS, "10800.01"),
        ("489200", PASS, "10800"),
        ("489200.01", REFUSE, "10799.99"),
    ),
    "stop_resident": edge(
        kept_here,
        ("10800.01", PASS, "10800.01"),
        ("10800", PASS, "10800"),
        ("10799.99", REFUSE, "10799.99"),
        code=Code.STOP_REQUIRED,
    ),
    "orders_per_day": edge(lambda n: (Court().used(orders=int(n)), place()), *counted(100)),
    "account_orders_per_day": edge(
        lambda n: (Court().used(orders=int(n), by=OTHER), place()), *counted(200)
    ),
    "agent_notional_per_day": edge(
        lambda used: (Court().used(notional=str(used)), worth_10800()),
        ("1989199.99", PASS, "10800.01"),
        ("1989200", PASS, "10800"),
        ("1989200.01", REFUSE, "10799.99"),
    ),
    "account_notional_per_day": edge(
        lambda used: (Court().used(notional=str(used), by=OTHER), worth_10800()),
        ("19989199.99", PASS, "10800.01"),
        ("19989200", PASS, "10800"),
        ("19989200.01", REFUSE, "10799.99"),
    ),
    "notional_per_day": edge(
        lambda used: (Court().used(notional=str(used), by=OTHER), worth_10800()),
        ("1989199.99", PASS, "10800.01"),
        ("1989200", PASS, "10800"),
        ("1989200.01", REFUSE, "10799.99"),
    ),
    "throttle": edge(
        lambda n: claimed(n, 30, by=AGENT, of=place(symbol=GBPUSD)),
        *counted(60),
        code=Code.RATE_LIMIT_EXCEEDED,
    ),
    "account_throttle": edge(
        lambda n: claimed(n, 30, by=OTHER, of=place(symbol=GBPUSD)),
        *counted(120),
        code=Code.RATE_LIMIT_EXCEEDED,
    ),
    "repetition": edge(
        lambda n: claimed(n, 599, by=AGENT, of=place()),
        *counted(20),
        halts=ScopeKind.AGENT,
    ),
    "asks_waiting": edge(
        lambda n: (asked(Court(mode=Mode.LIVE), int(n), waiting=True), place()),
        *counted(3),
        code=Code.RATE_LIMIT_EXCEEDED,
    ),
    "asks_in_hour": edge(
        lambda n: (asked(Court(mode=Mode.LIVE), int(n), age=3599), place()),
        *counted(10),
        code=Code.RATE_LIMIT_EXCEEDED,
        halts=ScopeKind.AGENT,
    ),
    "hands_off_fills": edge(
        lambda n: (filled_by_themselves(Court(), int(n)), place()),
        *counted(20),
        halts=ScopeKind.AGENT,
    ),
    "losing_closes": edge(
        lambda n: (lost(Court(), int(n)), place()),
        ("19", PASS, "1"),
        ("20", REFUSE, "0"),
        ("21", REFUSE, "0"),
        halts=ScopeKind.AGENT,
    ),
    "duplicate": edge(
        twin,
        ("60.001", PASS, None),
        ("60", PASS, None),
        ("59.999", REFUSE, "0"),
        code=Code.DUPLICATE_ORDER,
    ),
    "unknown_orders": edge(
        lambda n: in_doubt(n, "GBPUSD"),
        ("2", PASS, "1"),
        ("3", REFUSE, "0"),
        ("4", REFUSE, "0"),
        code=Code.ORDER_UNKNOWN,
        halts=ScopeKind.ACCOUNT,
    ),
    "unknown_in_symbol": edge(
        lambda n: in_doubt(n, "EURUSD"),
        ("0", PASS, "1"),
        ("1", REFUSE, "0"),
        ("2", REFUSE, "0"),
        code=Code.ORDER_UNKNOWN,
    ),
    "approval": edge(
        lambda most: (Court().limit(auto_approve_notional=most), worth_10800()),
        ("10800.01", PASS, "10800.01"),
        ("10800", PASS, "10800"),
        ("10799.99", ASK, "10799.99"),
    ),
}


@pytest.mark.parametrize("case", [0, 1, 2], ids=["below", "at", "above"])
@pytest.mark.parametrize("rule", EDGES)
def test_a_rule_at_its_limit_and_one_step_around_it(rule: str, case: int) -> None:
    row = EDGES[rule]
    number, finding, headroom = row.cases[case]
    court, intent = row.world(D(number))
    verdict = court.verdict(rule, intent)
    assert (verdict.finding, verdict.headroom) == (
        finding,
        None if headroom is None else D(headroom),
    )
    broken = finding in (REFUSE, ASK)
    assert verdict.code == (row.code if broken else None)
    assert verdict.halts == (row.halts if broken else None)
    if broken:
        assert verdict.fix


def with_trade_mode(mode: TradeMode) -> World:
    spec = replace(STANDARD[0], trade_mode=mode)
    return Court(market=ManualMarket(instruments=(spec, *STANDARD[1:]))), place()


def shut() -> World:
    court = Court()
    court.market.close_session("EURUSD")
    return court, place()


HELD = {"positions": (position(),)}
# What is asked with nothing wrong, what is asked with it, what the rule then says, and its code.
STATES: dict[str, tuple[World, World, Finding, Code]] = {
    "numbers": (
        (Court(), place()),
        (Court(), place(quantity=D("NaN"))),
        REFUSE,
        Code.INVALID_VOLUME,
    ),
    "fields": (
        (Court(), place()),
        (Court(), place(limit_price=D("1.08"))),
        REFUSE,
        Code.INVALID_ARGUMENT,
    ),
    "symbol_known": (
        (Court(), place()),
        (Court(), place(symbol=Symbol("NOTHING"))),
        REFUSE,
        Code.SYMBOL_NOT_FOUND,
    ),
    "target": (
        (Court(open_orders=(resting(),)), cancel()),
        (Court(open_orders=(resting(),)), cancel("v9")),
        REFUSE,
        Code.RESOURCE_NOT_FOUND,
    ),
    "price_ticks": (
        (Court(), worth_10800()),
        (Court(), worth_10800(limit_price=D("1.080001"))),
        REFUSE,
        Code.INVALID_PRICE,
    ),
    "kill_switch": (
        (Court(), place()),
        (Court().halted(halt()), place()),
        REFUSE,
        Code.KILL_SWITCH_ACTIVE,
    ),
    "halts": (
        (Court(), place()),
        (Court().halted(halt(HaltKind.HALT)), place()),
        REFUSE,
        Code.HALTED,
    ),
    "journal_writable": (machine(), machine(writable=False), REFUSE, Code.NOT_READY),
    "one_version": (
        (Court(), place()),
        (Court(peers=(Peer("mt5-agent", "another"),)), place()),
        REFUSE,
        Code.NOT_READY,
    ),
    "live_armed": (
        (Court(), place()),
        (Court(mode=Mode.LIVE), place()),
        REFUSE,
        Code.LIVE_NOT_ARMED,
    ),
    "live_allowed": (
        (Court(mode=Mode.LIVE), place()),
        (Court(mode=Mode.LIVE).limit(live_allowed=False), place()),
        REFUSE,
        LIMIT,
    ),
    "live_grant": (
        (Court(), place()),
        (Court(mode=Mode.LIVE), place()),
        REFUSE,
        Code.FORBIDDEN,
    ),
    "symbol_allowed": (
        (Court(), place()),
        (Court().limit(symbols_deny=("EURUSD",)), place()),
        REFUSE,
        LIMIT,
    ),
    "market_open": ((Court(), place()), shut(), REFUSE, Code.MARKET_CLOSED),
    "trade_mode": (
        with_trade_mode(TradeMode.LONG_ONLY),
        with_trade_mode(TradeMode.SHORT_ONLY),
        REFUSE,
        Code.MARKET_CLOSED,
    ),
    "stop_required": (
        (Court(), place()),
        (Court(), place(stop_loss=None)),
        REFUSE,
        Code.STOP_REQUIRED,
    ),
    "widening": (
        (Court(positions=(position(),)), place()),
        (Court(positions=(position(),)), modify(position_id=PositionId("p1"), stop_loss=None)),
        ASK,
        Code.STOP_REQUIRED,
    ),
}


@pytest.mark.parametrize("rule", STATES)
def test_a_rule_without_a_number_both_ways(rule: str) -> None:
    (fine, intent), (wrong, worse), finding, code = STATES[rule]
    assert fine.verdict(rule, intent).finding in (PASS, Finding.NOT_ASKED)
    verdict = wrong.verdict(rule, worse)
    assert (verdict.finding, verdict.code) == (finding, code)
    assert verdict.fix


def test_every_rule_has_its_row() -> None:
    rules = {rule.control.rule for rule in RULES}
    assert EDGES.keys() | STATES.keys() == rules
    assert EDGES.keys() & STATES.keys() == set()


def test_every_code_of_these_tables_stands_in_the_list_of_controls() -> None:
    numbers = {rule.control.rule: rule.control.number for rule in RULES}
    codes = {rule: row.code for rule, row in EDGES.items()}
    codes |= {rule: code for rule, (_, _, _, code) in STATES.items()}
    assert {rule for rule, code in codes.items() if code not in BY_NUMBER[numbers[rule]].codes} == (
        set()
    )


def test_what_halts_is_what_halts_here() -> None:
    halting = {rule.control.rule for rule in RULES if rule.control.halts is not None}
    assert halting == {rule for rule, row in EDGES.items() if row.halts} | {"journal_writable"}
    court, order = machine(writable=False)
    assert court.verdict("journal_writable", order).halts is ScopeKind.GLOBAL


@pytest.mark.parametrize(
    ("court", "rule"),
    [
        (Court(machine=Machine(lag_s=None, jump_s=None, writable=None)), "loop_lag"),
        (Court(machine=Machine(lag_s=None, jump_s=None, writable=None)), "wall_clock"),
        (Court(machine=Machine(lag_s=None, jump_s=None, writable=None)), "journal_writable"),
        (Court(mode=Mode.DEMO, snapshot_known=False), "venue_clock"),
        (Court(snapshot_known=False), "trade_mode"),
        (Court(snapshot_known=False), "net_exposure"),
        (Court(snapshot_known=False), "stress_loss"),
        (Court(snapshot_known=False), "open_orders_value"),
        (Court(sebi=replace(PACK, second_factor_age_s=None)), "sebi_pack"),
    ],
)
def test_a_missing_fact_refuses_an_opening(court: Court, rule: str) -> None:
    verdict = court.verdict(rule, place())
    assert (verdict.finding, verdict.code) == (REFUSE, Code.DATA_UNAVAILABLE)
