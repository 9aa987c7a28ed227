"""The safety tests bite: break a safeguard in the product, and the test that guards it fails."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from abuse import test_a02_no_approving_oneself as a02
from abuse import test_a03_a_yes_is_to_the_outcome as a03
from abuse import test_a16_a_stop_stops_all_new_risk as a16
from abuse import test_a33_no_stop_is_stripped as a33
from contract import test_store as contract
from integration import test_factors as factors
from integration import test_sealed_files as sealed
from integration.order import test_order_line as line
from ordergate.adapters.storage.session import SqlTx
from ordergate.adapters.storage.store import SqliteStore
from ordergate.adapters.venues.paper import dealing
from ordergate.adapters.venues.paper.faults import FaultKind
from ordergate.audit import chain, checkpoint
from ordergate.audit.checkpoint import Verdict
from ordergate.audit.seal import Seal
from ordergate.identity.factors import passkeys
from ordergate.identity.factors.challenges import Challenges
from ordergate.identity.factors.prove import Factors
from ordergate.model.orders import CloseIntent, VenueOrder
from ordergate.model.outcomes import Outcome, Unknown
from ordergate.model.records import ScopeKind
from ordergate.order.approval import approve
from ordergate.order.approval.ticket import Answerable
from ordergate.order.dispatch import send
from ordergate.order.dispatch.send import Claim, Send
from ordergate.order.halt import Halt
from ordergate.order.intent.accept import Accept
from ordergate.order.intent.idempotency import tag
from ordergate.order.kill import Kill
from ordergate.order.policy import decision, judge
from ordergate.order.policy.rules import lanes, standing, stops
from ordergate.order.policy.rules.checklist import RULES, Rule, Say
from ordergate.surfaces.console.entry import Entry
from support.gate import Gate, a_gate
from support.order_records import AGENT, OPERATOR
from support.sealed_history import untold
from support.sealed_log import sealed_database
from support.soft_passkey import PRESENT

Patch = pytest.MonkeyPatch
CAUGHT = (AssertionError, pytest.fail.Exception)  # a failed assertion, or "did not raise"


def no_switch_in_the_claim(patch: Patch) -> None:
    patch.setattr(judge, "in_scope", lambda *_, **__: False)


def no_switch_before_the_wire(patch: Patch) -> None:
    patch.setattr(Halt, "stops", lambda *_: False)


def a_switch_that_is_not_kept(patch: Patch) -> None:
    async def nothing(_: Kill) -> None:
        return None

    patch.setattr(Kill, "keep", nothing)


def a_yes_to_anything(patch: Patch) -> None:
    patch.setattr(approve, "answerable", lambda *_, **__: Answerable.YES)


def a_yes_at_any_price(patch: Patch) -> None:
    patch.setattr(send, "in_band", lambda *_: True)


def a_yes_to_what_has_changed(patch: Patch) -> None:
    patch.setattr(send, "_still_stands", lambda *_: True)


def keys_forgotten(patch: Patch) -> None:
    sound = Accept.accept

    def fresh(self: Accept, *given: Any, key: object, **more: Any) -> Any:
        del key
        return sound(self, *given, key=None, **more)

    patch.setattr(Accept, "accept", fresh)


def sent_twice(patch: Patch) -> None:
    """Let every claim reach the wire a second time, under a tag that the venue does not know."""
    sound = Send._once

    async def twice(self: Send, claim: Claim) -> Outcome:
        await sound(self, _again(claim))
        return await sound(self, claim)

    patch.setattr(Send, "_once", twice)


def a_lost_answer_sent_again(patch: Patch) -> None:
    sound = Send._once

    async def resend(self: Send, claim: Claim) -> Outcome:
        outcome = await sound(self, claim)
        return await sound(self, _again(claim)) if isinstance(outcome, Unknown) else outcome

    patch.setattr(Send, "_once", resend)


def _again(claim: Claim) -> Claim:
    if not isinstance(claim.wire, VenueOrder):
        return claim
    other = tag(claim.order.intent_hash, claim.order.attempts + 100)
    return dataclasses.replace(claim, wire=dataclasses.replace(claim.wire, tag=other))


def a_lost_answer_taken_for_a_refusal(patch: Patch) -> None:
    patch.setattr(send, "event_of", lambda *_: "refused")


def a_lost_comparison_unnoticed(patch: Patch) -> None:
    """Let a compare-and-set that found another version pass for one that has written."""
    patch.setattr(SqlTx, "_put", lambda self, sql, row: self._changed(sql, **row))


def exits_under_the_switch_refused(patch: Patch) -> None:
    trapping = tuple(
        dataclasses.replace(rule, tighten=Say.REFUSE, close=Say.REFUSE, cancel=Say.REFUSE)
        if rule.control is standing.KILL
        else rule
        for rule in RULES
    )
    patch.setattr(decision, "RULES", trapping)


def stripping_called_tightening(patch: Patch) -> None:
    patch.setattr(lanes, "_farther", lambda *_, **__: False)


def stops_netted_away(patch: Patch) -> None:
    patch.setattr(dealing, "_nearer", lambda position, stop: stop or position.stop_loss)


def groups_not_looked_at(patch: Patch) -> None:
    def passes(*_: object) -> Any:
        return stops.GROUP.passes()

    rules: Sequence[Rule] = RULES
    blind = (
        dataclasses.replace(rule, check=passes) if rule.control is stops.GROUP else rule
        for rule in rules
    )
    patch.setattr(decision, "RULES", tuple(blind))


def reservations_of_this_moment(patch: Patch) -> None:
    """Forget what was released since the snapshot: its fill is in neither of the two."""
    sound = SqlTx.reservations

    def held(self: SqlTx, account: Any, *, mark: int) -> Any:
        return [row for row in sound(self, account, mark=mark) if row.released_seq is None]

    patch.setattr(SqlTx, "reservations", held)


def nothing_reserved(patch: Patch) -> None:
    patch.setattr(SqlTx, "reservations", lambda *_, **__: [])


def doubt_forgotten(patch: Patch) -> None:
    patch.setattr(judge, "IN_DOUBT", frozenset())


def signatures_believed(patch: Patch) -> None:
    patch.setattr(checkpoint, "_signed", lambda *_: True)


def links_believed(patch: Patch) -> None:
    patch.setattr(chain, "check", lambda *_, **__: None)
    patch.setattr(checkpoint, "check", lambda *_, **__: None, raising=False)


def cap_of_one(folder: Path) -> None:
    line.test_concurrent_orders_never_pass_a_cap(folder, 1)


def a_lost_reply(folder: Path) -> None:
    line.test_a_lost_outcome_is_found_out_and_never_sent_again(
        folder, FaultKind.LOST_REPLY, "unknown"
    )


def a_tiny_sibling(folder: Path) -> None:
    sibling = a33.buy(**a33.NO_STOP, quantity=a33.TINY, oco_group="bracket")
    a33.test_an_order_that_would_cancel_the_stop_beside_it_is_refused(folder, sibling)


def an_unwritten_switch(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as disk:
        a16.test_a_switch_that_could_not_be_written_shows_stops_and_is_written_when_that_is_possible(
            folder, disk
        )


def a_stale_version(folder: Path) -> None:
    store = SqliteStore.open(folder / "gate.db")
    try:
        contract.test_an_attempt_comes_back_and_moves_by_version(store)
    finally:
        store.close_now()


def a_forged_head(folder: Path) -> None:
    path = folder / "gate.db"
    sealed_database(path, 40)
    forged = "UPDATE audit_head SET sig = replace(sig, 'a', 'b')"
    sealed.test_a_touched_database_is_found(path, forged, Verdict.TAMPERED, None)


def a_changed_record(folder: Path) -> None:
    path = folder / "gate.db"
    sealed_database(path, 40)
    changed = "UPDATE audit SET actor = 'operator' WHERE seq = 10"
    sealed.test_a_touched_database_is_found(path, changed, Verdict.TAMPERED, 10)


def test_every_state_is_told_by_the_audit(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            await _a_day(gate)

    asyncio.run(run())
    assert untold(tmp_path / "gate.db") == []


async def _a_day(gate: Gate) -> None:
    """Fill, rest, cancel, ask, deny, refuse and close, so that most states are met."""
    gateway = gate.line.gateway
    await line.opened(gate)
    await line.opened(gate, line.RESTING)
    asked = await gateway.submit(line.LARGE, key=None, asker=AGENT)
    assert asked.ticket is not None
    await gate.line.desk.deny(asked.ticket.ticket_id, reason="no", operator=OPERATOR)
    bare = dataclasses.replace(line.SMALL, stop_loss=None, quantity=Decimal("0.02"))
    await gateway.submit(bare, key=None, asker=AGENT)
    await gateway.draft(line.SMALL, key=None, asker=AGENT)
    close = CloseIntent(**line.WHERE, position_id=await line.the_position(gate))
    await gateway.close(close, key=None, asker=AGENT)
    await gateway.withdraw((await gate.line.desk.drafts())[0].order.order_id, asker=AGENT)
    await gateway.engage(scope=ScopeKind.GLOBAL, target="", reason="done", asker=AGENT)
    await gate.line.settle.scan()


def states_unsealed(patch: Patch) -> None:
    sound = Seal.append

    def quiet(self: Seal, tx: Any, kind: str, **more: Any) -> int:
        return self.size(tx) if kind == "attempt.filled" else sound(self, tx, kind, **more)

    patch.setattr(Seal, "append", quiet)


def codes_good_again(patch: Patch) -> None:
    patch.setattr(SqlTx, "use_totp_step", lambda *_, **__: True)


def recovery_codes_good_again(patch: Patch) -> None:
    patch.setattr(SqlTx, "use_recovery_code", lambda *_, **__: True)


def a_passkey_for_anything(patch: Patch) -> None:
    """Take a passkey's answer for the act at hand, whatever it was asked to sign."""

    async def signed(self: Factors, session: Any, assertion: str, purpose: Any) -> Any:
        del purpose
        return await self.signed(assertion, asker=session.session_id) if assertion else None

    patch.setattr(Factors, "_signed_for", signed)


