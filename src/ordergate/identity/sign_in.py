"""Prove who asks: agents by token, operators by sign-in. Acts are sealed, secrets never."""

from __future__ import annotations

import dataclasses
import hmac
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from argon2 import PasswordHasher

from ordergate.audit.seal import Seal
from ordergate.identity import operators, tokens
from ordergate.identity.bearers.recognise import TOUCH_EVERY, Bearers
from ordergate.identity.factors import passkeys, totp
from ordergate.identity.factors.challenges import Purpose
from ordergate.identity.factors.prove import (
    COOKIE_BYTES,
    SIGN_IN,
    FactorNeeded,
    Factors,
    Ground,
    Signed,
    hashed,
)
from ordergate.model.errors import IllegalState, InvalidArgument, NotFound, Unauthenticated
from ordergate.model.principals import Kind, Principal
from ordergate.model.proofs import Method
from ordergate.model.records import OperatorRecord, PasskeyRecord, SessionRecord, TotpRecord
from ordergate.model.values import PrincipalId
from ordergate.ports.identity_store import IdentityStore, IdentityTx, Seeds
from ordergate.ports.journal import JournalUnwritable
from ordergate.ports.system import Clock, Ids

ENROL: Final = Purpose(act="enrol_passkey")
SEEDS_PENDING_MAX: Final = 8
PENDING_S: Final = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What a new operator is shown, once."""

    name: str
    password: str
    otpauth: str
    recovery_codes: tuple[str, ...]


class SignIn(Bearers):
    """The one place where a credential becomes a principal."""

    def __init__(
        self,
        *,
        store: IdentityStore,
        seal: Seal,
        clock: Clock,
        ids: Ids,
        chance: Callable[[int], bytes],
        pepper: bytes,
        seeds: Seeds,
        site: passkeys.Site,
        hasher: PasswordHasher | None = None,
    ) -> None:
        super().__init__(store=store, seal=seal, clock=clock, ids=ids, chance=chance, pepper=pepper)
        ground = Ground(
            store=store, seal=seal, clock=clock, chance=chance, pepper=pepper, seeds=seeds
        )
        self._seeds = seeds
        self.factors = Factors(ground, site=site, hasher=hasher)
        self._pending: dict[str, tuple[str, float]] = {}  # session -> new seed, since when

    # operators

    async def operator_exists(self) -> bool:
        return bool(await self._store.read(lambda tx: tx.operators()))

    async def init_operator(self, name: str) -> Enrolment:
        """Make the first operator; what it returns is never shown again.

        Works only while no operator exists.
        """
        if fault := operators.name_fault(name):
            raise InvalidArgument(fault)
        if await self.operator_exists():
            raise IllegalState(_OPERATOR_EXISTS)
        password = operators.bootstrap_password(self._chance(operators.BOOTSTRAP_BYTES))
        seed = self.factors.new_seed()
        record = OperatorRecord(
            principal=PrincipalId(f"operator:{name}"),
            name=name,
            password_hash=await self.factors.password_hash(password),
            created_at=self._clock.now(),
        )

        def add(tx: IdentityTx) -> tuple[str, ...]:
            if tx.operators():
                raise IllegalState(_OPERATOR_EXISTS)
            tx.add_operator(record)
            self._seal.append(
                tx, "operator.created", actor=record.principal, corr=record.name, body={}
            )
            return self.factors.enrol(tx, record.principal, seed)

        codes = await self._store.write(add)
        return Enrolment(
            name=name, password=password, otpauth=totp.uri(seed, name=name), recovery_codes=codes
        )

    async def sign_in(
        self, *, name: str, password: str, code: str, address: str
    ) -> tuple[SessionRecord, str]:
        """Return a new session and its cookie; raise Unauthenticated or RateLimited."""
        known = await self._known_operators()
        account = name[:64]
        self.factors.begin_try(account, address)
        operator = next((each for each in known if each.name == name), None)
        if not await self.factors.right_password(operator, password) or operator is None:
            await self._seal_refusal(operator, address, "password")
            raise Unauthenticated(_WRONG)

        def prove(tx: IdentityTx) -> Method:
            return self.factors.use_code(tx, operator.principal, code)

        try:
            opened = await self._open_session(operator, address, prove)
        except FactorNeeded as fault:
            await self._seal_refusal(operator, address, "code")
            if fault.details["factor"] == "wrong":
                raise Unauthenticated(_WRONG) from None
            raise
        self.factors.succeeded(account, address)
        return opened

    async def sign_in_with_passkey(self, answer: str, *, address: str) -> tuple[SessionRecord, str]:
        """Return a new session and its cookie for who holds a passkey; raise Unauthenticated."""
        known = await self._known_operators()
        self.factors.begin_try("passkey", address)
        operator: OperatorRecord | None = None
        try:
            signed = await self.factors.signed(answer, asker="")
            holder = signed.passkey.principal
            operator = next((each for each in known if each.principal == holder), None)
            if operator is None or signed.purpose != SIGN_IN:
                raise Unauthenticated("this passkey belongs to nobody here")
            opened = await self._open_session(operator, address, self._by(signed))
        except Unauthenticated:
            await self._seal_refusal(operator, address, "passkey")
            raise
        self.factors.succeeded("passkey", address)
        return opened

    async def session(self, cookie: str, *, touch: bool = True) -> tuple[Principal, SessionRecord]:
        """Return who is signed in; `last_seen_at` is this very moment. Raise Unauthenticated.

        Without `touch` the look does not count as use: the session goes on idling.
        """
        found = await self._store.read(lambda tx: (tx.session(hashed(cookie)), tx.operators()))
        record, known = found
        now = self._clock.now()
        if record is None or record.revoked_at is not None:
            raise Unauthenticated("not signed in")
        if not operators.session_alive(
            created_at=record.created_at, last_seen_at=record.last_seen_at, now=now
        ):
            raise Unauthenticated("the session has ended; sign in again")
        operator = next((each for each in known if each.principal == record.principal), None)
        if operator is None:
            raise Unauthenticated("not signed in")
        if touch and now - record.last_seen_at >= TOUCH_EVERY:
            # A full disk must not keep the operator out.
            with suppress(JournalUnwritable):
                await self._store.write(lambda tx: tx.touch_session(record.digest, at=now))
        seen = dataclasses.replace(record, last_seen_at=now)
        return Principal(operator.principal, Kind.OPERATOR, operator.name), seen

    async def sign_out(self, cookie: str) -> None:
        """End a session; nothing happens when there is none."""
        digest = hashed(cookie)

        def end(tx: IdentityTx) -> None:
            record = tx.session(digest)
            if record is not None and tx.revoke_session(digest, at=self._clock.now()):
                self._seal.append(
                    tx,
                    "operator.signed_out",
                    actor=record.principal,
                    corr=record.session_id[:16],
                    body={},
                )

        await self._store.write(end)

    async def sessions(self, operator: Principal) -> tuple[SessionRecord, ...]:
        """Return the operator's sign-ins that still stand, oldest first."""
        now = self._clock.now()
        since = now - operators.SESSION_ABSOLUTE
        opened = await self._store.read(lambda tx: tx.sessions(operator.id, since=since))
        return tuple(
            one
            for one in opened
            if operators.session_alive(
                created_at=one.created_at, last_seen_at=one.last_seen_at, now=now
            )
        )

    async def end_session(self, session_id: str, *, by: Principal) -> None:
        """End one of the operator's own sign-ins from the next request on; raise NotFound."""
        since = self._clock.now() - operators.SESSION_ABSOLUTE

        def end(tx: IdentityTx) -> None:
            for one in tx.sessions(by.id, since=since):
                if one.session_id == session_id and tx.revoke_session(
                    one.digest, at=self._clock.now()
                ):
                    self._note(tx, "operator.session_revoked", by, corr=session_id[:16])
                    return
            raise NotFound("no sign-in of yours has this id")

        await self._store.write(end)

    # factors: each of these is reached after a fresh one was shown

    async def add_passkey(self, session: SessionRecord, answer: str, *, name: str) -> PasskeyRecord:
        """Keep the passkey that a device made when it was asked to."""
        if fault := passkeys.name_fault(name):
            raise InvalidArgument(fault)
        made = self.factors.enrolled(session, answer, purpose=ENROL)
        record = PasskeyRecord(
            credential_id=made.credential_id,
            principal=session.principal,
            name=name.strip(),
            public_key=made.public_key,
            sign_count=made.sign_count,
            created_at=self._clock.now(),
        )

        def add(tx: IdentityTx) -> None:
            every = tx.passkeys()
            if any(one.credential_id == record.credential_id for one in every):
                raise IllegalState("this passkey is enrolled already")
            if sum(one.principal == record.principal for one in every) >= passkeys.HELD_MAX:
                raise IllegalState(
                    f"there are {passkeys.HELD_MAX} passkeys", fix="remove one first"
                )
            tx.add_passkey(record)
            body = {"passkey": record.credential_id, "name": record.name}
            self._seal.append(
                tx, "operator.passkey_added", actor=record.principal, corr=record.name, body=body
            )

        await self._store.write(add)
        return record

    async def remove_passkey(self, passkey_id: str, *, by: Principal) -> None:
        """Forget one of the operator's own passkeys; raise NotFound."""

        def remove(tx: IdentityTx) -> None:
            for one in tx.passkeys():
                if one.principal == by.id and passkeys.short_id(one.credential_id) == passkey_id:
                    tx.remove_passkey(one.credential_id)
                    self._note(tx, "operator.passkey_removed", by, corr=one.name)
                    return
            raise NotFound("no passkey of yours has this id")

        await self._store.write(remove)

    async def new_password(self, session: SessionRecord, *, by: Principal) -> str:
        """Make a password in the old one's place, end every other sign-in, return it, this once."""
        password = operators.bootstrap_password(self._chance(operators.BOOTSTRAP_BYTES))
        password_hash = await self.factors.password_hash(password)
        now = self._clock.now()

        def keep(tx: IdentityTx) -> None:
            tx.put_password(by.id, password_hash)
            for one in tx.sessions(by.id, since=now - operators.SESSION_ABSOLUTE):
                if one.session_id != session.session_id:
                    tx.revoke_session(one.digest, at=now)
            self._note(tx, "operator.password_replaced", by)

        await self._store.write(keep)
        return password

    async def new_recovery_codes(self, *, by: Principal) -> tuple[str, ...]:
        """Make ten codes in the place of all there were, and return them, this once."""

        def make(tx: IdentityTx) -> tuple[str, ...]:
            codes = self.factors.make_recovery_codes(tx, by.id)
            self._note(tx, "operator.recovery_codes_made", by)
            return codes

        return await self._store.write(make)

    async def recovery_codes_left(self, by: Principal) -> int:
        held = await self._store.read(lambda tx: tx.recovery_codes(by.id))
        return sum(one.used_at is None for one in held)

    def begin_totp(self, session: SessionRecord, *, by: Principal) -> str:
        """Return the otpauth address of a new authenticator; it counts when it is confirmed."""
        seed, now = self.factors.new_seed(), self._clock.monotonic()
        fresh = {key: one for key, one in self._pending.items() if now - one[1] < PENDING_S}
        while len(fresh) >= SEEDS_PENDING_MAX:
            del fresh[next(iter(fresh))]
        self._pending = {**fresh, session.session_id: (seed, now)}
        return totp.uri(seed, name=by.name)

    async def confirm_totp(self, session: SessionRecord, code: str, *, by: Principal) -> None:
        """Put the new authenticator in the old one's place, once it showed a code that is right."""
        seed, since = self._pending.get(session.session_id, ("", 0.0))
        if not seed or self._clock.monotonic() - since >= PENDING_S:
            raise IllegalState("no new authenticator waits to be confirmed", fix="begin again")
        step = totp.step_shown(seed, code, now=self._clock.now()) if totp.is_code(code) else None
        if step is None:
            raise InvalidArgument("the new authenticator's code is wrong; the old one still counts")

        def keep(tx: IdentityTx) -> None:
            now = self._clock.now()
            tx.put_totp(TotpRecord(principal=by.id, last_step=step, enrolled_at=now))
            self._note(tx, "operator.totp_replaced", by)
            self._seeds.put(by.id, seed)

        await self._store.write(keep)
        self._pending.pop(session.session_id, None)

    # private

    async def _known_operators(self) -> tuple[OperatorRecord, ...]:
        known = tuple(await self._store.read(lambda tx: tx.operators()))
        if not known:
            raise Unauthenticated(
                "no operator exists yet", fix="run `ordergate operator init` on this machine"
            )
        return known

    def _by(self, signed: Signed) -> Callable[[IdentityTx], Method]:
        return lambda tx: self.factors.use_passkey(tx, signed)

    async def _seal_refusal(
        self, operator: OperatorRecord | None, address: str, method: str
    ) -> None:
        # An unknown name is not written down: people type passwords into the wrong field.
        actor = operator.principal if operator else "unknown"
        await self._store.write(
            lambda tx: self._seal.append(
                tx,
                "operator.sign_in_refused",
                actor=actor,
                corr="",
                body={"address": address, "method": method},
            )
        )

    async def _open_session(
        self, operator: OperatorRecord, address: str, prove: Callable[[IdentityTx], Method]
    ) -> tuple[SessionRecord, str]:
        """Use up the factor and open the session in one transaction."""
        cookie = tokens.base64url(self._chance(COOKIE_BYTES))
        csrf = tokens.base64url(self._chance(COOKIE_BYTES))
        session_id = self._ids.new_id()
        now = self._clock.now()

        def add(tx: IdentityTx) -> SessionRecord:
            record = SessionRecord(
                session_id=session_id,
                digest=hashed(cookie),
                principal=operator.principal,
                csrf=csrf,
                created_at=now,
                last_seen_at=now,
                method=prove(tx),
                factor_at=now,
                address=address,
            )
            tx.add_session(record)
            self._seal.append(
                tx,
                "operator.signed_in",
                actor=operator.principal,
                corr=session_id[:16],
                body={"address": address, "method": record.method},
            )
            return record

        return await self._store.write(add), cookie

    def _note(self, tx: IdentityTx, kind: str, by: Principal, *, corr: str = "") -> None:
        self._seal.append(tx, kind, actor=by.id, corr=corr or by.name, body={})


_OPERATOR_EXISTS: Final = "an operator exists already"
_WRONG: Final = "name, password or code is wrong"


def csrf_matches(session: SessionRecord, presented: str) -> bool:
    """Compare a presented CSRF token with the session's, in constant time."""
    return hmac.compare_digest(session.csrf.encode(), presented.encode())
