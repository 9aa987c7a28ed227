"""Tokens, operators and sign-ins inside a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, delete, null, update

from ordergate.adapters.storage.statements import Shelf, given, text_of, upsert
from ordergate.adapters.storage.tables import (
    OPERATORS,
    PASSKEYS,
    RECOVERY_CODES,
    SESSIONS,
    TOKENS,
    TOTPS,
)
from ordergate.adapters.storage.transaction import Transaction
from ordergate.model.canonical import iso
from ordergate.model.records import (
    OperatorRecord,
    PasskeyRecord,
    RecoveryRecord,
    SessionRecord,
    TokenRecord,
    TotpRecord,
)

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
_PUT_PASSWORD: Final = text_of(
    update(OPERATORS)
    .where(given(OPERATORS.c.principal))
    .values(password_hash=bindparam("password_hash"))
)

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
_OPEN_SESSIONS: Final = _SESSIONS.select(
    given(_S.principal),
    _S.created_at > bindparam("since"),
    _S.revoked_at.is_(null()),
    order_by=(_S.created_at,),
)
_ROTATE_SESSION: Final = text_of(
    update(SESSIONS)
    .where(given(_S.digest), _S.revoked_at.is_(null()))
    .values(
        digest=bindparam("fresh"),
        method=bindparam("method"),
        factor_at=bindparam("at"),
        last_seen_at=bindparam("at"),
    )
)

_TOTPS: Final = Shelf(TOTPS, TotpRecord)
_TOTP: Final = _TOTPS.select(given(TOTPS.c.principal))
_PUT_TOTP: Final = upsert(TOTPS)
_USE_STEP: Final = text_of(
    update(TOTPS)
    .where(given(TOTPS.c.principal), TOTPS.c.last_step < bindparam("step"))
    .values(last_step=bindparam("step"))
)

_R = RECOVERY_CODES.c
_CODES: Final = Shelf(RECOVERY_CODES, RecoveryRecord)
_ALL_CODES: Final = _CODES.select(given(_R.principal), order_by=(_R.created_at, _R.digest))
_DROP_CODES: Final = text_of(delete(RECOVERY_CODES).where(given(_R.principal)))
_USE_CODE: Final = text_of(
    update(RECOVERY_CODES)
    .where(given(_R.digest), given(_R.principal), _R.used_at.is_(null()))
    .values(used_at=bindparam("at"))
)

_P = PASSKEYS.c
_PASSKEYS: Final = Shelf(PASSKEYS, PasskeyRecord)
_ALL_PASSKEYS: Final = _PASSKEYS.select(order_by=(_P.created_at, _P.credential_id))
_USE_PASSKEY: Final = text_of(
    update(PASSKEYS)
    .where(given(_P.credential_id), _P.sign_count == bindparam("was"))
    .values(sign_count=bindparam("now"), last_used_at=bindparam("at"))
)
_DROP_PASSKEY: Final = text_of(delete(PASSKEYS).where(given(_P.credential_id)))


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

    def put_password(self, principal: str, password_hash: str) -> None:
        self._changed(_PUT_PASSWORD, principal=principal, password_hash=password_hash)

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

    def sessions(self, principal: str, *, since: datetime) -> Sequence[SessionRecord]:
        return self._records(_SESSIONS, _OPEN_SESSIONS, principal=principal, since=iso(since))

    def rotate_session(self, digest: str, session: SessionRecord) -> bool:
        fresh = {"fresh": session.digest, "method": session.method.value}
        return bool(
            self._changed(_ROTATE_SESSION, digest=digest, at=iso(session.factor_at), **fresh)
        )

    def totp(self, principal: str) -> TotpRecord | None:
        return self._record(_TOTPS, _TOTP, principal=principal)

    def put_totp(self, totp: TotpRecord) -> None:
        self._changed(_PUT_TOTP, **_TOTPS.rows.to_row(totp))

    def use_totp_step(self, principal: str, step: int) -> bool:
        return bool(self._changed(_USE_STEP, principal=principal, step=step))

    def recovery_codes(self, principal: str) -> Sequence[RecoveryRecord]:
        return self._records(_CODES, _ALL_CODES, principal=principal)

    def put_recovery_codes(self, principal: str, codes: Sequence[RecoveryRecord]) -> None:
        self._changed(_DROP_CODES, principal=principal)
        for code in codes:
            self._add(_CODES, code)

    def use_recovery_code(self, digest: str, principal: str, *, at: datetime) -> bool:
        return bool(self._changed(_USE_CODE, digest=digest, principal=principal, at=iso(at)))

    def passkeys(self) -> Sequence[PasskeyRecord]:
        return self._records(_PASSKEYS, _ALL_PASSKEYS)

    def add_passkey(self, passkey: PasskeyRecord) -> None:
        self._add(_PASSKEYS, passkey)

    def use_passkey(self, credential_id: str, *, was: int, now: int, at: datetime) -> bool:
        return bool(
            self._changed(_USE_PASSKEY, credential_id=credential_id, was=was, now=now, at=iso(at))
        )

    def remove_passkey(self, credential_id: str) -> bool:
        return bool(self._changed(_DROP_PASSKEY, credential_id=credential_id))
