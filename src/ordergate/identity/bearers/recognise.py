"""Prove which agent asks: bearer tokens made, recognised and revoked. Secrets are never sealed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from ordergate.audit.seal import Seal
from ordergate.identity import tokens
from ordergate.identity.authority import Act, require
from ordergate.model.errors import IllegalState, InvalidArgument, NotFound, Unauthenticated
from ordergate.model.principals import Grant, Kind, Principal
from ordergate.model.records import TokenRecord
from ordergate.model.values import PrincipalId
from ordergate.ports.identity_store import IdentityStore, IdentityTx
from ordergate.ports.journal import JournalUnwritable
from ordergate.ports.system import Clock, Ids

LOCAL_AGENT: Final = "local-agent"
TOKEN_DAYS: Final = 90
TOKENS_LIVE_MAX: Final = 100
TOUCH_EVERY: Final = timedelta(minutes=1)
GATEWAY: Final = Principal(PrincipalId("gateway"), Kind.GATEWAY, "gateway")


class Bearers:
    """Everyone who asks with a token."""

    def __init__(
        self,
        *,
        store: IdentityStore,
        seal: Seal,
        clock: Clock,
        ids: Ids,
        chance: Callable[[int], bytes],
        pepper: bytes,
    ) -> None:
        self._store = store
        self._seal = seal
        self._clock = clock
        self._ids = ids
        self._chance = chance
        self._pepper = pepper
        self._known: dict[str, TokenRecord] = {}
        self._revocations = 0

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


def _refuse_clash(known: Sequence[TokenRecord], new: TokenRecord, *, now: datetime) -> None:
    """Refuse an id or name in use by another kind, and too many live tokens."""
    if any(each.token_id == new.token_id for each in known):
        raise IllegalState("the token id is taken; try again")
    if any(each.principal == new.principal and each.kind is not new.kind for each in known):
        raise InvalidArgument("this name belongs to a principal of another kind")
    live = sum(each.revoked_at is None and now < each.expires_at for each in known)
    if live >= TOKENS_LIVE_MAX:
        raise IllegalState(f"there are {TOKENS_LIVE_MAX} live tokens; revoke one first")
