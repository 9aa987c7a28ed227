"""Prove that it is the operator: password, code, recovery code, passkey; each showing counts once.

A factor is used up, the cookie is rotated and the act is sealed in one transaction.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ordergate.audit.seal import Seal
from ordergate.identity import operators, tokens
from ordergate.identity.factors import passkeys, recovery, totp
from ordergate.identity.factors.challenges import (
    NONCE_BYTES,
    Asked,
    Challenges,
    Purpose,
    challenge_of,
)
from ordergate.model.errors import IllegalState, RateLimited, Unauthenticated
from ordergate.model.proofs import Method, Proof
from ordergate.model.records import (
    OperatorRecord,
    PasskeyRecord,
    RecoveryRecord,
    SessionRecord,
    TotpRecord,
)
from ordergate.model.values import PrincipalId
from ordergate.ports.identity_store import IdentityStore, IdentityTx, Seeds
from ordergate.ports.system import Clock

COOKIE_BYTES: Final = 32
SIGN_IN: Final = Purpose(act="sign_in")


class FactorNeeded(Unauthenticated):
    """The act needs a factor shown for it, now; `details.factor` says missing, wrong or used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What came with an act: a code that was typed, or a passkey's answer as JSON."""

    code: str = ""
    assertion: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What every proof stands on."""

    store: IdentityStore
    seal: Seal
    clock: Clock
    chance: Callable[[int], bytes]
    pepper: bytes
    seeds: Seeds


@dataclass(frozen=True, slots=True)
class Signed:
    """A passkey's answer that holds, not yet used up."""

    passkey: PasskeyRecord
    count: int
    purpose: Purpose


