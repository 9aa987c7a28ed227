"""What holds of every judgement, whatever the world looks like."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ordergate.model.accounts import Mode
from ordergate.model.market import Quality
from ordergate.model.orders import KEEP, AttemptState, Intent, Lane, OrderType, Side, TimeInForce
from ordergate.model.records import HaltKind, ScopeKind, Tightening
from ordergate.model.values import AccountId, OrderId, PositionId, Symbol, VenueOrderId
from ordergate.model.verdicts import Finding, Verb
from ordergate.order.policy.limits import EVERY_SYMBOL, SPECS, Limits, LimitSpec, Stricter, Value
from ordergate.order.policy.tightenings import tightened as tighten
from support.examples import examples
from support.judging import (
    ACCOUNT,
    AGENT,
    Court,
    D,
    attempt,
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
    state,
)
from support.manual_clock import START

RANK = {Verb.ALLOW: 0, Verb.ASK: 1, Verb.DENY: 2}
EURUSD, GBPUSD = Symbol("EURUSD"), Symbol("GBPUSD")
EXAMPLES = examples(150)

money = st.decimals("0", "400000", places=2)
symbols = st.sampled_from([EURUSD, GBPUSD])
sides = st.sampled_from(Side)
lots = st.integers(1, 90).map(lambda n: Decimal(n) / 100)


@st.composite
def orders(draw: st.DrawFn) -> Any:
    """Return a well-formed opening order in EURUSD; most are sensible, some are not."""
    kind, side = draw(st.sampled_from(OrderType)), draw(sides)
    ahead = 1 if side is Side.BUY else -1  # the way the order hopes the price goes
    away, risk = pips(draw, 1, 60), pips(draw, -2, 90)
    market = D("1.08510") if side is Side.BUY else D("1.08500")
    stop, limit = market + ahead * away, market - ahead * away
    entry, terms = {
        OrderType.MARKET: (market, {}),
        OrderType.LIMIT: (limit, {"limit_price": limit}),
        OrderType.STOP: (stop, {"stop_price": stop}),
        OrderType.STOP_LIMIT: (stop, {"limit_price": stop, "stop_price": stop}),
        OrderType.TRAILING_STOP: (stop, {"trail_amount": away}),
    }[kind]
    target = entry + ahead * pips(draw, -2, 200)
    return place(
        order_type=kind,
        side=side,
        quantity=draw(st.integers(1, 60)) / D(100),
        stop_loss=draw(st.sampled_from([None, entry - ahead * risk, entry - ahead * risk])),
        take_profit=draw(st.sampled_from([None, target])),
        **terms,
    )


def pips(draw: st.DrawFn, least: int, most: int) -> Decimal:
    return Decimal(draw(st.integers(least, most).filter(bool))).scaleb(-4)


@st.composite
def limit_sets(draw: st.DrawFn) -> Limits:
    """Return limits with a few numbers moved to where they may bite."""
    choices: dict[str, st.SearchStrategy[Any]] = {
        "order_notional_fraction": st.decimals("0.01", "5", places=2),
        "risk_per_trade_fraction": st.decimals("0.005", "0.2", places=3),
        "gross_exposure_fraction": st.decimals("0.1", "10", places=1),
        "position_notional_fraction": st.decimals("0.1", "10", places=1),
        "auto_approve_notional": money,
        "price_collar_fx_fraction": st.decimals("0.001", "0.1", places=3),
        "orders_per_day_max": st.integers(3, 10).map(Decimal),
        "open_orders_max": st.integers(3, 9).map(Decimal),
        "daily_loss_fraction": st.decimals("0.01", "0.2", places=3),
        "reward_risk_min": st.decimals("0.1", "3", places=1),
        "repeat_orders_max": st.integers(1, 6).map(Decimal),
        "stop_required": st.booleans(),
        "short_allowed": st.booleans(),
        "symbols_deny": st.sampled_from([(), ("EURUSD",)]),
    }
    names = draw(st.sets(st.sampled_from(sorted(choices)), max_size=3))
    return replace(Limits(), **{name: draw(choices[name]) for name in sorted(names)})


@st.composite
def courts(draw: st.DrawFn) -> Court:
    """Return a gate in some state: books, halts, use of the day, quote and session."""
    equity = draw(st.decimals("20000", "400000", places=2))
    court = Court(
        limits=draw(limit_sets()),
        mode=draw(st.sampled_from([Mode.PAPER, Mode.DEMO])),
        account=state(
            equity=equity,
            margin_free=equity - draw(st.sampled_from([D(0), D(5000), equity / 3])),
            day_start_equity=equity + draw(st.sampled_from([D(-500), D(0), D(300), D(3000)])),
        ),
        positions=tuple(
            position(
                position_id=PositionId(f"p{n}"),
                side=draw(sides),
                symbol=draw(symbols),
                quantity=draw(lots),
            )
            for n in range(draw(st.integers(0, 2)))
        ),
        open_orders=tuple(
            resting(venue_order_id=VenueOrderId(f"v{n}"), side=draw(sides), quantity=draw(lots))
            for n in range(draw(st.integers(0, 3)))
        ),
    )
    court.used(orders=draw(st.integers(0, 5)), notional=str(draw(money)))
    court.reserve(
        *(
            reservation(n, notional=draw(money), side=draw(sides), symbol=draw(symbols))
            for n in range(draw(st.integers(0, 3)))
        )
    )
    ages = draw(st.lists(st.integers(0, 700), max_size=6))
    court.claimed(*claims(place(quantity=draw(lots)), *ages, now=court.clock.now()))
    return court


@st.composite
def troubles(draw: st.DrawFn) -> Court:
    """Return a gate where anything may be wrong, unread facts included."""
    court = draw(courts())
    court.mode = draw(st.sampled_from(Mode))
    if draw(st.booleans()):
        court.halted(halt(), halt(HaltKind.HALT, scope=ScopeKind.SYMBOL, target="EURUSD"))
    if draw(st.booleans()):
        court.market.judge("EURUSD", draw(st.sampled_from(Quality)))
    if draw(st.booleans()):
        court.market.close_session("EURUSD", unknown=draw(st.booleans()))
    if draw(st.booleans()):
        court.attempted(*(attempt(n, state=AttemptState.UNKNOWN) for n in range(50, 54)))
    return court


def refused(court: Court, order: Any) -> tuple[int, set[str]]:
    """Return how the order fares, and the rules that refuse or question it."""
    decision = court.judge(order).decision
    doubts = (Finding.REFUSE, Finding.ASK)
    return RANK[decision.verb], {row.rule for row in decision.verdicts if row.finding in doubts}


def looser(spec: LimitSpec, value: Value) -> Value:
    match spec.stricter, value:
        case Stricter.FEWER, tuple():
            return (*value, "EURUSD", EVERY_SYMBOL)
        case Stricter.MORE, tuple():
            return ()
        case Stricter.LOWER, bool():
            return True
        case Stricter.HIGHER, bool():
            return False
        case Stricter.LOWER, Decimal():
            return value * 3 + 1
        case Stricter.HIGHER, Decimal():
            return value / 3
    raise AssertionError(spec.name)


@EXAMPLES
@given(courts(), orders(), st.sampled_from(SPECS))
def test_a_looser_limit_never_denies_more(court: Court, order: Any, spec: LimitSpec) -> None:
    strict, against = refused(court, order)
    court.limit(**{spec.attribute: looser(spec, court.limits.value(spec))})
    loose, still_against = refused(court, order)
    assert loose <= strict
    assert still_against <= against


@EXAMPLES
@given(courts(), orders(), st.lists(st.tuples(st.sampled_from(SPECS), money), max_size=5))
def test_a_tightening_never_loosens(
    court: Court, order: Any, rows: list[tuple[LimitSpec, Decimal]]
) -> None:
    before, against = refused(court, order)
    held = [
        Tightening(limit_name=spec.name, value=value, set_by=AGENT.id, set_at=START, reason="")
        for spec, value in rows
    ]
    for row in held:
        court.tx.add_tightening(row)
    after, now_against = refused(court, order)
    assert after >= before
    assert now_against >= against
    once = tighten(court.limits, held)
    assert tighten(once, held) == once


@EXAMPLES
@given(courts(), orders(), st.integers(1, 300))
def test_a_larger_order_is_never_judged_more_kindly(court: Court, order: Any, steps: int) -> None:
    court.books.recent.clear()  # another size is another order: duplicates apart
    larger = replace(order, quantity=order.quantity + Decimal(steps) / 100)
    (small, against), (large, still_against) = refused(court, order), refused(court, larger)
    assert large >= small
    assert still_against >= against


@EXAMPLES
@given(courts(), orders(), money, sides)
def test_more_held_in_reserve_never_allows_more(
    court: Court, order: Any, notional: Decimal, side: Side
) -> None:
    before, against = refused(court, order)
    court.reserve(reservation(77, notional=notional, side=side))
    after, now_against = refused(court, order)
    assert after >= before
    assert now_against >= against


def test_the_worlds_above_are_not_all_hopeless() -> None:
    seen: set[Verb] = set()

    @settings(max_examples=200, deadline=None, database=None)
    @given(courts(), orders())
    def look(court: Court, order: Any) -> None:
        seen.add(court.judge(order).decision.verb)

    look()
    assert seen == set(Verb)


_FACTS = ("account", "old account", "quote", "session", "calendar")


@EXAMPLES
@given(troubles(), orders(), st.sampled_from(_FACTS))
def test_a_missing_fact_denies_an_opening_order(court: Court, order: Any, missing: str) -> None:
    match missing:
        case "account":
            court.snapshot_known = False
        case "old account":
            court.snapshot_age = 6.0
        case "quote":
            court.market.forget("EURUSD")
        case "calendar":
            court.limit(news_blackout_s=D(900))
        case _:
            court.market.close_session("EURUSD", unknown=True)
    assert court.judge(order).decision.verb is Verb.DENY


@st.composite
def exits(draw: st.DrawFn) -> tuple[tuple[Any, ...], tuple[Any, ...], Intent]:
    """Return positions, open orders and a request that only takes risk away."""
    side, size = draw(sides), draw(lots)
    stop = D("1.08000") if side is Side.BUY else D("1.09000")
    nearer = draw(st.integers(0, 900)) / Decimal(100000) * (1 if side is Side.BUY else -1)
    held = position(side=side, quantity=size, stop_loss=stop)
    part = Decimal(draw(st.integers(1, int(size * 100)))) / 100
    guard = protective_stop(side=side.opposite, stop_price=stop, quantity=size)
    entry = resting()
    choices: list[tuple[tuple[Any, ...], tuple[Any, ...], Intent]] = [
        ((held,), (), close()),
        ((held,), (guard,), close(quantity=part)),
        ((held,), (), place(side=side.opposite, quantity=part, reduce_only=True, stop_loss=None)),
        ((held,), (), modify(position_id=PositionId("p1"), stop_loss=stop + nearer)),
        ((held,), (), modify(position_id=PositionId("p1"), take_profit=None)),
        ((held,), (guard,), modify(venue_order_id=VenueOrderId("v1"), stop_price=stop + nearer)),
        ((), (entry,), cancel()),
        ((), (entry,), modify(venue_order_id=VenueOrderId("v1"), quantity=D("0.05"))),
        ((), (guard,), cancel()),
    ]
    return draw(st.sampled_from(choices))


@examples(300)
@given(troubles(), exits())
def test_i12_exits_are_never_refused(
    court: Court, wanted: tuple[tuple[Any, ...], tuple[Any, ...], Intent]
) -> None:
    positions, open_orders, intent = wanted
    court.positions, court.open_orders = positions, open_orders
    court.limit(news_blackout_s=D(900))  # and no calendar
    court.claimed(*claims(intent, *[1] * 70, now=court.clock.now(), lane=Lane.CLOSE))
    court.used(orders=700, notional="1000000000")
    judgement = court.judge(intent)
    assert judgement.decision.lane is not Lane.OPEN
    assert judgement.decision.verb is Verb.ALLOW, judgement.decision.failed
    assert judgement.halt_reasons == ()


numbers = st.sampled_from(
    [Decimal(text) for text in ("NaN", "sNaN", "Infinity", "-1", "0", "1E+999999", "1E-999999")]
) | st.decimals(allow_nan=True, allow_infinity=True)
terms = st.none() | numbers
changes = st.just(KEEP) | terms


@st.composite
def anything(draw: st.DrawFn) -> Intent:
    """Return a request of any shape, with numbers no edge would let through."""
    base: dict[str, Any] = {
        "symbol": draw(st.sampled_from([EURUSD, Symbol("AAPL"), Symbol("nothing")])),
        "account": draw(st.sampled_from([ACCOUNT, AccountId("other")])),
    }
    target = draw(st.sampled_from(["p0", "v0", "none"]))
    match draw(st.sampled_from(["place", "modify", "cancel", "close"])):
        case "place":
            return place(
                order_type=draw(st.sampled_from(OrderType)),
                side=draw(sides),
                quantity=draw(numbers),
                limit_price=draw(terms),
                stop_price=draw(terms),
                trail_amount=draw(terms),
                trail_percent=draw(terms),
                stop_loss=draw(terms),
                take_profit=draw(terms),
                time_in_force=draw(st.sampled_from(TimeInForce)),
                reduce_only=draw(st.booleans()),
                **base,
            )
        case "modify":
            return modify(
                venue_order_id=draw(st.none() | st.just(VenueOrderId(target))),
                position_id=draw(st.none() | st.just(PositionId(target))),
                stop_loss=draw(changes),
                take_profit=draw(changes),
                limit_price=draw(st.just(KEEP) | numbers),
                stop_price=draw(st.just(KEEP) | numbers),
                quantity=draw(st.just(KEEP) | numbers),
                **base,
            )
        case "cancel":
            return cancel(target, **base)
        case _:
            return close(target, quantity=draw(terms), **base)


@examples(500)
@given(troubles(), anything(), st.booleans())
def test_every_request_gets_a_whole_answer(court: Court, intent: Intent, known: bool) -> None:
    court.snapshot_known = known
    judgement = court.judge(intent, order_id=OrderId("x"))
    decision = judgement.decision
    json.loads(judgement.facts_json)
    for row in decision.verdicts:
        if row.finding in (Finding.REFUSE, Finding.ASK, Finding.WARN):
            assert row.code is not None
            assert row.message
            assert row.fix
        assert row.headroom is None or row.headroom >= 0
    if decision.lane is Lane.OPEN and decision.verb is not Verb.DENY:
        assert judgement.exposure is not None
        assert judgement.exposure.notional > 0 or decision.verb is Verb.ASK
