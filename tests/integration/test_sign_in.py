"""Tokens and sign-ins over the real store."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from ordergate.adapters.storage.store import SqliteStore
from ordergate.identity import tokens
from ordergate.identity.operators import TRIES_MAX
from ordergate.identity.sign_in import Enrolment, SignIn
from ordergate.model.errors import (
    Forbidden,
    IllegalState,
    InvalidArgument,
    NotFound,
    RateLimited,
    Unauthenticated,
)
from ordergate.model.principals import Grant, Kind
from ordergate.ports.journal import JournalUnwritable
from support.sealed_log import seal_of
from support.sign_ins import (
    AGENT,
    OPERATOR,
    PEPPER,
    SITE,
    Identity,
    MemorySeeds,
    a_sign_in,
    with_identity,
)

HOUR = 3600
DAY = 24 * HOUR


def test_a_token_stands_for_its_principal_until_it_expires(tmp_path: Path) -> None:
    async def scene(identity: Identity) -> None:
        record, text = await identity.sign_in.create_token(
            kind=Kind.AGENT, name="claude", days=2, by=OPERATOR
        )
        who = await identity.sign_in.bearer(text)
        assert (who.id, who.kind, who.name) == ("claude", Kind.AGENT, "claude")
        assert record.digest == tokens.digest(tokens.parse(text).secret, pepper=PEPPER)
        identity.clock.advance(2 * DAY - 1)
        await identity.sign_in.bearer(text)
        identity.clock.advance(1)
        with pytest.raises(Unauthenticated, match="expired"):
            await identity.sign_in.bearer(text)

    with_identity(tmp_path, scene)


def test_a_revocation_acts_on_the_next_request(tmp_path: Path) -> None:
    async def scene(identity: Identity) -> None:
        record, text = await identity.sign_in.create_token(
            kind=Kind.AGENT, name="claude", by=OPERATOR
        )
        await identity.sign_in.bearer(text)
        await identity.sign_in.revoke_token(record.token_id, by=OPERATOR)
        with pytest.raises(Unauthenticated, match="revoked"):
            await identity.sign_in.bearer(text)
        with pytest.raises(NotFound):
            await identity.sign_in.revoke_token(record.token_id, by=OPERATOR)

    with_identity(tmp_path, scene)


def test_no_look_up_under_way_outlives_a_revocation(tmp_path: Path) -> None:
    async def scene(identity: Identity) -> None:
        record, text = await identity.sign_in.create_token(
            kind=Kind.AGENT, name="claude", by=OPERATOR
        )
        calls = [identity.sign_in.bearer(text) for _ in range(32)]
        await asyncio.gather(
            *calls,
            identity.sign_in.revoke_token(record.token_id, by=OPERATOR),
            return_exceptions=True,
        )
        with pytest.raises(Unauthenticated):
            await identity.sign_in.bearer(text)

    with_identity(tmp_path, scene)


def test_a_wrong_secret_or_a_changed_kind_is_refused(tmp_path: Path) -> None:
    async def scene(identity: Identity) -> None:
        _, text = await identity.sign_in.create_token(
            kind=Kind.READ_ONLY, name="viewer", by=OPERATOR
        )
        token = tokens.parse(text)
        other = tokens.write(tokens.Token(token.kind, token.token_id, "A" * 43))
        raised = tokens.write(tokens.Token(Kind.AGENT, token.token_id, token.secret))
        unknown = tokens.write(tokens.Token(token.kind, "ffffffff", token.secret))
        for bad in (other, raised, unknown, text[:-1], ""):
            with pytest.raises(Unauthenticated):
                await identity.sign_in.bearer(bad)

    with_identity(tmp_path, scene)


def test_last_used_is_written_at_most_once_a_minute(tmp_path: Path) -> None:
    async def scene(identity: Identity) -> None:
        _, text = await identity.sign_in.create_token(kind=Kind.AGENT, name="claude", by=OPERATOR)
        first = identity.clock.now()
        await identity.sign_in.bearer(text)
        identity.clock.advance(59)
        await identity.sign_in.bearer(text)
        assert (await identity.sign_in.tokens())[0].last_used_at == first
        identity.clock.advance(1)
        await identity.sign_in.bearer(text)
        assert (await identity.sign_in.tokens())[0].last_used_at == identity.clock.now()

    with_identity(tmp_path, scene)


def test_only_operators_make_tokens_and_only_for_agents_and_readers(tmp_path: Path) -> None:
    async def scene(identity: Identity) -> None:
        make = identity.sign_in.create_token
        with pytest.raises(Forbidden):
            await make(kind=Kind.AGENT, name="more", by=AGENT)
        for kind in (Kind.OPERATOR, Kind.GATEWAY):
            with pytest.raises(InvalidArgument, match="never holds a token"):
                await make(kind=kind, name="more", by=OPERATOR)
        for name, days in (("gateway", 1), ("operator:alice", 1), ("ok", 0), ("ok", 366)):
            with pytest.raises(InvalidArgument):
                await make(kind=Kind.AGENT, name=name, days=days, by=OPERATOR)
        with pytest.raises(Forbidden):
            await identity.sign_in.revoke_token("00000000", by=AGENT)
        assert await identity.sign_in.tokens() == ()

    with_identity(tmp_path, scene)


def test_a_name_carries_on_as_the_same_principal_but_never_as_another_kind(tmp_path: Path) -> None:
    async def scene(identity: Identity) -> None:
        make = identity.sign_in.create_token
        _, old = await make(kind=Kind.AGENT, name="claude", by=OPERATOR)
        _, new = await make(kind=Kind.AGENT, name="claude", by=OPERATOR)
        assert (await identity.sign_in.bearer(old)).id == (await identity.sign_in.bearer(new)).id
        with pytest.raises(InvalidArgument, match="another kind"):
            await make(kind=Kind.READ_ONLY, name="claude", by=OPERATOR)

    with_identity(tmp_path, scene)


def test_there_is_a_limit_to_live_tokens_and_a_revoked_one_makes_room(tmp_path: Path) -> None:
    async def scene(identity: Identity) -> None:
        make = identity.sign_in.create_token
        made = [await make(kind=Kind.AGENT, name="many", by=OPERATOR) for _ in range(100)]
        with pytest.raises(IllegalState, match="100 live tokens"):
            await make(kind=Kind.AGENT, name="many", by=OPERATOR)
        await identity.sign_in.revoke_token(made[0][0].token_id, by=OPERATOR)
        await make(kind=Kind.AGENT, name="many", by=OPERATOR)

    with_identity(tmp_path, scene)


class FullDisk:
    """A store that can still be read."""

    def __init__(self, store: SqliteStore) -> None:
        self.read = store.read

    async def write(self, work: object) -> None:
        raise JournalUnwritable("no space left on device")


def test_a_full_disk_keeps_neither_an_exit_nor_the_operator_out(tmp_path: Path) -> None:
    async def scene(identity: Identity) -> None:
        password = await identity.make_operator()
        _, cookie = await identity.enter(password)
        record, text = await identity.sign_in.create_token(
            kind=Kind.AGENT, name="claude", by=OPERATOR
        )
        full = a_sign_in(
            FullDisk(identity.store),  # type: ignore[arg-type]  # its write never returns
            seal_of(identity.clock),
            identity.clock,
            identity.chance,
        )
        identity.clock.advance(120)
        assert (await full.bearer(text)).id == "claude"
        assert (await full.session(cookie))[0].id == "operator:alice"
        with pytest.raises(JournalUnwritable):
            await full.revoke_token(record.token_id, by=OPERATOR)

    with_identity(tmp_path, scene)


def test_the_first_agent_token_is_made_once(tmp_path: Path) -> None:
    async def first(identity: Identity) -> str | None:
        return await identity.sign_in.first_agent_token()

    async def again(identity: Identity) -> None:
        assert await identity.sign_in.first_agent_token() is None
        assert text is not None
        who = await identity.sign_in.bearer(text)
        assert (who.id, who.kind) == ("local-agent", Kind.AGENT)

    text = with_identity(tmp_path, first)
    with_identity(tmp_path, again)


def test_an_operator_is_made_once_and_signs_in_with_the_bootstrap_password(tmp_path: Path) -> None:
    async def scene(identity: Identity) -> None:
        assert not await identity.sign_in.operator_exists()
        with pytest.raises(Unauthenticated) as refused:
            await identity.sign_in.sign_in(name="alice", password="x", code="123456", address="::1")
        assert "operator init" in refused.value.fix
        password = await identity.make_operator()
        for name in ("alice", "mallory"):
            with pytest.raises(IllegalState):
                await identity.sign_in.init_operator(name)
        session, cookie = await identity.enter(password)
        principal, seen = await identity.sign_in.session(cookie)
        assert (principal.id, principal.kind) == ("operator:alice", Kind.OPERATOR)
        assert seen.csrf == session.csrf
        assert cookie not in repr(session)

    with_identity(tmp_path, scene)


@pytest.mark.parametrize("name", ["", "Alice", "a b", "alice\n", "x" * 33])
def test_an_operator_needs_a_plain_name(tmp_path: Path, name: str) -> None:
    async def scene(identity: Identity) -> None:
        with pytest.raises(InvalidArgument):
            await identity.sign_in.init_operator(name)
        assert not await identity.sign_in.operator_exists()

    with_identity(tmp_path, scene)


def test_the_default_hash_is_argon2id_with_19_mib_and_two_passes(tmp_path: Path) -> None:
    async def scene(identity: Identity) -> None:
        real = SignIn(
            store=identity.store,
            seal=seal_of(identity.clock),
            clock=identity.clock,
            ids=identity.chance,
            chance=identity.chance.bytes,
            pepper=PEPPER,
            seeds=MemorySeeds(),
            site=SITE,
        )
        await real.init_operator("alice")
        (operator,) = await identity.store.read(lambda tx: tx.operators())
        assert operator.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")

    with_identity(tmp_path, scene)


def test_two_inits_at_once_make_one_operator(tmp_path: Path) -> None:
    async def scene(identity: Identity) -> None:
        made = await asyncio.gather(
            *(identity.sign_in.init_operator(name) for name in ("alice", "bob", "carol")),
            return_exceptions=True,
        )
        assert sum(isinstance(each, Enrolment) for each in made) == 1
        assert sum(isinstance(each, IllegalState) for each in made) == 2

    with_identity(tmp_path, scene)


@pytest.mark.parametrize("password", ["", "wrong", "\ud800", "x" * 5000])
def test_a_wrong_password_and_an_unknown_name_sound_the_same(tmp_path: Path, password: str) -> None:
    async def scene(identity: Identity) -> None:
        await identity.sign_in.init_operator("alice")
        for name in ("alice", "mallory"):
            with pytest.raises(Unauthenticated) as refused:
                await identity.sign_in.sign_in(
                    name=name, password=password, code="123456", address="::1"
                )
            assert refused.value.message == "name, password or code is wrong"

    with_identity(tmp_path, scene)


def test_a_flood_of_sign_ins_is_throttled_before_any_has_failed(tmp_path: Path) -> None:
    async def scene(identity: Identity) -> None:
        password = await identity.make_operator()

        async def attempt(word: str, address: str) -> Exception | None:
            try:
                code = identity.codes.pop() if word == password else "123456"
                await identity.sign_in.sign_in(
                    name="alice", password=word, code=code, address=address
                )
            except (Unauthenticated, RateLimited) as error:
                return error
            return None

        answers = await asyncio.gather(*(attempt("wrong", "::1") for _ in range(64)))
        kinds = [type(answer) for answer in answers]
        assert kinds.count(Unauthenticated) == TRIES_MAX
        assert kinds.count(RateLimited) == 64 - TRIES_MAX
        waiting = await attempt(password, "::1")
        assert isinstance(waiting, RateLimited)
        assert waiting.details["retry_after_s"] == 61
        assert await attempt(password, "127.0.0.1") is None
        identity.clock.advance(60)
        assert await attempt(password, "::1") is None

    with_identity(tmp_path, scene)


def test_a_session_ends_idle_absolutely_and_by_sign_out(tmp_path: Path) -> None:
    async def scene(identity: Identity) -> None:
        password = await identity.make_operator()

        async def fresh() -> str:
            _, cookie = await identity.enter(password)
            return cookie

        idle = await fresh()
        identity.clock.advance(30 * 60)
        with pytest.raises(Unauthenticated, match="ended"):
            await identity.sign_in.session(idle)

        busy = await fresh()
        for _ in range(24 * 2 - 1):
            identity.clock.advance(15 * 60)
            _, seen = await identity.sign_in.session(busy)
            assert seen.last_seen_at == identity.clock.now()
        identity.clock.advance(15 * 60)
        with pytest.raises(Unauthenticated, match="ended"):
            await identity.sign_in.session(busy)

        left, kept = await fresh(), await fresh()
        await identity.sign_in.sign_out(left)
        await identity.sign_in.sign_out("no session of ours")
        with pytest.raises(Unauthenticated, match="not signed in"):
            await identity.sign_in.session(left)
        await identity.sign_in.session(kept)

    with_identity(tmp_path, scene)


def test_every_act_is_sealed_and_no_secret_is_written_anywhere(tmp_path: Path) -> None:
    async def scene(identity: Identity) -> list[str]:
        password = await identity.make_operator()
        record, text = await identity.sign_in.create_token(
            kind=Kind.AGENT, name="claude", by=OPERATOR
        )
        session, cookie = await identity.enter(password)
        for name in ("alice", "typed-my-password-here"):
            with pytest.raises(Unauthenticated):
                await identity.sign_in.sign_in(
                    name=name, password="guess", code="123456", address="::1"
                )
        await identity.sign_in.sign_out(cookie)
        await identity.sign_in.revoke_token(record.token_id, by=OPERATOR)

        rows = identity.audit()
        assert [row.kind for row in rows] == [
            "operator.created",
            "token.created",
            "operator.signed_in",
            "operator.sign_in_refused",
            "operator.sign_in_refused",
            "operator.signed_out",
            "token.revoked",
        ]
        assert [row.actor for row in rows[3:5]] == ["operator:alice", "unknown"]
        written = "".join(row.actor + row.corr + row.body for row in rows)
        assert session.csrf not in written
        assert record.digest not in written
        assert "guess" not in written
        assert "typed-my-password-here" not in written
        return [password, tokens.parse(text).secret, cookie]

    secrets = with_identity(tmp_path, scene)
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert not [secret for secret in secrets if secret.encode() in stored]


def test_only_the_operator_grants_and_only_to_an_agent(tmp_path: Path) -> None:
    async def scene(identity: Identity) -> None:
        make = identity.sign_in.create_token
        for grants in (frozenset({Grant.LIVE}), frozenset(Grant)):
            record, text = await make(kind=Kind.AGENT, name="trader", grants=grants, by=OPERATOR)
            assert (await identity.sign_in.bearer(text)).grants == grants
            (sealed,) = [row for row in identity.audit() if row.corr == record.token_id]
            assert json.loads(sealed.body)["body"]["grants"] == sorted(grants)
        with pytest.raises(InvalidArgument, match="agent"):
            await make(kind=Kind.READ_ONLY, name="reader", grants=frozenset(Grant), by=OPERATOR)
        with pytest.raises(Forbidden):
            await make(kind=Kind.AGENT, name="mine", grants=frozenset(Grant), by=AGENT)
        first = await identity.sign_in.first_agent_token()
        assert first is not None
        assert (await identity.sign_in.bearer(first)).grants == frozenset()

    with_identity(tmp_path, scene)
