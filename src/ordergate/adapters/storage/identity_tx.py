"""Tokens, operators and sign-ins inside a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, null, update

from ordergate.adapters.storage.statements import Shelf, given, text_of
from ordergate.adapters.storage.tables import OPERATORS, SESSIONS, TOKENS
from ordergate.adapters.storage.transaction import Transaction
from ordergate.model.canonical import iso
from ordergate.model.records import OperatorRecord, SessionRecord, TokenRecord

_T = TOKENS.c
_TOKENS: Final = Shelf(TOKENS, TokenRecord)
_TOKEN: Final = _TOKENS.select(given(_T.token_id))
_ALL_TOKENS: Final = _TOKENS.select(order_by=(_T.created_at, _T.token_id))
_REVOKE_TOKEN: Final = text_of(
    update(TOKENS)
    .where(given(_T.token_id), _T.revoked_at.is_(null()))
    .values(revoked_at=bindparam("at"))
)
_TOUCH_TOKEN: Final = text_of(
    update(TOKENS).where(given(_T.token_id)).values(last_used_at=bindparam("at"))
)

_OPERATORS: Final = Shelf(OPERATORS, OperatorRecord)
_ALL_OPERATORS: Final = _OPERATORS.select(order_by=(OPERATORS.c.created_at, OPERATORS.c.principal))

_S = SESSIONS.c
_SESSIONS: Final = Shelf(SESSIONS, SessionRecord)
_SESSION: Final = _SESSIONS.select(given(_S.digest))
_TOUCH_SESSION: Final = text_of(
    update(SESSIONS).where(given(_S.digest)).values(last_seen_at=bindparam("at"))
)
_REVOKE_SESSION: Final = text_of(
    update(SESSIONS)
    .where(given(_S.digest), _S.revoked_at.is_(null()))
    .values(revoked_at=bindparam("at"))
)
_REVOKE_SESSIONS: Final = text_of(
    update(SESSIONS).where(_S.revoked_at.is_(null())).values(revoked_at=bindparam("at"))
)


class IdentityRowsTx(Transaction):
    def token(self, token_id: str) -> TokenRecord | None:
        return self._record(_TOKENS, _TOKEN, token_id=token_id)

    def tokens(self) -> Sequence[TokenRecord]:
        return self._records(_TOKENS, _ALL_TOKENS)

    def add_token(self, token: TokenRecord) -> None:
        self._add(_TOKENS, token)

    def revoke_token(self, token_id: str, *, at: datetime) -> bool:
        return bool(self._changed(_REVOKE_TOKEN, token_id=token_id, at=iso(at)))

    def touch_token(self, token_id: str, *, at: datetime) -> None:
        self._changed(_TOUCH_TOKEN, token_id=token_id, at=iso(at))

    def operators(self) -> Sequence[OperatorRecord]:
        return self._records(_OPERATORS, _ALL_OPERATORS)

    def add_operator(self, operator: OperatorRecord) -> None:
        self._add(_OPERATORS, operator)

    def session(self, digest: str) -> SessionRecord | None:
        return self._record(_SESSIONS, _SESSION, digest=digest)

    def add_session(self, session: SessionRecord) -> None:
        self._add(_SESSIONS, session)

    def touch_session(self, digest: str, *, at: datetime) -> None:
        self._changed(_TOUCH_SESSION, digest=digest, at=iso(at))

    def revoke_session(self, digest: str, *, at: datetime) -> bool:
        return bool(self._changed(_REVOKE_SESSION, digest=digest, at=iso(at)))

    def revoke_all_sessions(self, *, at: datetime) -> int:
        """End every sign-in; return how many were open."""
        return self._changed(_REVOKE_SESSIONS, at=iso(at))
