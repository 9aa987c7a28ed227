from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from ordergate.model.accounts import Mode
from ordergate.model.errors import Code
from ordergate.model.orders import Lane
from ordergate.model.principals import Grant, Kind, Principal
from ordergate.model.values import PositionId, PrincipalId
from ordergate.model.verdicts import Finding, Verb
from ordergate.order.policy.on_live import RealMoney
from support.histories import asked
from support.judging import AGENT, Court, cancel, close, modify, place, position, resting

PASS, REFUSE = Finding.PASS, Finding.REFUSE
TRADER = replace(AGENT, grants=frozenset({Grant.LIVE}))
OPERATOR = Principal(PrincipalId("operator:ann"), Kind.OPERATOR, "ann")


def court(
    *, until: datetime | None = None, rest: bool = True, mode: Mode = Mode.LIVE, **more: object
) -> Court:
    """Return a live account, armed until then, at a venue that keeps stops or does not."""
    real = RealMoney(armed_until=lambda *_: until, stops_rest=lambda: rest)
    return Court(mode=mode, real=real, **more).limit(live_symbols_allow=("EURUSD",))  # type: ignore[arg-type]


@pytest.mark.parametrize(("seconds", "finding"), [(-1, REFUSE), (0, REFUSE), (1, PASS)])
def test_an_arming_holds_until_its_very_end(seconds: int, finding: Finding) -> None:
    until = Court().clock.now() + timedelta(seconds=seconds)
    verdict = court(until=until).verdict("live_armed", place(), asker=TRADER)
    assert verdict.finding is finding
    assert verdict.code is (Code.LIVE_NOT_ARMED if finding is REFUSE else None)


@pytest.mark.parametrize(
    ("asker", "mode", "finding"),
    [
        (AGENT, Mode.LIVE, REFUSE),
        (replace(AGENT, grants=frozenset({Grant.OTHERS})), Mode.LIVE, REFUSE),
        (TRADER, Mode.LIVE, PASS),
        (OPERATOR, Mode.LIVE, PASS),
        (AGENT, Mode.DEMO, PASS),
        (AGENT, Mode.PAPER, PASS),
    ],
)
def test_only_a_token_made_for_it_opens_with_real_money(
    asker: Principal, mode: Mode, finding: Finding
) -> None:
    verdict = court(mode=mode).verdict("live_grant", place(), asker=asker)
    assert verdict.finding is finding
    assert verdict.code is (Code.FORBIDDEN if finding is REFUSE else None)


@pytest.mark.parametrize(
    ("rest", "mode", "waiver", "finding"),
    [
        (True, Mode.LIVE, "0", PASS),
        (False, Mode.LIVE, "0", REFUSE),
        (False, Mode.LIVE, "10850.99", REFUSE),
        (False, Mode.LIVE, "10851", PASS),
        (False, Mode.DEMO, "0", Finding.NOT_ASKED),
        (False, Mode.PAPER, "0", Finding.NOT_ASKED),
    ],
)
def test_a_live_stop_rests_at_the_venue_or_is_waived_up_to_a_value(
    rest: bool, mode: Mode, waiver: str, finding: Finding
) -> None:
    one = court(rest=rest, mode=mode).limit(live_managed_stop_notional_max=Decimal(waiver))
    verdict = one.verdict("stop_resident", place(), asker=TRADER)
    assert verdict.finding is finding
    if finding is REFUSE:
        assert (verdict.code, verdict.limit) == (Code.STOP_REQUIRED, Decimal(waiver))
        assert verdict.limit_name == "limits.live_managed_stop_notional_max"


def test_real_money_holds_no_exit_up() -> None:
    one = court(rest=False, positions=(position(),), open_orders=(resting(),))
    tighter = modify(position_id=PositionId("p1"), stop_loss=Decimal("1.081"))
    for lane, intent in (
        (Lane.TIGHTEN, tighter),
        (Lane.CLOSE, close()),
        (Lane.CANCEL, cancel()),
    ):
        decision = one.judge(intent).decision
        assert (decision.lane, decision.verb) == (lane, Verb.ALLOW)


def test_armed_and_granted_the_smallest_order_still_asks() -> None:
    until = Court().clock.now() + timedelta(hours=1)
    decision = court(until=until).judge(place(quantity=Decimal("0.01")), asker=TRADER).decision
    assert decision.verb is Verb.ASK
    assert decision.failed is not None
    assert decision.failed.control == "C23"


@pytest.mark.parametrize("mode", [Mode.DEMO, Mode.PAPER])
def test_asks_are_counted_for_real_money_alone(mode: Mode) -> None:
    one = asked(Court(mode=mode), 30, waiting=True)
    for rule in ("asks_waiting", "asks_in_hour"):
        assert one.verdict(rule, place()).finding is Finding.NOT_ASKED


def test_an_order_that_was_put_to_a_human_is_no_ask_besides_itself() -> None:
    one = asked(Court(mode=Mode.LIVE), 3, waiting=True)
    (order_id, *_) = one.books.orders
    assert one.verdict("asks_waiting", place()).finding is REFUSE
    assert one.verdict("asks_waiting", place(), order_id=order_id).finding is PASS
