"""The gate with one safeguard broken: patches to production seams, for the simulator to catch."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import pytest

from ordergate.adapters.storage.session import SqlTx
from ordergate.audit.seal import Seal
from ordergate.model.orders import AttemptState, OrderState, VenueCancel, VenueModify
from ordergate.model.outcomes import Outcome, Unknown
from ordergate.model.verdicts import Verb
from ordergate.order import gateway
from ordergate.order.dispatch import send
from ordergate.order.dispatch.send import Claim, Send
from ordergate.order.guarding import Guarding
from ordergate.order.journal.lifecycle import PLACING
from ordergate.order.journal.record import Record
from ordergate.order.policy import judge
from ordergate.order.reconcile.settle import Settle
from support.broken_gate import exits_under_the_switch_refused, keys_forgotten

Patch = pytest.MonkeyPatch


def resent_when_not_found(patch: Patch) -> None:
    sound = Send._once

    async def once(self: Send, claim: Claim) -> Outcome:
        outcome = await sound(self, claim)
        if not isinstance(outcome, Unknown) or claim.attempt is None:
            return outcome
        await self._clock.sleep(1)
        try:
            history = await self._accounts.own.history(claim.attempt.claimed_at)
        except OSError:
            return outcome
        if any(order.tag == claim.attempt.tag for order in history.orders):
            return outcome
        again = dataclasses.replace(claim, send_by=self._clock.monotonic() + 1)
        return await sound(self, again)

    patch.setattr(Send, "_once", once)


def sent_and_then_journaled(patch: Patch) -> None:
    """Let the first byte leave inside the claim's transaction, before it is durable."""
    sound, on_the_wire = Send.claim, {}

    def claim(self: Send, *given: Any, **more: Any) -> Claim:
        made = sound(self, *given, **more)
        if made.attempt is not None and made.wire is not None:
            calls: dict[type, Any] = {
                VenueModify: self._trader.modify,
                VenueCancel: self._trader.cancel,
            }
            call = calls.get(type(made.wire), self._trader.submit)(made.wire)
            on_the_wire[made.attempt.attempt_id] = _begun(call)
        return made

    async def once(self: Send, claim: Claim) -> Outcome:
        assert claim.attempt is not None
        try:
            async with asyncio.timeout(send.WIRE_TIMEOUT_S):
                return await on_the_wire.pop(claim.attempt.attempt_id)()
        except Exception as error:  # noqa: BLE001 - as in production
            return send.evidence(error)

    patch.setattr(Send, "claim", claim)
    patch.setattr(Send, "_once", once)


def _begun(call: Coroutine[Any, Any, Any]) -> Callable[[], Coroutine[Any, Any, Any]]:
    """Run a coroutine to its first wait, now; return what runs the rest of it."""
    try:
        waits: Any = call.send(None)
    except Exception as error:  # noqa: BLE001 - told to whoever awaits the rest
        return partial(_raised, error)
    waits._asyncio_future_blocking = False

    async def rest() -> Any:
        try:
            await waits
        except BaseException:
            call.close()
            raise
        try:
            call.send(None)
        except StopIteration as end:
            return end.value
        raise AssertionError("the request waits twice")

    return rest


async def _raised(error: Exception) -> None:
    raise error


def the_switch_read_before_the_claim(patch: Patch) -> None:
    sound, seen = Send.look, []

    async def look(self: Send, mark: int) -> Any:
        seen[:] = await self._journal.read(lambda tx: list(tx.halts()))
        return await sound(self, mark)

    covering = judge.covering
    patch.setattr(Send, "look", look)
    patch.setattr(judge, "covering", lambda _, **scope: covering(seen, **scope))


def recovered_as_never_claimed(patch: Patch) -> None:
    """Take what was being sent when the gate died for not sent: it is claimed again."""

    async def disown(self: Settle) -> None:
        if self._disowned:
            return

        def orphaned(tx: Any) -> None:
            for attempt in tx.attempts_in(frozenset({AttemptState.SENDING})):
                if attempt.epoch != self._epoch:
                    _, order = tx.attempt(attempt.attempt_id), tx.order(attempt.order_id)
                    gone = dataclasses.replace(
                        attempt, state=AttemptState.NOT_SENT, ver=attempt.ver + 1
                    )
                    tx.put_attempt(gone)
                    back = dataclasses.replace(order, state=OrderState.PROPOSED, ver=order.ver + 1)
                    tx.put_order(back)

        await self._journal.write(orphaned)
        self._disowned = True

    patch.setattr(Settle, "_disown", disown)


