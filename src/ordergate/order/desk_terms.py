"""The operator's standing acts: which names are one risk, and which live account is open."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from ordergate.model.arming import Arming, ArmingOffer
from ordergate.model.errors import Forbidden, IllegalState, InvalidArgument, NotFound
from ordergate.model.principals import Kind, Principal
from ordergate.model.proofs import Proof
from ordergate.model.records import UnderlyingRecord
from ordergate.model.values import AccountId, Symbol
from ordergate.model.views import ArmingView
from ordergate.order.arming import Armings
from ordergate.order.gateway import GATEWAY, Gateway
from ordergate.order.journal.record import Instance
from ordergate.order.policy.underlyings import sound
from ordergate.ports.journal import JournalTx

REASON_MIN: Final = 3


class DeskTerms:
    """What the operator sets and it stays so; the desk adds what answers a single request."""

    def __init__(self, *, instance: Instance, gateway: Gateway, armings: Armings) -> None:
        self._journal = instance.journal
        self._record = instance.record
        self._clock = instance.clock
        self._gateway = gateway
        self._armings = armings

    async def underlyings(self) -> tuple[UnderlyingRecord, ...]:
        """Return the confirmed underlyings in force, oldest first."""
        return await self._journal.read(lambda tx: tuple(tx.underlyings()))

    async def confirm_underlying(
        self, name: Symbol, underlying: str, *, venue: str, reason: str, operator: Principal
    ) -> UnderlyingRecord:
        """Confirm that a symbol shares its risk with another name, from the next judgement on."""
        require_operator(operator)
        require_reason(reason)
        row = UnderlyingRecord(
            name=name,
            underlying=underlying,
            venue=venue,
            confirmed_by=operator.id,
            confirmed_at=self._clock.now(),
            reason=reason,
        )

        def work(tx: JournalTx) -> None:
            sound(name, underlying, standing=tx.underlyings(), venue=venue)
            tx.add_underlying(row)
            body = {"underlying": underlying, "venue": venue, "reason": reason}
            self._record.note(tx, "underlying.confirmed", actor=operator.id, corr=name, body=body)

        await self._journal.write(work)
        return row

    async def remove_underlying(
        self, name: Symbol, *, venue: str, reason: str, operator: Principal
    ) -> None:
        """Take back a confirmed underlying: the symbol stands for itself again."""
        require_operator(operator)
        require_reason(reason)

        def work(tx: JournalTx) -> None:
            if not tx.remove_underlying(name, venue=venue, by=operator.id, at=self._clock.now()):
                raise NotFound(
                    f"{name[:64]} is not confirmed to be anything else",
                    fix="`ordergate risk underlyings list` shows what is",
                )
            body = {"venue": venue, "reason": reason}
            self._record.note(tx, "underlying.removed", actor=operator.id, corr=name, body=body)

        await self._journal.write(work)

    async def arming(self) -> ArmingView:
        """Return whether live trading is on and armed, as what the venue proves the account."""
        account = (await self._gateway.account(asker=GATEWAY)).identity
        safety = await self._gateway.safety()
        return ArmingView(
            identity=account,
            switches=self._armings.switches,
            arming=self._armings.current(account.account, account.venue),
            killed=safety.killed,
            limits=safety.limits,
            policy_hash=safety.policy_hash,
        )

    async def offer_arming(
        self, account: AccountId, *, hours: Decimal, operator: Principal
    ) -> ArmingOffer:
        """Return what the operator's passkey must sign to arm this account for so long."""
        require_operator(operator)
        now = await self.arming()
        return self._armings.offer(now.identity, account, hours=hours, policy_hash=now.policy_hash)

    async def arm(self, account: AccountId, *, operator: Principal, proof: Proof) -> Arming:
        """Open a live account to new risk for the time that was signed for, or till a restart.

        Raises LiveNotArmed while a switch is off, InvalidApproval unless `proof` is a passkey's
        over an offer made just now, IllegalState where the venue proves no live account.
        """
        require_operator(operator)
        now = await self.arming()
        arming = self._armings.take(
            now.identity, account, policy_hash=now.policy_hash, proof=proof, by=operator.id
        )
        await self._journal.write(lambda tx: self._armings.seal(tx, arming, now.identity))
        self._armings.engage(arming)
        return arming

    async def disarm(self, account: AccountId, *, reason: str, operator: Principal) -> Arming:
        """End an arming at once; orders at the venue stay as they are."""
        require_operator(operator)
        ended = self._armings.end(account, self._gateway.venue)
        if ended is None:
            raise IllegalState("this account is not armed")
        await self._journal.write(
            lambda tx: self._armings.note_end(tx, ended, by=operator.id, reason=reason)
        )
        return ended


def require_operator(operator: Principal) -> None:
    """Raise Forbidden for everybody else."""
    if operator.kind is not Kind.OPERATOR:
        raise Forbidden("only the operator may do this")


def require_reason(reason: str) -> None:
    """Raise InvalidArgument unless a few words were typed."""
    if len(reason.strip()) < REASON_MIN:
        raise InvalidArgument("a reason must be typed", fix="say in words why this is safe")
