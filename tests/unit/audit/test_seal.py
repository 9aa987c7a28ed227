"""Every append leaves a signed head, gap-free numbers, and a checkpoint in time."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from ordergate.audit import chain
from ordergate.audit.checkpoint import Peaks, head_bytes
from ordergate.audit.seal import ForeignLog
from support.manual_clock import START, ManualClock
from support.memory_journal import Books, MemoryTx
from support.sealed_log import fill_log, seal_of, verify


def test_a_record_says_who_what_when_and_where_it_stands() -> None:
    tx, clock = MemoryTx(Books()), ManualClock()
    seal = seal_of(clock, epoch=7)
    assert seal.size(tx) == 0
    assert (
        seal.append(tx, "order.proposed", actor="a", corr="o-1", body={"q": Decimal("1.50")}) == 1
    )
    clock.advance(1)
    assert seal.append(tx, "order.judged", actor="gateway", corr="o-1", body={}) == 2
    first, second = tx.audit_rows(after=0, limit=9)
    assert json.loads(first.body) == {
        "seq": 1,
        "epoch": 7,
        "ts": "2026-01-07T14:00:00.000000Z",
        "kind": "order.proposed",
        "actor": "a",
        "corr": "o-1",
        "version": "0.1.0",
        "body": {"q": "1.5"},
    }
    assert (first.ts, first.kind, first.actor, first.corr) == (START, "order.proposed", "a", "o-1")
    assert second.h == chain.link(first.h, chain.leaf(second.body))
    assert seal.size(tx) == 2


def test_every_append_signs_the_head() -> None:
    tx = MemoryTx(Books())
    for size in range(1, 5):
        fill_log(tx, 1)
        head = tx.audit_head()
        assert head is not None
        assert (head.size, head.h) == (size, tx.audit_tail(limit=1)[0].h)
        assert verify(head_bytes(head), bytes.fromhex(head.sig))


def test_a_checkpoint_stands_at_each_256th_record_and_where_it_is_asked_for() -> None:
    tx, seal = MemoryTx(Books()), seal_of()
    seal.checkpoint(tx)
    assert tx.last_checkpoint() is None
    fill_log(tx, 255)
    assert tx.last_checkpoint() is None
    fill_log(tx, 45)
    seal.checkpoint(tx)
    seal.checkpoint(tx)
    fill_log(tx, 212)
    notes = tx.checkpoints(after=0, limit=9)
    assert [note.size for note in notes] == [256, 300, 512]
    leaves = [chain.leaf(body) for body in tx.audit_hashes(after=0, upto=512)]
    for note in notes:
        said = json.loads(note.note)
        assert said["root"] == Peaks().plus(leaves[: note.size]).root()
        assert said["head"] == tx.audit_rows(after=note.size - 1, limit=1)[0].h
        assert verify(note.note.encode(), bytes.fromhex(note.sig))


def test_a_log_of_another_name_is_not_continued() -> None:
    tx = MemoryTx(Books())
    fill_log(tx, 1)
    with pytest.raises(ForeignLog):
        seal_of(log_id="log-2").append(tx, "x", actor="a", corr="", body={})


def test_a_checkpoint_over_a_hole_is_refused() -> None:
    books = Books()
    tx = MemoryTx(books)
    fill_log(tx, 10)
    books.audit.clear()
    with pytest.raises(ForeignLog):
        seal_of().checkpoint(tx)
