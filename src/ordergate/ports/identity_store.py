"""Principals' credentials: tokens, operators, sign-ins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from ordergate.model.records import (
    OperatorRecord,
    PasskeyRecord,
    RecoveryRecord,
    SessionRecord,
    TokenRecord,
    TotpRecord,
)
from ordergate.ports.audit_log import AuditTx

T = TypeVar("T")


class IdentityTx(AuditTx, Protocol):
    def token(self, token_id: str) -> TokenRecord | None: ...

    def tokens(self) -> Sequence[TokenRecord]: ...

    def add_token(self, token: TokenRecord) -> None: ...

    def revoke_token(self, token_id: str, *, at: datetime) -> bool:
        """Revoke; False when unknown or already revoked."""
        ...

    def touch_token(self, token_id: str, *, at: datetime) -> None: ...

    def operators(self) -> Sequence[OperatorRecord]: ...

    def add_operator(self, operator: OperatorRecord) -> None: ...

    def put_password(self, principal: str, password_hash: str) -> None: ...

    def session(self, digest: str) -> SessionRecord | None: ...

    def add_session(self, session: SessionRecord) -> None: ...

    def touch_session(self, digest: str, *, at: datetime) -> None: ...

    def revoke_session(self, digest: str, *, at: datetime) -> bool: ...

    def sessions(self, principal: str, *, since: datetime) -> Sequence[SessionRecord]:
        """Return the sign-ins that were made after `since` and not ended, oldest first."""
        ...

    def rotate_session(self, digest: str, session: SessionRecord) -> bool:
        """Give a sign-in another digest and factor; False when it has ended meanwhile."""
        ...

    def totp(self, principal: str) -> TotpRecord | None: ...

    def put_totp(self, totp: TotpRecord) -> None: ...

    def use_totp_step(self, principal: str, step: int) -> bool:
        """Use up a step; False when it, or a later one, was used before."""
        ...

    def recovery_codes(self, principal: str) -> Sequence[RecoveryRecord]: ...

    def put_recovery_codes(self, principal: str, codes: Sequence[RecoveryRecord]) -> None:
        """Put these in the place of all the operator had."""
        ...

    def use_recovery_code(self, digest: str, principal: str, *, at: datetime) -> bool:
        """Use up a code; False when there is none such, or it was used before."""
        ...

    def passkeys(self) -> Sequence[PasskeyRecord]: ...

    def add_passkey(self, passkey: PasskeyRecord) -> None: ...

    def use_passkey(self, credential_id: str, *, was: int, now: int, at: datetime) -> bool:
        """Note the new signature count; False when the old one is no longer `was`."""
        ...

    def remove_passkey(self, credential_id: str) -> bool: ...


class Seeds(Protocol):
    """Where TOTP seeds lie: never beside the password's hash."""

    def read(self, principal: str) -> str | None: ...

    def put(self, principal: str, seed: str) -> None: ...


class IdentityStore(Protocol):
    async def write(self, work: Callable[[IdentityTx], T]) -> T:
        """Run `work` in one durable transaction; any exception rolls it back and is raised."""
        ...

    async def read(self, work: Callable[[IdentityTx], T]) -> T: ...