def challenges_answered_again(patch: Patch) -> None:
    patch.setattr(Challenges, "taken", lambda self, _: self)
    patch.setattr(SqlTx, "use_passkey", lambda *_, **__: True)
    sound = passkeys.verify_authentication_response

    def any_count(**more: Any) -> Any:
        return sound(**{**more, "credential_current_sign_count": 0})

    patch.setattr(passkeys, "verify_authentication_response", any_count)


def users_not_verified(patch: Patch) -> None:
    sound = passkeys.verify_authentication_response

    def lenient(**more: Any) -> Any:
        return sound(**{**more, "require_user_verification": False})

    patch.setattr(passkeys, "verify_authentication_response", lenient)


def an_unverified_user(folder: Path) -> None:
    factors.test_an_assertion_from_elsewhere_or_of_nobody_is_refused(folder, {"flags": PRESENT})


def cookies_that_stay(patch: Patch) -> None:
    """Take the factor and leave the cookie as it was."""
    patch.setattr(SqlTx, "rotate_session", lambda *_, **__: True)


def sign_ins_that_are_enough(patch: Patch) -> None:
    """Let a sign-in alone do what needs a fresh factor."""

    async def prove(self: Any, request: Any, visit: Any, *_: Any) -> Any:
        del self, request
        return visit

    patch.setattr(Entry, "prove", prove)


