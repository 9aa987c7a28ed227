"""A SignIn over a real store, with a manual clock, cheap argon2 and chance that repeats."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from argon2 import PasswordHasher

from ordergate.adapters.storage.store import SqliteStore
from ordergate.identity.sign_in import SignIn
from ordergate.model.principals import Kind, Principal
from ordergate.model.records import AuditRow
from ordergate.model.values import PrincipalId
from support.manual_clock import ManualClock
from support.sealed_log import seal_of

T = TypeVar("T")
OPERATOR = Principal(PrincipalId("operator:alice"), Kind.OPERATOR, "alice")
AGENT = Principal(PrincipalId("local-agent"), Kind.AGENT, "local-agent")
PEPPER = b"pepper of the tests"


@dataclass
class SeededChance:
    """Bytes that look random and are the same in every run."""

    drawn: int = 0

    def bytes(self, count: int) -> bytes:
        self.drawn += 1
        return hashlib.shake_256(f"bytes {self.drawn}".encode()).digest(count)

    def new_id(self) -> str:
        return self.bytes(16).hex()


@dataclass
class Identity:
    store: SqliteStore
    sign_in: SignIn
    clock: ManualClock
    chance: SeededChance = field(default_factory=SeededChance)

    def audit(self) -> list[AuditRow]:
        return list(self.store.read_now(lambda tx: tx.audit_rows(after=0, limit=1000)))


def cheap_hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def with_identity(path: Path, scene: Callable[[Identity], Awaitable[T]]) -> T:
    """Play a scene on a fresh or reopened identity store; close it afterwards."""
    clock, chance = ManualClock(), SeededChance()
    store = SqliteStore.open(path / "gate.db")
    sign_in = SignIn(
        store=store,
        seal=seal_of(clock),
        clock=clock,
        ids=chance,
        chance=chance.bytes,
        pepper=PEPPER,
        hasher=cheap_hasher(),
    )

    async def play() -> T:
        return await scene(Identity(store, sign_in, clock, chance))

    try:
        return asyncio.run(play())
    finally:
        store.close_now()
