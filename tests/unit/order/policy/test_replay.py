from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ordergate.model.accounts import Mode
from ordergate.model.canonical import canonical, plain_data
from ordergate.model.orders import Intent
from ordergate.model.records import AuditRow
from ordergate.model.verdicts import Verb
from ordergate.order.policy.decision import recorded, told
from ordergate.order.policy.limits import Limits, Narrowing
from ordergate.order.policy.recall import Forgotten
from ordergate.order.policy.replay import Sealed, again, sealed_judgements, under
from support.judging import Court, D, claims, place

AT = datetime(2026, 1, 7, 14, 0, tzinfo=UTC)


def row(seq: int, kind: str, body: dict[str, object]) -> AuditRow:
    text = canonical({"version": "1.2.3", "body": body})
    return AuditRow(seq=seq, ts=AT, kind=kind, actor="a", corr="o1", body=text, h="")


def log(intent: Intent, body: dict[str, object]) -> list[AuditRow]:
    asked = {"action": intent.action, "intent": plain_data(intent)}
    return [
        row(1, "order.accepted", asked),
        row(2, "limits.in_force", {}),
        row(3, "order.judged_allow", body),
        row(4, "order.claimed", {}),
    ]


def sealed(court: Court, intent: Intent) -> Sealed:
    (found,) = sealed_judgements(log(intent, told(court.judge(intent))))
    return found


def test_a_judgement_is_read_out_of_the_log_and_made_again() -> None:
    court = Court()
    found = sealed(court, place())
    assert (found.seq, found.version, found.order_id, found.verb) == (3, "1.2.3", "o1", Verb.ALLOW)
    assert recorded(again(found)) == recorded(court.judge(place()).decision)


def test_a_record_that_sealed_no_facts_is_no_judgement() -> None:
    body = told(Court().judge(place()))
    del body["facts"]
    assert list(sealed_judgements(log(place(), body))) == []


def test_what_it_was_worth_is_told_of_it() -> None:
    court = Court()
    found = under(sealed(court, place()), Limits())
    assert found.notional == D("10851")
    court.market.forget("EURUSD")
    assert under(sealed(court, place()), Limits()).notional == 0


def test_other_limits_change_the_verdict_and_the_source_is_told() -> None:
    found = sealed(Court(), place())
    assert under(found, Limits()).now == under(found, Limits()).then
    own = Narrowing(source="agent local-agent", values=(("limits.order_notional_max", D(10)),))
    now = under(found, Limits(narrowings=(own,))).now
    assert (now.verb, now.failed.rule if now.failed else "") == (Verb.DENY, "order_notional_max")
    assert now.failed is not None
    assert now.failed.source == "agent local-agent"
    other = replace(own, source="agent somebody")
    assert under(found, Limits(narrowings=(other,))).now.verb is Verb.ALLOW


def test_a_shorter_duplicate_window_forgets_the_twin_and_a_longer_one_is_told() -> None:
    court = Court()
    court.claimed(*claims(place(), 20, now=court.clock.now()))
    found = sealed(court, place())
    assert found.verb is Verb.DENY
    assert under(found, Limits(duplicate_window_s=D(19))).now.verb is Verb.ALLOW
    assert under(found, Limits(duplicate_window_s=D(21))).now.verb is Verb.DENY
    exactly = Court().limit(duplicate_window_s=D(20))
    exactly.claimed(*claims(place(), 20, now=exactly.clock.now()))
    live = exactly.judge(place()).decision.verb
    assert under(found, Limits(duplicate_window_s=D(20))).now.verb is live is Verb.ALLOW
    longer = under(found, Limits(duplicate_window_s=D(61)))
    assert longer.blurred == ("limits.duplicate_window_s",)


def test_what_was_judged_with_real_money_is_judged_again_by_the_live_rows() -> None:
    found = sealed(Court(mode=Mode.LIVE), place())
    assert under(found, Limits()).now == under(found, Limits()).then


def test_what_cannot_be_recalled_is_said_and_not_guessed() -> None:
    body = told(Court().judge(place()))
    facts = json.loads(str(body["facts"]))
    del facts["quote"]
    (found,) = sealed_judgements(log(place(), {**body, "facts": json.dumps(facts)}))
    with pytest.raises(Forgotten):
        again(found)
    (lied,) = sealed_judgements(log(place(), {**body, "verb": "deny"}))
    with pytest.raises(Forgotten, match="said deny"):
        under(lied, Limits())
