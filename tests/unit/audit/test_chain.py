"""The chain holds for what was sealed and for nothing else."""

from __future__ import annotations

import dataclasses
import hashlib
import random
from datetime import timedelta

import pytest

from ordergate.audit.chain import GENESIS, START, Broken, Link, leaf, link, verify
from ordergate.model.records import AuditRow
from support.memory_journal import Books, MemoryTx
from support.sealed_log import fill_log


@pytest.fixture(scope="module")
def rows() -> list[AuditRow]:
    tx = MemoryTx(Books())
    fill_log(tx, 60)
    return list(tx.audit_rows(after=0, limit=100))


def test_leaf_and_link_are_the_published_formulas() -> None:
    a = hashlib.sha256(b"\x00{}").digest()
    assert leaf("{}") == a.hex()
    assert link(GENESIS, a.hex()) == hashlib.sha256(b"\x00" + bytes(32) + a).hexdigest()


def test_a_sealed_log_verifies_whole_and_from_any_place(rows: list[AuditRow]) -> None:
    assert verify(rows) is None
    assert verify([]) is None
    assert verify(rows[20:], start=Link(20, rows[19].h)) is None
    assert verify(rows[20:], start=START) == Broken(
        1, "record 1 is missing; 21 stands in its place"
    )


def test_every_flipped_bit_of_a_record_is_found(rows: list[AuditRow]) -> None:
    chance = random.Random(7)
    for _ in range(300):
        place = chance.randrange(len(rows))
        name = chance.choice(["kind", "actor", "corr", "body", "h"])
        text = bytearray(getattr(rows[place], name).encode())
        text[chance.randrange(len(text))] ^= 1 << chance.randrange(8)
        spoilt = dataclasses.replace(
            rows[place], **{name: bytes(text).decode("utf-8", "surrogateescape")}
        )
        broken = verify([*rows[:place], spoilt, *rows[place + 1 :]])
        assert broken is not None
        assert broken.seq == place + 1


def test_time_and_number_are_sealed_too(rows: list[AuditRow]) -> None:
    for spoilt in (
        dataclasses.replace(rows[5], ts=rows[5].ts + timedelta(microseconds=1)),
        dataclasses.replace(rows[5], seq=60),
    ):
        broken = verify([*rows[:5], spoilt, *rows[6:]])
        assert broken is not None
        assert broken.seq == 6


def test_a_missing_moved_or_doubled_record_is_found(rows: list[AuditRow]) -> None:
    for place in range(len(rows) - 1):
        missing = verify([*rows[:place], *rows[place + 1 :]])
        swapped = verify([*rows[:place], rows[place + 1], rows[place], *rows[place + 2 :]])
        doubled = verify([*rows[: place + 1], *rows[place:]])
        assert missing is not None
        assert swapped is not None
        assert doubled is not None
        assert (missing.seq, swapped.seq, doubled.seq) == (place + 1, place + 1, place + 2)


def test_a_body_that_is_no_object_is_broken_even_when_linked(rows: list[AuditRow]) -> None:
    for body in ("7", "[]", "not json", "null"):
        forged = dataclasses.replace(rows[0], body=body, h=link(GENESIS, leaf(body)))
        broken = verify([forged])
        assert broken is not None
        assert broken.seq == 1
