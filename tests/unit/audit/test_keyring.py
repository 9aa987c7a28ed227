"""A log under several keys: each part under the key that was in force, each change signed twice."""

from __future__ import annotations

import dataclasses
import json

import pytest

from ordergate.adapters.keys import signed_under, verifier
from ordergate.audit.chain import Broken
from ordergate.audit.checkpoint import Verdict, Verify, verify_log
from ordergate.audit.keyring import ROTATED, Keyring, Rotation, keyring
from ordergate.model.canonical import canonical
from ordergate.model.records import AuditRow
from support.manual_clock import ManualClock
from support.memory_journal import Books, MemoryTx
from support.record_attacks import NEW_KEY, NEW_PUBLIC
from support.sealed_log import KEY, PUBLIC, fill_log, seal_of

FIRST = 301


def rotation(first: int = FIRST, **other: str) -> Rotation:
    bare = Rotation(
        log_id="log-1",
        first=first,
        old=other.get("old", PUBLIC),
        new=other.get("new", NEW_PUBLIC),
    )
    said = bare.statement()
    return dataclasses.replace(
        bare, signed_by_old=KEY.sign(said).hex(), signed_by_new=NEW_KEY.sign(said).hex()
    )


def row(of: Rotation, *, seq: int | None = None) -> AuditRow:
    body = {"seq": seq or of.first, "kind": ROTATED, "body": of.body()}
    return AuditRow(
        seq=seq or of.first,
        ts=ManualClock().now(),
        kind=ROTATED,
        actor="host",
        corr="log-1",
        body=canonical(body),
        h="",
    )


def ring(*rows: AuditRow, public: str = NEW_PUBLIC) -> Verify | Broken:
    return keyring(rows, pinned=verifier(public), signed=signed_under)


@pytest.mark.parametrize("public", [PUBLIC, NEW_PUBLIC])
def test_who_trusts_one_key_knows_both_and_where_each_signed(public: str) -> None:
    known = ring(row(rotation()), public=public)
    assert isinstance(known, Keyring)
    for size, key in ((1, KEY), (FIRST - 1, KEY), (FIRST, NEW_KEY), (9_999, NEW_KEY)):
        message = json.dumps({"size": size}).encode()
        other = KEY if key is NEW_KEY else NEW_KEY
        assert known(message, key.sign(message))
        assert not known(message, other.sign(message)), "a key is void before and after its time"


def test_what_names_no_size_is_signed_by_nobody() -> None:
    known = ring(row(rotation()))
    assert isinstance(known, Keyring)
    for message in (b"", b"[]", b"{}", b'{"size": "x"}', b'{"size": null}'):
        assert not known(message, NEW_KEY.sign(message))


def test_a_stranger_to_the_log_is_left_with_the_key_they_trust() -> None:
    foreign = "11" * 32
    pinned = verifier(foreign)
    assert keyring([row(rotation())], pinned=pinned, signed=signed_under) is pinned
    assert keyring([], pinned=pinned, signed=signed_under) is pinned


def broken_rows() -> list[AuditRow]:
    good = rotation()
    return [
        row(dataclasses.replace(good, signed_by_old="00" * 64)),
        row(dataclasses.replace(good, signed_by_new=good.signed_by_old)),
        row(dataclasses.replace(good, signed_by_new="none")),
        row(dataclasses.replace(good, first=FIRST + 1)),
        row(good, seq=FIRST + 1),
        dataclasses.replace(row(good), body="{}"),
        dataclasses.replace(row(good), body="no JSON"),
        dataclasses.replace(row(good), body=row(good).body.replace(ROTATED, "record.other")),
    ]


@pytest.mark.parametrize("spoilt", broken_rows())
def test_a_change_that_both_did_not_sign_is_named(spoilt: AuditRow) -> None:
    found = ring(spoilt)
    assert isinstance(found, Broken)
    assert found.seq == spoilt.seq


def test_changes_follow_from_one_another() -> None:
    found = ring(row(rotation()), row(rotation(FIRST + 100)))
    assert isinstance(found, Broken)
    assert found.seq == FIRST + 100


def test_a_log_goes_on_under_its_new_key() -> None:
    tx = MemoryTx(Books())
    fill_log(tx, FIRST - 1)
    seal_of().checkpoint(tx)
    fresh = rotation()
    seal_of(sign=NEW_KEY.sign).append(tx, ROTATED, actor="host", corr="log-1", body=fresh.body())
    fill_log(tx, 300, seal=seal_of(sign=NEW_KEY.sign))
    rows = tx.audit_rows(after=0, limit=1_000)
    notes = tx.checkpoints(after=0, limit=100)
    for public in (PUBLIC, NEW_PUBLIC):
        known = ring(rows[FIRST - 1], public=public)
        assert not isinstance(known, Broken)
        found = verify_log(rows, head=tx.audit_head(), checkpoints=notes, verify=known)
        assert (found.verdict, found.size) == (Verdict.OK, 601)
