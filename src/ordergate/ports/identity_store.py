"""Principals' credentials: tokens, operators, sign-ins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from ordergate.model.records import OperatorRecord, SessionRecord, TokenRecord
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

    def session(self, digest: str) -> SessionRecord | None: ...

    def add_session(self, session: SessionRecord) -> None: ...

    def touch_session(self, digest: str, *, at: datetime) -> None: ...

    def revoke_session(self, digest: str, *, at: datetime) -> bool: ...


class IdentityStore(Protocol):
    async def write(self, work: Callable[[IdentityTx], T]) -> T:
        """Run `work` in one durable transaction; any exception rolls it back and is raised."""
        ...

    async def read(self, work: Callable[[IdentityTx], T]) -> T: ...