TEETH: Sequence[tuple[Callable[[Patch], None], Callable[[Path], None]]] = (
    (no_switch_in_the_claim, line.test_the_kill_switch_stops_new_risk_and_no_exit),
    (no_switch_in_the_claim, line.test_the_kill_switch_survives_a_restart),
    (no_switch_before_the_wire, an_unwritten_switch),
    (
        a_switch_that_is_not_kept,
        a16.test_an_opening_on_the_wire_when_the_switch_is_engaged_does_not_rest,
    ),
    (a_yes_to_anything, line.test_a_large_order_waits_and_a_yes_sends_exactly_it_once),
    (a_yes_at_any_price, line.test_a_yes_after_the_price_left_its_band_asks_anew_and_sends_nothing),
    (
        a_yes_to_what_has_changed,
        a03.test_a_yes_to_a_larger_order_is_none_after_its_price_and_stop_have_moved,
    ),
    (keys_forgotten, line.test_64_calls_with_one_key_make_one_order),
    (sent_twice, line.test_two_yeses_at_once_send_one_order),
    (a_lost_comparison_unnoticed, a_stale_version),
    (a_lost_answer_sent_again, a_lost_reply),
    (a_lost_answer_taken_for_a_refusal, a_lost_reply),
    (exits_under_the_switch_refused, line.test_the_kill_switch_stops_new_risk_and_no_exit),
    (
        stripping_called_tightening,
        line.test_widening_a_stop_waits_for_a_human_whatever_it_is_called,
    ),
    (
        stops_netted_away,
        a33.test_a_tiny_order_with_a_far_stop_does_not_move_the_stop_of_what_is_held,
    ),
    (groups_not_looked_at, a_tiny_sibling),
    (reservations_of_this_moment, line.test_a_fill_after_the_snapshot_still_counts),
    (nothing_reserved, cap_of_one),
    (doubt_forgotten, line.test_a_lost_request_stays_unknown_and_counts_as_filled),
    (signatures_believed, a_forged_head),
    (links_believed, a_changed_record),
    (codes_good_again, factors.test_a_step_is_good_once_and_no_older_one_after_it),
    (codes_good_again, factors.test_a_code_that_signed_in_does_not_act),
    (
        recovery_codes_good_again,
        factors.test_a_recovery_code_is_good_once_and_ten_new_ones_void_the_old,
    ),
    (
        a_passkey_for_anything,
        factors.test_an_assertion_is_no_yes_to_another_ask_or_act_nor_again_nor_late,
    ),
    (
        challenges_answered_again,
        factors.test_an_assertion_is_no_yes_to_another_ask_or_act_nor_again_nor_late,
    ),
    (users_not_verified, an_unverified_user),
    (cookies_that_stay, factors.test_the_cookie_turns_with_each_factor_and_the_old_one_is_nothing),
    (
        sign_ins_that_are_enough,
        a02.test_even_the_operators_cookie_and_token_are_no_yes_without_a_factor,
    ),
    (states_unsealed, test_every_state_is_told_by_the_audit),
)


@pytest.mark.parametrize(
    ("break_it", "guard"),
    TEETH,
    ids=[broken.__name__ for broken, _ in TEETH],
)
def test_a_broken_safeguard_fails_its_test(
    tmp_path: Path,
    monkeypatch: Patch,
    break_it: Callable[[Patch], None],
    guard: Callable[[Path], None],
) -> None:
    sound, broken = tmp_path / "sound", tmp_path / "broken"
    sound.mkdir()
    broken.mkdir()
    guard(sound)
    break_it(monkeypatch)
    with pytest.raises(CAUGHT):
        guard(broken)
