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
from ordergate.audit.seal import Seal
from ordergate.identity.factors.passkeys import site_of
from ordergate.identity.sign_in import SignIn
from ordergate.model.principals import Kind, Principal
from ordergate.model.records import AuditRow, SessionRecord
from ordergate.model.values import PrincipalId
from ordergate.ports.identity_store import IdentityStore
from support.fresh_books import open_books
from support.manual_clock import ManualClock
from support.sealed_log import seal_of

T = TypeVar("T")
OPERATOR = Principal(PrincipalId("operator:alice"), Kind.OPERATOR, "alice")
AGENT = Principal(PrincipalId("local-agent"), Kind.AGENT, "local-agent")
PEPPER = b"pepper of the tests"
ORIGIN = "http://ordergate.localhost:8030"
SITE = site_of(ORIGIN)


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

    codes: list[str] = field(default_factory=list)

    async def make_operator(self, name: str = "alice") -> str:
        """Make the operator; return the password and keep the recovery codes."""
        made = await self.sign_in.init_operator(name)
        self.codes = list(made.recovery_codes)
        return made.password

    async def enter(self, password: str, *, name: str = "alice") -> tuple[SessionRecord, str]:
        """Sign in with the next recovery code."""
        return await self.sign_in.sign_in(
            name=name, password=password, code=self.codes.pop(), address="::1"
        )

    def audit(self) -> list[AuditRow]:
        return list(self.store.read_now(lambda tx: tx.audit_rows(after=0, limit=1000)))


def cheap_hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class MemorySeeds:
    """Seeds as the port has them, in memory."""

    held: dict[str, str] = field(default_factory=dict)

    def read(self, principal: str) -> str | None:
        return self.held.get(principal)

    def put(self, principal: str, seed: str) -> None:
        self.held[principal] = seed


def a_sign_in(
    store: IdentityStore,
    seal: Seal,
    clock: ManualClock,
    chance: SeededChance,
    seeds: MemorySeeds | None = None,
) -> SignIn:
    """Return a SignIn for the console of the tests, with a hash that costs nothing."""
    return SignIn(
        store=store,
        seal=seal,
        clock=clock,
        ids=chance,
        chance=chance.bytes,
        pepper=PEPPER,
        seeds=seeds or MemorySeeds(),
        site=SITE,
        hasher=cheap_hasher(),
    )


def with_identity(path: Path, scene: Callable[[Identity], Awaitable[T]]) -> T:
    """Play a scene on a fresh or reopened identity store; close it afterwards."""
    clock, chance = ManualClock(), SeededChance()
    store = open_books(path / "gate.db")
    sign_in = a_sign_in(store, seal_of(clock), clock, chance)

    async def play() -> T:
        return await scene(Identity(store, sign_in, clock, chance))

    try:
        return asyncio.run(play())
    finally:
        store.close_now()
