"""Which live accounts are armed: held in memory alone, so that a restart ends every arming."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from ordergate.model.accounts import AccountIdentity, Mode
from ordergate.model.arming import HOURS_MAX, HOURS_MIN, OFFER_LIFE, Arming, ArmingOffer, Switches
from ordergate.model.errors import Code, GateError, IllegalState, InvalidApproval, InvalidArgument
from ordergate.model.proofs import Proof
from ordergate.model.values import AccountId, PrincipalId, VenueName, plain
from ordergate.order.journal.record import Instance
from ordergate.ports.journal import JournalTx

OFFERS_MAX: Final = 8
HOUR_S: Final = 3600


class LiveNotArmed(GateError):
    """The switches that only a human sets are not both on."""

    code = Code.LIVE_NOT_ARMED
    requires_human = True


class Armings:
    """Offers, takes and ends armings; every one of them is sealed."""

    def __init__(self, *, instance: Instance, switches: Switches) -> None:
        self._record = instance.record
        self._clock = instance.clock
        self._ids = instance.ids
        self._instance = instance.name
        self._switches = switches
        self._offers: deque[ArmingOffer] = deque(maxlen=OFFERS_MAX)
        self._held: dict[tuple[AccountId, VenueName], Arming] = {}

    @property
    def switches(self) -> Switches:
        return self._switches

    def current(self, account: AccountId, venue: VenueName) -> Arming | None:
        """Return the arming in force, if any."""
        held = self._held.get((account, venue))
        on = held is not None and self._switches.on and held.holds(self._clock.now())
        return held if on else None

    def until(self, account: AccountId, venue: VenueName) -> datetime | None:
        """Return until when new risk may be opened with real money; None = it may not."""
        held = self.current(account, venue)
        return None if held is None else held.until

    def offer(
        self, identity: AccountIdentity, account: AccountId, *, hours: Decimal, policy_hash: str
    ) -> ArmingOffer:
        """Return what a passkey must sign to arm this account; it waits five minutes."""
        self._require_armable(identity, account)
        if not hours.is_finite() or not HOURS_MIN <= hours <= HOURS_MAX:
            raise InvalidArgument(
                f"an arming lasts {plain(HOURS_MIN)} to {plain(HOURS_MAX)} hours",
                fix="arm for the time you are watching; arm again later",
            )
        offer = ArmingOffer(
            account=account,
            venue=identity.venue,
            hours=hours,
            policy_hash=policy_hash,
            instance=self._instance,
            nonce=self._ids.new_id(),
            expires_at=self._clock.now() + OFFER_LIFE,
        )
        self._offers.append(offer)
        return offer

    def take(
        self,
        identity: AccountIdentity,
        account: AccountId,
        *,
        policy_hash: str,
        proof: Proof,
        by: PrincipalId,
    ) -> Arming:
        """Return the arming a passkey has signed for; its offer is spent. Not in force yet.

        Raises InvalidApproval unless the proof is a user-verified passkey's over an open offer for
        exactly this account, under the limits that were shown.
        """
        self._require_armable(identity, account)
        now = self._clock.now()
        offer = next((one for one in self._offers if proof.is_over(one.digest)), None)
        if offer is None:
            raise InvalidApproval(
                "arming needs a passkey's signature, user verified, over exactly what is armed",
                fix="open the arming page of the console and sign there",
            )
        self._offers.remove(offer)
        if (offer.account, offer.venue) != (account, identity.venue):
            raise InvalidApproval("the signature is for another account")
        if now >= offer.expires_at or offer.policy_hash != policy_hash:
            raise InvalidApproval(
                "what was signed is over, or the limits have changed since",
                fix="open the arming page again and read it",
            )
        return Arming(
            account=account,
            venue=identity.venue,
            by=by,
            armed_at=now,
            until=now + timedelta(seconds=int(offer.hours * HOUR_S)),
        )

    def seal(self, tx: JournalTx, arming: Arming, identity: AccountIdentity) -> None:
        """Write the arming down; it is put in force when that is durable."""
        self._record.note(
            tx,
            "live.armed",
            actor=arming.by,
            corr=arming.account,
            body={"venue": arming.venue, "until": arming.until, "proof": identity.proof},
        )
        self._record.checkpoint(tx)

    def engage(self, arming: Arming) -> None:
        """Put a sealed arming in force."""
        self._held[arming.account, arming.venue] = arming

    def end(self, account: AccountId, venue: VenueName) -> Arming | None:
        """End an arming at once; return what was in force."""
        held = self.current(account, venue)
        self._held.pop((account, venue), None)
        return held

    def note_end(self, tx: JournalTx, arming: Arming, *, by: PrincipalId, reason: str) -> None:
        """Write down that an arming was ended before its time."""
        self._record.note(
            tx,
            "live.disarmed",
            actor=by,
            corr=arming.account,
            body={"venue": arming.venue, "until": arming.until, "reason": reason},
        )

    def _require_armable(self, identity: AccountIdentity, account: AccountId) -> None:
        if not self._switches.on:
            raise LiveNotArmed(
                f"live trading is switched off: {self._switches.because}",
                fix="a human sets both in the config directory's .env and starts the gateway",
            )
        if identity.account != account:
            raise InvalidApproval(f"the venue shows another account than {account[:64]}")
        if identity.mode is not Mode.LIVE:
            raise IllegalState(
                f"the venue proves a {identity.mode.value} account: there is nothing to arm",
                fix="paper and demo accounts need no arming",
            )
