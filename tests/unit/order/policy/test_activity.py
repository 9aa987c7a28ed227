"""What was claimed lately: one count a window, begun anew where a human has looked."""

from __future__ import annotations

from dataclasses import replace

from ordergate.model.canonical import iso
from ordergate.model.orders import Intent, OrderType, Side
from ordergate.model.principals import Kind, Principal
from ordergate.model.records import ScopeKind
from ordergate.model.values import OrderId, PrincipalId, Symbol
from ordergate.order.policy.activity import Asking, activity
from ordergate.order.policy.facts import Activity
from ordergate.order.standing import release_of, yes_to
from support.histories import asked, filled_by_themselves, lost
from support.judging import AGENT, EURUSD, Court, D, cancel, claims, place

OTHER = Principal(PrincipalId("other"), Kind.AGENT, "other")


def seen(court: Court, intent: Intent | None = None, **terms: object) -> Activity:
    now, venue_now = court.clock.now(), court.market.venue_now()
    order_id = terms.get("order_id")
    asking = Asking(AGENT.id, order_id, now, venue_now)  # type: ignore[arg-type]
    return activity(court.tx, intent or place(), asking, limits=court.limits)


def touched(court: Court, fact: str, *, seconds_ago: float) -> None:
    court.tx.put_fact(fact, iso(court.ago(seconds_ago)))


def test_where_nothing_was_claimed_nothing_is_counted() -> None:
    assert seen(Court()) == Activity()


def test_requests_count_for_a_minute_the_others_for_the_account() -> None:
    court = Court()
    court.claimed(*claims(place(symbol=Symbol("GBPUSD")), 1, 59, 61, now=court.clock.now()))
    court.claimed(*claims(cancel(), 5, now=court.clock.now(), principal=OTHER))
    found = seen(court)
    assert (found.in_minute, found.account_in_minute) == (2, 3)


def test_openings_repeat_in_their_symbol_and_on_their_side_within_the_window() -> None:
    court = Court().limit(repeat_window_s=D(600))
    now = court.clock.now()
    court.claimed(*claims(place(), 1, 599, 601, now=now))
    court.claimed(*claims(place(side=Side.SELL), 1, now=now, order_id=OrderId("s")))
    court.claimed(*claims(place(symbol=Symbol("GBPUSD")), 1, now=now, order_id=OrderId("g")))
    assert seen(court).repeats == 2


def test_a_release_of_the_agent_begins_the_count_anew_and_of_another_does_not() -> None:
    court = Court()
    court.claimed(*claims(place(), 10, 30, now=court.clock.now()))
    touched(court, release_of(ScopeKind.AGENT, OTHER.id), seconds_ago=20)
    assert seen(court).repeats == 2
    touched(court, release_of(ScopeKind.AGENT, AGENT.id), seconds_ago=20)
    assert seen(court).repeats == 1


def test_a_yes_begins_fills_and_losses_anew_but_not_repetition() -> None:
    court = lost(filled_by_themselves(Court(), 3), 2)
    court.claimed(*claims(place(), 10, now=court.clock.now(), order_id=OrderId("r")))
    before = seen(court)
    assert (before.hands_off, before.losing) == (3, 2)
    touched(court, yes_to(AGENT.id), seconds_ago=0)
    after = seen(court)
    assert (after.hands_off, after.losing) == (0, 0)
    assert after.repeats == before.repeats > 0


def test_the_equal_order_under_another_key_is_named_with_its_age_and_never_itself() -> None:
    court = Court()
    court.claimed(*claims(place(), 5, now=court.clock.now()))
    found = seen(court, place(stop_loss=D("1.0802")))
    assert (found.duplicate_of, found.duplicate_age_s) == (OrderId("r0"), D(5))
    assert seen(court, place(quantity=D("0.2"))).duplicate_of is None
    assert seen(court, order_id=OrderId("r0")).duplicate_of is None


def test_the_farthest_own_price_counts_until_the_symbol_is_released() -> None:
    court = Court()
    asked = {"order_type": OrderType.LIMIT, "limit_price": D("1.08")}
    rows = claims(place(**asked), 100, 50, now=court.clock.now())
    court.claimed(*(replace(row, price=D("1.07") + n * D("0.01")) for n, row in enumerate(rows)))
    assert seen(court).farthest == D("1.07")
    touched(court, release_of(ScopeKind.SYMBOL, EURUSD), seconds_ago=60)
    assert seen(court).farthest == D("1.08")
    assert seen(court, cancel()).farthest is None


def test_asks_count_for_an_hour_and_anew_after_a_release() -> None:
    court = asked(Court(), 2, age=3599, waiting=True)
    assert (seen(court).asks_waiting, seen(court).asks_in_hour) == (2, 2)
    touched(court, release_of(ScopeKind.AGENT, AGENT.id), seconds_ago=60)
    assert (seen(court).asks_waiting, seen(court).asks_in_hour) == (2, 0)
    assert seen(asked(Court(), 2, age=3601)).asks_in_hour == 0