class Factors:
    """Every way in which an operator shows that it is them."""

    def __init__(
        self, ground: Ground, *, site: passkeys.Site, hasher: PasswordHasher | None = None
    ) -> None:
        self._ground = ground
        self._site = site
        self._hasher = hasher or PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        # One worker: a flood of sign-ins takes 19 MiB and one core, never more.
        self._argon2 = ThreadPoolExecutor(max_workers=1, thread_name_prefix="argon2")
        self._throttle = operators.Throttle()
        # Apart: a flood of strangers at the door must not push out what the operator is asked.
        self._at_the_door = Challenges()
        self._for_acts = Challenges()

    # password

    async def password_hash(self, password: str) -> str:
        return await self._off_loop(lambda: self._hasher.hash(password))

    async def right_password(self, operator: OperatorRecord | None, password: str) -> bool:
        """Compare; an unknown name costs the same work as a known one."""
        asked = password[: operators.PASSWORD_CHARACTERS_MAX].encode("utf-8", "surrogatepass")
        if operator is None:
            await self._off_loop(lambda: self._hasher.hash(asked))
            return False
        stored = operator.password_hash
        try:
            await self._off_loop(lambda: str(self._hasher.verify(stored, asked)))
        except (VerificationError, InvalidHashError):
            return False
        return len(password) <= operators.PASSWORD_CHARACTERS_MAX

    # tries

    def begin_try(self, account: str, address: str) -> None:
        """Count a try; raise RateLimited when there were too many."""
        now = self._ground.clock.monotonic()
        wait_s = self._throttle.wait_s(account, address, now=now)
        if wait_s > 0:
            seconds = int(wait_s) + 1
            raise RateLimited(
                "too many tries to sign in",
                fix=f"wait {seconds} s",
                details={"retry_after_s": seconds},
            )
        self._throttle = self._throttle.begun(account, address, now=now)

    def succeeded(self, account: str, address: str) -> None:
        self._throttle = self._throttle.succeeded(account, address)

    # codes

    def use_code(self, tx: IdentityTx, principal: PrincipalId, code: str) -> Method:
        """Use up an authenticator's code or a recovery code; raise FactorNeeded."""
        ground = self._ground
        if recovery.is_code(code):
            digest = recovery.digest(code, pepper=ground.pepper)
            if not tx.use_recovery_code(digest, principal, at=ground.clock.now()):
                raise _factor("wrong", "the recovery code is wrong, or was used before")
            return Method.RECOVERY
        seed = ground.seeds.read(principal)
        step = None
        if seed is not None and totp.is_code(code):
            step = totp.step_shown(seed, code, now=ground.clock.now())
        if step is None:
            raise _factor("wrong", "the code is wrong, or its time is over")
        if not tx.use_totp_step(principal, step):
            raise _factor("used", "this code, or a newer one, was used already")
        return Method.TOTP

    def enrol(self, tx: IdentityTx, principal: PrincipalId, seed: str) -> tuple[str, ...]:
        """Keep a first authenticator's seed and ten recovery codes; return the codes."""
        self._ground.seeds.put(principal, seed)
        now = self._ground.clock.now()
        tx.put_totp(TotpRecord(principal=principal, last_step=totp.NEVER, enrolled_at=now))
        return self.make_recovery_codes(tx, principal)

    def make_recovery_codes(self, tx: IdentityTx, principal: PrincipalId) -> tuple[str, ...]:
        """Make ten codes in the place of all there were; return them, this once."""
        ground = self._ground
        codes = recovery.new_codes(ground.chance(recovery.RANDOM_BYTES))
        now = ground.clock.now()
        kept = [
            RecoveryRecord(
                digest=recovery.digest(code, pepper=ground.pepper),
                principal=principal,
                created_at=now,
            )
            for code in codes
        ]
        tx.put_recovery_codes(principal, kept)
        return codes

    def new_seed(self) -> str:
        return totp.new_seed(self._ground.chance(totp.SEED_BYTES))

    # passkeys

    def ask_at_the_door(self) -> Mapping[str, Any]:
        """Return what a passkey is asked to sign before anyone is signed in."""
        challenge, asked = self._asked(SIGN_IN, asker="")
        self._at_the_door = self._at_the_door.issued(challenge, asked)
        return passkeys.assertion_options(self._site, known=(), challenge=challenge)

    async def ask(self, session: SessionRecord, purpose: Purpose) -> Mapping[str, Any]:
        """Return what the operator's passkey is asked to sign for one act."""
        held = await self.passkeys_of(session.principal)
        if not held:
            raise IllegalState(
                "no passkey is enrolled", fix="enrol one on the page /security, or type a code"
            )
        challenge = self._issue(session, purpose)
        known = [one.credential_id for one in held]
        return passkeys.assertion_options(self._site, known=known, challenge=challenge)

    async def ask_to_enrol(
        self, session: SessionRecord, *, name: str, purpose: Purpose
    ) -> Mapping[str, Any]:
        """Return what a device is asked in order to become a passkey of this operator."""
        held = await self.passkeys_of(session.principal)
        challenge = self._issue(session, purpose)
        return passkeys.registration_options(
            self._site,
            principal=session.principal,
            name=name,
            known=[one.credential_id for one in held],
            challenge=challenge,
        )

    def enrolled(
        self, session: SessionRecord, answer: str, *, purpose: Purpose
    ) -> passkeys.NewPasskey:
        """Return the passkey a device made for us; raise FactorNeeded unless it was asked to."""
        try:
            challenge = passkeys.credential_of(answer)[1]
            asked = self._take(challenge, asker=session.session_id)
            if asked is None or asked.purpose != purpose:
                raise passkeys.NotProven("this was not asked")
            return passkeys.registered(self._site, answer, challenge=challenge)
        except passkeys.NotProven as error:
            raise _factor("wrong", f"the passkey was not enrolled: {error}") from None

    async def passkeys_of(self, principal: PrincipalId) -> tuple[PasskeyRecord, ...]:
        every = await self._ground.store.read(lambda tx: tx.passkeys())
        return tuple(one for one in every if one.principal == principal)

    async def signed(self, answer: str, *, asker: str) -> Signed:
        """Return what a passkey signed; a challenge is answered once. Raise FactorNeeded."""
        try:
            credential_id, challenge = passkeys.credential_of(answer)
            asked = self._take(challenge, asker=asker)
            every = await self._ground.store.read(lambda tx: tx.passkeys())
            held = next((one for one in every if one.credential_id == credential_id), None)
            if asked is None or held is None:
                raise passkeys.NotProven("nobody here asked for this")
            count = passkeys.asserted(
                self._site,
                answer,
                challenge=challenge,
                public_key=held.public_key,
                sign_count=held.sign_count,
            )
        except passkeys.NotProven:
            raise _factor(
                "wrong", "the passkey's answer is not one to what was asked here, just now"
            ) from None
        return Signed(held, count, asked.purpose)

    def use_passkey(self, tx: IdentityTx, signed: Signed) -> Method:
        """Note that a passkey was used; raise FactorNeeded when its count moved meanwhile."""
        held, now = signed.passkey, self._ground.clock.now()
        if not tx.use_passkey(held.credential_id, was=held.sign_count, now=signed.count, at=now):
            raise _factor("used", "this passkey was used or removed meanwhile")
        return Method.PASSKEY

    # acts

    async def fresh(
        self, session: SessionRecord, shown: Shown, purpose: Purpose, *, address: str
    ) -> tuple[Proof, SessionRecord, str]:
        """Use up the factor shown for this act; return the proof, the session and its new cookie.

        Raises FactorNeeded, or RateLimited after too many.
        """
        if not shown.code and not shown.assertion:
            raise _factor("missing", f"to {purpose.act.replace('_', ' ')} needs a factor, now")
        account = f"factor of {session.principal}"
        self.begin_try(account, address)
        ground = self._ground
        try:
            signed = await self._signed_for(session, shown.assertion, purpose)
            cookie = tokens.base64url(ground.chance(COOKIE_BYTES))
            now = ground.clock.now()

            def work(tx: IdentityTx) -> tuple[Proof, SessionRecord]:
                if signed is not None:
                    proof = Proof(
                        method=self.use_passkey(tx, signed), at=now, over=signed.purpose.over
                    )
                else:
                    method = self.use_code(tx, session.principal, shown.code)
                    proof = Proof(method=method, at=now)
                rotated = dataclasses.replace(
                    session,
                    digest=hashed(cookie),
                    method=proof.method,
                    factor_at=now,
                    last_seen_at=now,
                )
                if not tx.rotate_session(session.digest, rotated):
                    raise Unauthenticated("not signed in")
                self._note(tx, "operator.factor_shown", session, purpose, method=proof.method)
                return proof, rotated

            proof, rotated = await ground.store.write(work)
        except FactorNeeded as fault:
            why = str(fault.details["factor"])
            await ground.store.write(
                lambda tx: self._note(tx, "operator.factor_refused", session, purpose, why=why)
            )
            raise
        self.succeeded(account, address)
        return proof, rotated, cookie

    # private

    async def _signed_for(
        self, session: SessionRecord, assertion: str, purpose: Purpose
    ) -> Signed | None:
        if not assertion:
            return None
        signed = await self.signed(assertion, asker=session.session_id)
        said = signed.purpose
        same = (said.act, said.target) == (purpose.act, purpose.target)
        if not same or signed.passkey.principal != session.principal:
            raise _factor("wrong", "the passkey signed something else")
        return signed

    def _note(
        self,
        tx: IdentityTx,
        kind: str,
        session: SessionRecord,
        purpose: Purpose,
        **more: str,
    ) -> None:
        self._ground.seal.append(
            tx,
            kind,
            actor=session.principal,
            corr=session.session_id[:16],
            body={"act": purpose.act, "target": purpose.target, **more},
        )

    def _issue(self, session: SessionRecord, purpose: Purpose) -> bytes:
        challenge, asked = self._asked(purpose, asker=session.session_id)
        self._for_acts = self._for_acts.issued(challenge, asked)
        return challenge

    def _asked(self, purpose: Purpose, *, asker: str) -> tuple[bytes, Asked]:
        ground = self._ground
        challenge = challenge_of(purpose, nonce=ground.chance(NONCE_BYTES))
        return challenge, Asked(purpose=purpose, asker=asker, at=ground.clock.monotonic())

    def _take(self, challenge: bytes, *, asker: str) -> Asked | None:
        now = self._ground.clock.monotonic()
        pool = self._for_acts if asker else self._at_the_door
        asked = pool.asked(challenge, asker=asker, now=now)
        if asked is not None and asker:
            self._for_acts = pool.taken(challenge)
        elif asked is not None:
            self._at_the_door = pool.taken(challenge)
        return asked

    async def _off_loop(self, work: Callable[[], str]) -> str:
        return await asyncio.get_running_loop().run_in_executor(self._argon2, work)


def hashed(cookie: str) -> str:
    """Return the digest a session's row is found by."""
    return hashlib.sha256(cookie.encode()).hexdigest()


def _factor(why: str, message: str) -> FactorNeeded:
    fixes = {
        "missing": "type the code your authenticator shows, a recovery code, or use a passkey",
        "wrong": "type the code your authenticator shows now, or use a passkey",
        "used": "wait for the next code: it changes every 30 seconds",
    }
    return FactorNeeded(message, fix=fixes[why], details={"factor": why})