def not_found_taken_for_refused(patch: Patch) -> None:
    sound = Settle._give_up

    def give_up(self: Settle, tx: Any, attempt: Any) -> Any:
        if attempt.action not in PLACING:
            return sound(self, tx, attempt)
        return self._record.book(tx, attempt, "refused", actor=self._instance, code="not_found")

    patch.setattr(Settle, "_give_up", give_up)


def released_on_a_timeout(patch: Patch) -> None:
    """Let a lost answer free what its order holds in the limits."""
    sound = Record.book

    def book(self: Record, tx: Any, attempt: Any, event: str, **more: Any) -> Any:
        found = sound(self, tx, attempt, event, **more)
        if event in ("lost_sight", "not_found"):
            self._release(tx, found[1])
        return found

    patch.setattr(Record, "book", book)


def a_fill_booked_twice(patch: Patch) -> None:
    sound = SqlTx.add_fill

    def add(self: SqlTx, account: Any, attempt_id: Any, fill: Any) -> bool:
        if sound(self, account, attempt_id, fill):
            return True
        again = dataclasses.replace(fill, trade_id=f"{fill.trade_id}+")
        return sound(self, account, attempt_id, again)

    patch.setattr(SqlTx, "add_fill", add)


def claimed_without_comparing(patch: Patch) -> None:
    """Read the order, then claim it in another transaction that does not look again."""

    async def one_order(self: Any, intent: Any, *, key: Any, asker: Any) -> Any:
        def accepted(tx: Any) -> Any:
            return self._accept.accept(tx, intent, key=key, asker=asker).order

        order = await self._commit(accepted)
        if order.state is not OrderState.PROPOSED:
            return await self._replay(order)
        return await self._to_its_end(
            lambda tx, look: self._send.claim(tx, order, look, asker=asker)
        )

    patch.setattr(gateway.Gateway, "one_order", one_order)
    patch.setattr(SqlTx, "_put", lambda self, sql, row: self._changed(sql, **row))
    sound = SqlTx.put_order

    def put(self: SqlTx, order: Any) -> None:
        held = self.order(order.order_id)
        sound(self, dataclasses.replace(order, ver=held.ver + 1))

    patch.setattr(SqlTx, "put_order", put)


def sent_twice(patch: Patch) -> None:
    sound = Send._once

    async def twice(self: Send, claim: Claim) -> Outcome:
        await sound(self, claim)
        return await sound(self, claim)

    patch.setattr(Send, "_once", twice)


def a_lost_answer_taken_for_a_refusal(patch: Patch) -> None:
    sound = send.event_of
    patch.setattr(
        send,
        "event_of",
        lambda outcome, action: (
            "refused" if isinstance(outcome, Unknown) else sound(outcome, action)
        ),
    )


def sent_without_the_yes(patch: Patch) -> None:
    """Ask a human, and send all the same when the order is looked at again."""
    sound = Send.claim

    def claim(self: Send, tx: Any, order: Any, look: Any, *, asker: Any, **more: Any) -> Claim:
        made = sound(self, tx, order, look, asker=asker, **more)
        if made.judgement.decision.verb is not Verb.ASK or made.ticket is None:
            return made
        order = self._record.move(tx, made.order, "yes", actor=asker.id)
        return sound(self, tx, order, look, asker=asker, approved=made.ticket)

    patch.setattr(Send, "claim", claim)


def fills_not_guarded(patch: Patch) -> None:
    async def nothing(self: Guarding) -> None:
        del self

    patch.setattr(Guarding, "_take_fills", nothing)


def a_state_without_its_record(patch: Patch) -> None:
    sound = Seal.append

    def append(self: Seal, tx: Any, kind: str, **more: Any) -> int:
        return self.size(tx) if kind == "attempt.canceled" else sound(self, tx, kind, **more)

    patch.setattr(Seal, "append", append)


def a_chain_that_does_not_hold(patch: Patch) -> None:
    """Let each record follow on its own text alone."""
    from ordergate.audit import chain

    sound = chain.link
    patch.setattr(chain, "link", lambda _, leaf: sound(chain.GENESIS, leaf))


BROKEN: tuple[Callable[[Patch], None], ...] = (
    resent_when_not_found,
    sent_and_then_journaled,
    the_switch_read_before_the_claim,
    recovered_as_never_claimed,
    not_found_taken_for_refused,
    released_on_a_timeout,
    a_fill_booked_twice,
    claimed_without_comparing,
    exits_under_the_switch_refused,
    sent_twice,
    a_lost_answer_taken_for_a_refusal,
    keys_forgotten,
    sent_without_the_yes,
    fills_not_guarded,
    a_state_without_its_record,
    a_chain_that_does_not_hold,
)
