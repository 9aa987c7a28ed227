"""Prove who asks: agents by token, operators by sign-in. Acts are sealed, secrets never."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import hmac
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ordergate.audit.seal import Seal
from ordergate.identity import operators, tokens
from ordergate.identity.authority import Act, require
from ordergate.model.errors import (
    IllegalState,
    InvalidArgument,
    NotFound,
    RateLimited,
    Unauthenticated,
)
from ordergate.model.principals import Grant, Kind, Principal
from ordergate.model.records import OperatorRecord, SessionRecord, TokenRecord
from ordergate.model.values import PrincipalId
from ordergate.ports.identity_store import IdentityStore, IdentityTx
from ordergate.ports.journal import JournalUnwritable
from ordergate.ports.system import Clock, Ids

LOCAL_AGENT: Final = "local-agent"
TOKEN_DAYS: Final = 90
TOKENS_LIVE_MAX: Final = 100
COOKIE_BYTES: Final = 32
TOUCH_EVERY: Final = timedelta(minutes=1)
GATEWAY: Final = Principal(PrincipalId("gateway"), Kind.GATEWAY, "gateway")


class SignIn:
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
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._store = store
        self._seal = seal
        self._clock = clock
        self._ids = ids
        self._chance = chance
        self._pepper = pepper
        self._hasher = hasher or PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        # One worker: a flood of sign-ins takes 19 MiB and one core, never more.
        self._argon2 = ThreadPoolExecutor(max_workers=1, thread_name_prefix="argon2")
        self._throttle = operators.Throttle()
        self._known: dict[str, TokenRecord] = {}
        self._revocations = 0

    # tokens

    async def bearer(self, token: str) -> Principal:
        """Return whose token this is; raise Unauthenticated. A revocation acts at once."""
        try:
            presented = tokens.parse(token)
        except tokens.MalformedToken as error:
            raise Unauthenticated(str(error)) from None
        record = self._known.get(presented.token_id) or await self._look_up(presented.token_id)
        stored = record.digest if record else "0" * 64
        if not tokens.matches(presented.secret, stored, pepper=self._pepper) or record is None:
            raise Unauthenticated("unknown token")
        now = self._clock.now()
        if record.revoked_at is not None:
            raise Unauthenticated("this token was revoked")
        if now >= record.expires_at or record.kind is not presented.kind:
            raise Unauthenticated("this token has expired")
        await self._touch_token(self._known.get(record.token_id, record), now)
        return Principal(record.principal, record.kind, record.name, tokens.grants_of(record))

    async def create_token(
        self,
        *,
        kind: Kind,
        name: str,
        days: int = TOKEN_DAYS,
        grants: frozenset[Grant] = frozenset(),
        by: Principal,
    ) -> tuple[TokenRecord, str]:
        """Make a token and return it with its text, which is never shown again.

        The name is the principal: a second token for a name carries on as the same principal.
        Only an agent's token holds grants.
        """
        require(by, Act.MAKE_TOKENS)
        if grants and kind is not Kind.AGENT:
            raise InvalidArgument("only an agent's token can be granted more than its kind may do")
        return await self._create_token(kind=kind, name=name, days=days, grants=grants, by=by)

    async def first_agent_token(self) -> str | None:
        """Make the local agent's token the first time only; afterwards return None."""
        if any(record.principal == LOCAL_AGENT for record in await self.tokens()):
            return None
        _, text = await self._create_token(
            kind=Kind.AGENT, name=LOCAL_AGENT, days=TOKEN_DAYS, grants=frozenset(), by=GATEWAY
        )
        return text

    async def tokens(self) -> tuple[TokenRecord, ...]:
        return tuple(await self._store.read(lambda tx: tx.tokens()))

    async def revoke_token(self, token_id: str, *, by: Principal) -> None:
        """Revoke a token from the next request on; raise NotFound when there is nothing to do."""
        require(by, Act.MAKE_TOKENS)

        def revoke(tx: IdentityTx) -> None:
            if not tx.revoke_token(token_id, at=self._clock.now()):
                raise NotFound("no live token with this id")
            self._seal.append(tx, "token.revoked", actor=by.id, corr=token_id, body={})

        try:
            await self._store.write(revoke)
        finally:
            self._revocations += 1
            self._known.pop(token_id, None)

    # operators

    async def operator_exists(self) -> bool:
        return bool(await self._store.read(lambda tx: tx.operators()))

    async def init_operator(self, name: str) -> str:
        """Make the first operator and return the bootstrap password, which is never shown again.

        Works only while no operator exists.
        """
        if fault := operators.name_fault(name):
            raise InvalidArgument(fault)
        if await self.operator_exists():
            raise IllegalState(_OPERATOR_EXISTS)
        password = operators.bootstrap_password(self._chance(operators.BOOTSTRAP_BYTES))
        record = OperatorRecord(
            principal=PrincipalId(f"operator:{name}"),
            name=name,
            password_hash=await self._off_loop(lambda: self._hasher.hash(password)),
            created_at=self._clock.now(),
        )

        def add(tx: IdentityTx) -> None:
            if tx.operators():
                raise IllegalState(_OPERATOR_EXISTS)
            tx.add_operator(record)
            self._seal.append(
                tx, "operator.created", actor=record.principal, corr=record.name, body={}
            )

        await self._store.write(add)
        return password

    async def sign_in(self, *, name: str, password: str, address: str) -> tuple[SessionRecord, str]:
        """Return a new session and its cookie; raise Unauthenticated or RateLimited."""
        known = await self._store.read(lambda tx: tx.operators())
        if not known:
            raise Unauthenticated(
                "no operator exists yet", fix="run `ordergate operator init` on this machine"
            )
        account = name[:64]
        self._begin_try(account, address)
        operator = next((each for each in known if each.name == name), None)
        if not await self._right(operator, password) or operator is None:
            await self._seal_refusal(operator, address)
            raise Unauthenticated("name or password is wrong")
        self._throttle = self._throttle.succeeded(account, address)
        return await self._open_session(operator, address)

    async def session(self, cookie: str, *, touch: bool = True) -> tuple[Principal, SessionRecord]:
        """Return who is signed in; `last_seen_at` is this very moment. Raise Unauthenticated.

        Without `touch` the look does not count as use: the session goes on idling.
        """
        found = await self._store.read(lambda tx: (tx.session(_hashed(cookie)), tx.operators()))
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
        digest = _hashed(cookie)

        def end(tx: IdentityTx) -> None:
            record = tx.session(digest)
            if record is not None and tx.revoke_session(digest, at=self._clock.now()):
                self._seal.append(
                    tx, "operator.signed_out", actor=record.principal, corr=digest[:16], body={}
                )

        await self._store.write(end)

    # private

    async def _look_up(self, token_id: str) -> TokenRecord | None:
        before = self._revocations
        record = await self._store.read(lambda tx: tx.token(token_id))
        # A revocation that came while we read must not be undone by what we read.
        if record is not None and record.revoked_at is None and before == self._revocations:
            self._known[token_id] = record
        return record

    async def _touch_token(self, record: TokenRecord, now: datetime) -> None:
        if record.last_used_at is not None and now - record.last_used_at < TOUCH_EVERY:
            return
        if record.token_id in self._known:
            self._known[record.token_id] = dataclasses.replace(record, last_used_at=now)
        # A full disk must not keep an exit out.
        with suppress(JournalUnwritable):
            await self._store.write(lambda tx: tx.touch_token(record.token_id, at=now))

    async def _create_token(
        self, *, kind: Kind, name: str, days: int, grants: frozenset[Grant], by: Principal
    ) -> tuple[TokenRecord, str]:
        if not tokens.carried_by(kind):
            raise InvalidArgument(f"a principal of kind {kind.value} never holds a token")
        if fault := tokens.name_fault(name):
            raise InvalidArgument(fault)
        if not 1 <= days <= tokens.DAYS_MAX:
            raise InvalidArgument(f"a token lives 1 to {tokens.DAYS_MAX} days")
        token = tokens.mint(
            kind,
            token_id=bytes.fromhex(self._ids.new_id())[: tokens.ID_BYTES],
            secret=self._chance(tokens.SECRET_BYTES),
        )
        now = self._clock.now()
        record = TokenRecord(
            token_id=token.token_id,
            principal=PrincipalId(name),
            kind=kind,
            name=name,
            digest=tokens.digest(token.secret, pepper=self._pepper),
            created_at=now,
            expires_at=now + timedelta(days=days),
            live=Grant.LIVE in grants,
            others=Grant.OTHERS in grants,
        )
        body: dict[str, object] = {
            "principal": name,
            "kind": kind,
            "expires_at": record.expires_at,
            "grants": sorted(grants),
        }

        def add(tx: IdentityTx) -> None:
            _refuse_clash(tx.tokens(), record, now=now)
            tx.add_token(record)
            self._seal.append(tx, "token.created", actor=by.id, corr=token.token_id, body=body)

        await self._store.write(add)
        return record, tokens.write(token)

    def _begin_try(self, account: str, address: str) -> None:
        now = self._clock.monotonic()
        wait_s = self._throttle.wait_s(account, address, now=now)
        if wait_s > 0:
            seconds = int(wait_s) + 1
            raise RateLimited(
                "too many tries to sign in",
                fix=f"wait {seconds} s",
                details={"retry_after_s": seconds},
            )
        self._throttle = self._throttle.begun(account, address, now=now)

    async def _right(self, operator: OperatorRecord | None, password: str) -> bool:
        asked = password[: operators.PASSWORD_CHARACTERS_MAX].encode("utf-8", "surrogatepass")
        if operator is None:
            # The same work as for a known name, so that time tells nothing.
            await self._off_loop(lambda: self._hasher.hash(asked))
            return False
        stored = operator.password_hash
        try:
            await self._off_loop(lambda: str(self._hasher.verify(stored, asked)))
        except (VerificationError, InvalidHashError):
            return False
        return len(password) <= operators.PASSWORD_CHARACTERS_MAX

    async def _off_loop(self, work: Callable[[], str]) -> str:
        return await asyncio.get_running_loop().run_in_executor(self._argon2, work)

    async def _seal_refusal(self, operator: OperatorRecord | None, address: str) -> None:
        # An unknown name is not written down: people type passwords into the wrong field.
        actor = operator.principal if operator else "unknown"
        await self._store.write(
            lambda tx: self._seal.append(
                tx,
                "operator.sign_in_refused",
                actor=actor,
                corr="",
                body={"address": address, "method": "password"},
            )
        )

    async def _open_session(
        self, operator: OperatorRecord, address: str
    ) -> tuple[SessionRecord, str]:
        cookie = tokens.base64url(self._chance(COOKIE_BYTES))
        now = self._clock.now()
        record = SessionRecord(
            digest=_hashed(cookie),
            principal=operator.principal,
            csrf=tokens.base64url(self._chance(COOKIE_BYTES)),
            created_at=now,
            last_seen_at=now,
        )

        def add(tx: IdentityTx) -> None:
            tx.add_session(record)
            self._seal.append(
                tx,
                "operator.signed_in",
                actor=operator.principal,
                corr=record.digest[:16],
                body={"address": address, "method": "password"},
            )

        await self._store.write(add)
        return record, cookie


_OPERATOR_EXISTS: Final = "an operator exists already"


def csrf_matches(session: SessionRecord, presented: str) -> bool:
    """Compare a presented CSRF token with the session's, in constant time."""
    return hmac.compare_digest(session.csrf.encode(), presented.encode())


def _hashed(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()


def _refuse_clash(known: Sequence[TokenRecord], new: TokenRecord, *, now: datetime) -> None:
    """Refuse an id or name in use by another kind, and too many live tokens."""
    if any(each.token_id == new.token_id for each in known):
        raise IllegalState("the token id is taken; try again")
    if any(each.principal == new.principal and each.kind is not new.kind for each in known):
        raise InvalidArgument("this name belongs to a principal of another kind")
    live = sum(each.revoked_at is None and now < each.expires_at for each in known)
    if live >= TOKENS_LIVE_MAX:
        raise IllegalState(f"there are {TOKENS_LIVE_MAX} live tokens; revoke one first")
