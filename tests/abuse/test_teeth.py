"""The safety tests bite: break a safeguard in the product, and the test that guards it fails."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from abuse import test_a02_no_approving_oneself as a02
from abuse import test_a03_a_yes_is_to_the_outcome as a03
from abuse import test_a12_the_day_is_the_venues_own as a12
from abuse import test_a14_limits_read_the_live_book as a14
from abuse import test_a15_nothing_is_turned_round as a15
from abuse import test_a16_a_stop_stops_all_new_risk as a16
from abuse import test_a33_no_stop_is_stripped as a33
from contract import test_store as contract
from integration import test_factors as factors
from integration import test_sealed_files as sealed
from integration.order import test_controls as controls
from integration.order import test_emergency as emergency
from integration.order import test_exits as exits
from integration.order import test_exits_restarted as restarted
from integration.order import test_loosening as loosening
from integration.order import test_order_line as line
from integration.order import test_radar as outside
from integration.order import test_whole_book as whole
from ordergate.adapters.storage.session import SqlTx
from ordergate.adapters.venues.paper import dealing
from ordergate.adapters.venues.paper.faults import FaultKind
from ordergate.audit import chain, checkpoint
from ordergate.audit.checkpoint import Verdict
from ordergate.audit.seal import Seal
from ordergate.identity.factors import passkeys
from ordergate.identity.factors.challenges import Challenges
from ordergate.identity.factors.prove import Factors
from ordergate.model.orders import CloseIntent, Lane, VenueOrder
from ordergate.model.outcomes import Outcome, Unknown
from ordergate.model.records import ScopeKind
from ordergate.order import clearing, daybook, gateway, radar
from ordergate.order.accounts import Accounts
from ordergate.order.approval import approve
from ordergate.order.approval.ticket import Answerable
from ordergate.order.dispatch import send
from ordergate.order.dispatch.send import Claim, Send
from ordergate.order.dispatch.unbooked import read_records
from ordergate.order.dispatch.wire import to_wire
from ordergate.order.emergency import Emergency
from ordergate.order.exits import plan
from ordergate.order.exits.protect import Protect
from ordergate.order.guarding import Guarding
from ordergate.order.halt import Halt
from ordergate.order.intent.idempotency import tag
from ordergate.order.journal import record
from ordergate.order.kill import Kill
from ordergate.order.policy import (
    activity,
    at_rest,
    decision,
    judge,
    policybook,
    wholebook,
)
from ordergate.order.policy.baselines import BookTerms
from ordergate.order.policy.rules import lanes, market, stops
from ordergate.order.policy.rules.checklist import RULES, Rule, Say
from ordergate.order.policy.underlyings import Underlyings
from ordergate.order.radar import Radar
from ordergate.surfaces.console.entry import Entry
from support.broken_gate import exits_under_the_switch_refused, keys_forgotten
from support.fresh_books import open_books
from support.gate import Gate, a_gate
from support.order_records import AGENT, OPERATOR
from support.sealed_history import untold
from support.sealed_log import sealed_database
from support.soft_passkey import PRESENT

Patch = pytest.MonkeyPatch
CAUGHT = (AssertionError, pytest.fail.Exception)  # a failed assertion, or "did not raise"


def no_switch_in_the_claim(patch: Patch) -> None:
    patch.setattr(judge, "covering", lambda *_, **__: ())


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


def exits_on_an_old_price_refused(patch: Patch) -> None:
    trapping = tuple(
        dataclasses.replace(rule, close=Say.REFUSE) if rule.control is market.QUOTE else rule
        for rule in RULES
    )
    patch.setattr(decision, "RULES", trapping)


def stops_gone_before_their_successors(patch: Patch) -> None:
    sound = plan._stops

    def hasty(scene: plan.Scene, cover: Decimal) -> plan.Step | None:
        step = sound(scene, cover)
        old = [leg for leg in scene.legs if leg.stop]
        return plan.Drop(old[0].venue_order_id) if isinstance(step, plan.Put) and old else step

    patch.setattr(plan, "_stops", hasty)


def closes_in_doubt_sent_again(patch: Patch) -> None:
    async def never(*_: object) -> bool:
        return False

    patch.setattr(Protect, "close_in_doubt", never)


def _left_out(name: str) -> Callable[[Patch], None]:
    def broken(patch: Patch) -> None:
        async def nothing(*_: object) -> None:
            return None

        patch.setattr(Guarding, name, nothing)

    broken.__name__ = f"without{name}"
    return broken


def a_late_close(folder: Path) -> None:
    exits.test_xe2_a_close_in_doubt_is_never_sent_again_by_itself(folder, FaultKind.LATE_EXECUTION)


def a_plan_cut_short(folder: Path) -> None:
    restarted.test_xe1_xe2_a_close_that_was_cut_short_ends_flat_or_protected(
        folder, "after", 2, None
    )


def stripping_called_tightening(patch: Patch) -> None:
    patch.setattr(lanes, "_farther", lambda *_, **__: False)


def stops_netted_away(patch: Patch) -> None:
    patch.setattr(dealing, "_nearer", lambda position, stop: stop or position.stop_loss)


def other_accounts_not_counted(patch: Patch) -> None:
    sound = Accounts.read

    async def alone(self: Accounts) -> Any:
        snapshot, _ = await sound(self)
        return snapshot, ()

    patch.setattr(Accounts, "read", alone)


def a_book_read_once(patch: Patch) -> None:
    """Let every judgement rest on the first reading of the accounts."""
    sound = Accounts.read
    kept: dict[Accounts, Any] = {}

    async def remembered(self: Accounts) -> Any:
        if self not in kept:
            kept[self] = await sound(self)
        return kept[self]

    patch.setattr(Accounts, "read", remembered)


def payments_taken_for_results(patch: Patch) -> None:
    for module in (wholebook, daybook):
        patch.setattr(module, "paid", lambda *_: Decimal(0))


def baselines_of_this_process(patch: Patch) -> None:
    patch.setattr(SqlTx, "baseline", lambda *_: None)


def days_of_the_process(patch: Patch) -> None:
    patch.setattr(BookTerms, "day", lambda *_: date(2026, 1, 1))


def nothing_is_external(patch: Patch) -> None:
    patch.setattr(radar, "outside", lambda *_, **__: ())


def differences_believed(patch: Patch) -> None:
    patch.setattr(radar, "drifts", lambda *_, **__: ())


def a_first_difference_believed(patch: Patch) -> None:
    """Halt on what may be an execution between two reads."""
    sound = Radar.__init__

    def hasty(self: Radar, **parts: Any) -> None:
        sound(self, **parts)
        self._window_s = 0

    patch.setattr(Radar, "__init__", hasty)


def names_taken_for_themselves(patch: Patch) -> None:
    patch.setattr(Underlyings, "aliases", lambda *_: frozenset())


def berlins_spring(folder: Path) -> None:
    a12.test_each_day_ends_in_its_own_place_on_either_side_of_a_change_of_clocks(
        folder, "2026-03-30T20:00:00", "2026-03-30T21:00:00", "2026-03-30T22:00:00"
    )


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


def exits_on_their_way_forgotten(patch: Patch) -> None:
    patch.setattr(
        judge,
        "exits_held",
        lambda *given, **more: at_rest.exits_held(*given, **{**more, "on_way": ()}),
    )


def nothing_reserved(patch: Patch) -> None:
    patch.setattr(SqlTx, "reservations", lambda *_, **__: [])


def doubt_forgotten(patch: Patch) -> None:
    patch.setattr(judge, "IN_DOUBT", frozenset())


def own_orders_left_in_the_way(patch: Patch) -> None:
    async def nothing(*_: object, **__: object) -> None:
        return None

    patch.setattr(gateway, "clear_the_way", nothing)


def an_exit_that_waits_for_its_way(patch: Patch) -> None:
    patch.setattr(clearing, "CLEAR_S", 60.0)


def halts_of_nothing(patch: Patch) -> None:
    patch.setattr(gateway, "target_in", lambda *_: "nothing")


def releases_forgotten(patch: Patch) -> None:
    patch.setattr(activity, "_since", lambda _, __, begin: begin)


def failed_writes_forgotten(patch: Patch) -> None:
    patch.setattr(Emergency, "alarm", lambda *_: None)


def signatures_believed(patch: Patch) -> None:
    patch.setattr(checkpoint, "_signed", lambda *_: True)


def links_believed(patch: Patch) -> None:
    patch.setattr(chain, "check", lambda *_, **__: None)
    patch.setattr(checkpoint, "check", lambda *_, **__: None, raising=False)


def an_exit_sent_before_its_record(patch: Patch) -> None:
    async def later(*_: object) -> None:
        return None

    patch.setattr(Emergency, "_put_exit", later)


def an_exit_taken_in_by_sending_it(patch: Patch) -> None:
    """Let the import repeat what the emergency journal holds, to be sure that it arrives."""
    sound = Emergency.take_in

    async def resend(self: Emergency) -> None:
        left = read_records(self._file.held().bodies)
        await sound(self)
        for one in left:
            attempt = dataclasses.replace(one.attempt, tag=tag(one.order.intent_hash, 99))
            await self._send._trader.submit(to_wire(one.order.intent, attempt))  # type: ignore[arg-type]

    patch.setattr(Emergency, "take_in", resend)


def keys_of_an_emergency_forgotten(patch: Patch) -> None:
    patch.setattr(Emergency, "_known", lambda *_: None)


def what_adds_risk_taken_for_an_exit(patch: Patch) -> None:
    patch.setattr(decision, "lane_of", lambda *_: Lane.CLOSE)


def an_emergency_exit_never_taken_in(patch: Patch) -> None:
    async def nothing(*_: object) -> None:
        return None

    patch.setattr(Emergency, "take_in", nothing)


def an_emergency_lost_request(folder: Path) -> None:
    emergency.test_an_outcome_lost_in_the_emergency_is_found_out_and_not_sent_again(
        folder, FaultKind.LOST_REQUEST
    )


def cap_of_one(folder: Path) -> None:
    line.test_concurrent_orders_never_pass_a_cap(folder, 1)


def a_lost_reply(folder: Path) -> None:
    line.test_a_lost_outcome_is_found_out_and_never_sent_again(
        folder, FaultKind.LOST_REPLY, "unknown"
    )


def a_tiny_sibling(folder: Path) -> None:
    sibling = a33.buy(**a33.NO_STOP, quantity=a33.TINY, oco_group="bracket")
    a33.test_an_order_that_would_cancel_the_stop_beside_it_is_refused(folder, sibling)


def a_dead_link(folder: Path) -> None:
    controls.test_an_exit_goes_on_though_its_way_is_not_cleared(folder, "hanging")


def an_unwritten_order(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as disk:
        controls.test_after_a_write_that_failed_everything_is_halted_and_exits_pass(folder, disk)


def an_unwritten_switch(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as disk:
        a16.test_a_switch_that_could_not_be_written_shows_stops_and_is_written_when_that_is_possible(
            folder, disk
        )


def a_stale_version(folder: Path) -> None:
    store = open_books(folder / "gate.db")
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
    doors = gate.line.gateway
    await line.opened(gate)
    await line.opened(gate, line.RESTING)
    asked = await doors.submit(line.LARGE, key=None, asker=AGENT)
    assert asked.ticket is not None
    await gate.line.desk.deny(asked.ticket.ticket_id, reason="no", operator=OPERATOR)
    bare = dataclasses.replace(line.SMALL, stop_loss=None, quantity=Decimal("0.02"))
    await doors.submit(bare, key=None, asker=AGENT)
    await doors.draft(line.SMALL, key=None, asker=AGENT)
    close = CloseIntent(**line.WHERE, position_id=await line.the_position(gate))
    await doors.close(close, key=None, asker=AGENT)
    await doors.withdraw((await gate.line.desk.drafts())[0].order.order_id, asker=AGENT)
    await doors.engage(scope=ScopeKind.GLOBAL, target="", reason="done", asker=AGENT)
    await gate.line.settle.scan()


def states_unsealed(patch: Patch) -> None:
    sound = Seal.append

    def quiet(self: Seal, tx: Any, kind: str, **more: Any) -> int:
        return self.size(tx) if kind == "attempt.filled" else sound(self, tx, kind, **more)

    patch.setattr(Seal, "append", quiet)


def files_believed_at_once(patch: Patch) -> None:
    """Let a looser file count the moment it is read."""
    patch.setattr(policybook, "held_back", lambda limits, kept: limits)


def results_booked_with_nobody(patch: Patch) -> None:
    patch.setattr(record, "shares", lambda openers, *, of: [])


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
        exits_under_the_switch_refused,
        exits.test_exits_pass_under_the_switch_a_halt_a_closed_market_and_without_a_price,
    ),
    (
        exits_on_an_old_price_refused,
        exits.test_exits_pass_under_the_switch_a_halt_a_closed_market_and_without_a_price,
    ),
    (
        stops_gone_before_their_successors,
        exits.test_replacing_a_stop_never_leaves_the_position_without_one,
    ),
    (closes_in_doubt_sent_again, a_late_close),
    (_left_out("_take_fills"), exits.test_the_stop_rests_as_an_order_for_what_was_filled),
    (
        _left_out("_take_excess"),
        exits.test_xe4_when_both_legs_fill_the_excess_is_closed_at_once_and_reported,
    ),
    (_left_out("recover"), a_plan_cut_short),
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
    (exits_on_their_way_forgotten, a15.test_exits_at_once_leave_its_part_to_the_exit_at_rest),
    (nothing_reserved, cap_of_one),
    (doubt_forgotten, line.test_a_lost_request_stays_unknown_and_counts_as_filled),
    (
        own_orders_left_in_the_way,
        controls.test_an_exit_does_not_trade_with_an_own_opening_order,
    ),
    (an_exit_that_waits_for_its_way, a_dead_link),
    (halts_of_nothing, controls.test_chasing_a_price_halts_the_symbol_for_everybody),
    (
        releases_forgotten,
        controls.test_repeated_execution_halts_the_agent_until_an_operator_says_why_not,
    ),
    (releases_forgotten, controls.test_a_humans_yes_begins_the_count_of_fills_anew),
    (failed_writes_forgotten, an_unwritten_order),
    (signatures_believed, a_forged_head),
    (links_believed, a_changed_record),
    (files_believed_at_once, loosening.test_limits_loosened_while_the_gate_was_stopped_wait),
    (
        results_booked_with_nobody,
        loosening.test_what_an_agents_own_trades_brought_is_booked_with_it_on_the_venues_day,
    ),
    (
        an_exit_sent_before_its_record,
        emergency.test_the_record_is_on_the_disk_before_a_byte_leaves,
    ),
    (an_exit_taken_in_by_sending_it, an_emergency_lost_request),
    (
        keys_of_an_emergency_forgotten,
        emergency.test_the_same_key_is_answered_from_the_emergency_journal_and_not_sent_again,
    ),
    (
        what_adds_risk_taken_for_an_exit,
        emergency.test_on_a_full_disk_a_close_reaches_the_venue_once_and_an_opening_does_not,
    ),
    (
        an_emergency_exit_never_taken_in,
        emergency.test_what_went_out_before_the_process_ended_is_sealed_at_the_next_start,
    ),
    (other_accounts_not_counted, whole.test_what_another_account_holds_counts_in_the_books_limits),
    (
        other_accounts_not_counted,
        whole.test_an_account_that_cannot_be_read_refuses_openings_and_exits_pass,
    ),
    (
        a_book_read_once,
        a14.test_a_position_made_a_moment_ago_around_the_gate_counts_without_any_sweep,
    ),
    (payments_taken_for_results, whole.test_paying_in_and_out_is_no_gain_and_no_loss),
    (baselines_of_this_process, whole.test_the_books_day_survives_a_restart),
    (days_of_the_process, berlins_spring),
    (
        nothing_is_external,
        outside.test_a_trade_made_by_hand_is_recorded_in_the_next_sweep_and_halts_nothing,
    ),
    (differences_believed, outside.test_money_that_nothing_explains_halts_when_it_stays_so),
    (a_first_difference_believed, outside.test_money_that_nothing_explains_halts_when_it_stays_so),
    (
        names_taken_for_themselves,
        a14.test_another_name_of_a_denied_thing_is_denied_once_the_operator_has_said_so,
    ),
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

LONG = (an_exit_that_waits_for_its_way,)  # seen only once its way has not come for seconds


@pytest.mark.parametrize(
    ("break_it", "guard"),
    [
        pytest.param(
            broken,
            guard,
            id=broken.__name__,
            marks=pytest.mark.slow if broken in LONG else (),
        )
        for broken, guard in TEETH
    ],
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
