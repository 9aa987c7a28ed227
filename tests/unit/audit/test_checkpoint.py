"""Heads, checkpoints and anchors: each attack on a log is found, and where it can be, located."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from ordergate.audit.chain import GENESIS, leaf, link
from ordergate.audit.checkpoint import Anchor, Finding, Peaks, Verdict, head_bytes, verify_log
from ordergate.model.records import AuditHead, AuditRow, CheckpointRow
from support.memory_journal import Books, MemoryTx
from support.sealed_log import fill_log, seal_of, verify

SIZE = 600  # checkpoints at 256 and 512


@dataclass(frozen=True, slots=True)
class Sealed:
    rows: list[AuditRow]
    head: AuditHead | None
    notes: list[CheckpointRow]

    def check(self, *anchors: Anchor) -> Finding:
        return verify_log(
            self.rows, head=self.head, checkpoints=self.notes, verify=verify, anchors=anchors
        )


def sealed(size: int) -> Sealed:
    tx = MemoryTx(Books())
    fill_log(tx, size)
    rows = list(tx.audit_rows(after=0, limit=size))
    return Sealed(rows, tx.audit_head(), list(tx.checkpoints(after=0, limit=size)))


@pytest.fixture(scope="module")
def log() -> Sealed:
    return sealed(SIZE)


def rechained(rows: list[AuditRow]) -> list[AuditRow]:
    """Number, restate and link the records again, as an editor without the key can."""
    prev, out = GENESIS, []
    for seq, row in enumerate(rows, start=1):
        body = json.dumps(json.loads(row.body) | {"seq": seq}, sort_keys=True)
        prev = link(prev, leaf(body))
        out.append(dataclasses.replace(row, seq=seq, body=body, h=prev))
    return out


def edited(rows: list[AuditRow], place: int) -> list[AuditRow]:
    body = json.dumps(json.loads(rows[place].body) | {"body": {"n": "forged"}})
    return [*rows[:place], dataclasses.replace(rows[place], body=body), *rows[place + 1 :]]


def test_a_sealed_log_holds_with_and_without_anchors(log: Sealed) -> None:
    root = log.check().root
    assert root is not None
    assert log.check(Anchor(SIZE, root)).verdict is Verdict.OK
    short = sealed(300)
    assert short.check().verdict is Verdict.OK
    assert log.check(Anchor(300, short.check().root or "")).verdict is Verdict.OK
    assert sealed(0).check() == Finding(verdict=Verdict.OK, size=0, root=Peaks().root())


@pytest.mark.parametrize("place", [0, 100, 255, 256, 400, 511, 512, 598, 599])
def test_edit_delete_insert_then_rechain_is_found(log: Sealed, place: int) -> None:
    forgeries = [
        rechained(edited(log.rows, place)),
        rechained([*log.rows[:place], *log.rows[place + 1 :]]),
        rechained([*log.rows[:place], log.rows[0], *log.rows[place:]]),
    ]
    for rows in forgeries:
        # Dropping the newest checkpoints along with the rewrite must not help.
        for notes in (log.notes, log.notes[:1], []):
            finding = dataclasses.replace(log, rows=rows, notes=notes).check()
            assert finding.verdict in (Verdict.TAMPERED, Verdict.CUT)
            assert finding.seq is not None


def test_an_edit_after_the_last_checkpoint_is_found_by_the_signed_head(log: Sealed) -> None:
    finding = dataclasses.replace(log, rows=rechained(edited(log.rows, 550))).check()
    assert finding.verdict is Verdict.TAMPERED
    # Rechaining restates every body, so that the first checkpoint disagrees already ...
    assert finding.seq == 1
    # ... and an edit that restates only the tail is located after the last one that holds.
    kept = log.rows[:520]
    tail, prev = [], kept[-1].h
    for row in edited(log.rows, 550)[520:]:
        prev = link(prev, leaf(row.body))
        tail.append(dataclasses.replace(row, h=prev))
    finding = dataclasses.replace(log, rows=[*kept, *tail]).check()
    assert (finding.verdict, finding.seq) == (Verdict.TAMPERED, 513)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 300, 512, 599])
def test_truncation_is_found_by_the_signed_head(log: Sealed, size: int) -> None:
    notes = [note for note in log.notes if note.size <= size]
    finding = dataclasses.replace(log, rows=log.rows[:size], notes=notes).check()
    assert (finding.verdict, finding.seq) == (Verdict.CUT, size + 1)


def test_a_rollback_to_an_old_signed_head_is_found_by_an_anchor(log: Sealed) -> None:
    old = sealed(300)
    assert old.check().verdict is Verdict.OK
    finding = old.check(Anchor(SIZE, log.check().root or ""))
    assert (finding.verdict, finding.seq) == (Verdict.CUT, 301)
    rewritten = sealed(SIZE + 1)  # same key, another history
    other = Anchor(300, "0" * 64)
    finding = rewritten.check(other)
    assert (finding.verdict, finding.seq) == (Verdict.TAMPERED, 1)


def test_a_rollback_that_leaves_the_newer_checkpoints_is_found(log: Sealed) -> None:
    old = sealed(300)
    finding = dataclasses.replace(old, notes=log.notes).check()
    assert (finding.verdict, finding.seq) == (Verdict.CUT, 301)


def test_records_beyond_the_head_and_a_missing_head_are_found(log: Sealed) -> None:
    old = sealed(300)
    finding = dataclasses.replace(log, head=old.head).check()
    assert (finding.verdict, finding.seq) == (Verdict.TAMPERED, 301)
    assert dataclasses.replace(log, head=None).check().verdict is Verdict.TAMPERED
    assert dataclasses.replace(sealed(9), head=None).check().verdict is Verdict.TAMPERED
    assert Sealed([], None, log.notes).check().verdict is Verdict.TAMPERED


@pytest.mark.parametrize(
    "spoil",
    [
        lambda head: {"size": head.size + 1},
        lambda head: {"h": "0" * 64},
        lambda head: {"ts": "2027-01-01T00:00:00.000000Z"},
        lambda head: {"epoch": 2},
        lambda head: {"log_id": "log-2"},
        lambda head: {"sig": "00" * 64},
        lambda head: {"sig": "no hex"},
    ],
)
def test_a_head_that_was_touched_is_not_ours(
    log: Sealed, spoil: Callable[[AuditHead], dict[str, object]]
) -> None:
    assert log.head is not None
    head = dataclasses.replace(log.head, **spoil(log.head))  # type: ignore[arg-type]
    assert dataclasses.replace(log, head=head).check().verdict is Verdict.TAMPERED


def test_checkpoints_cannot_be_dropped_changed_or_swapped(log: Sealed) -> None:
    first, second = log.notes
    changed = dataclasses.replace(first, note=first.note.replace('"size":256', '"size":255'))
    for notes, seq in (
        ([second], 1),
        ([first], 257),
        ([second, first], 1),
        ([changed, second], 1),
        ([dataclasses.replace(first, sig=second.sig), second], 1),
        ([first, dataclasses.replace(second, size=511)], 257),
        ([first, first, second], 257),
    ):
        finding = dataclasses.replace(log, notes=notes).check()
        assert (finding.verdict, finding.seq) == (Verdict.TAMPERED, seq), notes


def test_a_checkpoint_of_another_log_does_not_count() -> None:
    here, there = sealed(256), MemoryTx(Books())
    fill_log(there, 256, seal=seal_of(log_id="log-2"))
    finding = dataclasses.replace(here, notes=list(there.checkpoints(after=0, limit=9))).check()
    assert finding.verdict is Verdict.TAMPERED


def test_a_head_is_signed_over_its_canonical_fields() -> None:
    head = AuditHead(log_id="l", epoch=1, size=2, h="aa", ts="t", sig="ff")
    assert head_bytes(head) == b'{"epoch":1,"h":"aa","log_id":"l","size":2,"ts":"t"}'


def test_the_root_of_small_trees_is_that_of_rfc_9162() -> None:
    def h(*parts: bytes) -> bytes:
        return hashlib.sha256(b"".join(parts)).digest()

    a, b, c = (h(b"\x00", bytes([n])) for n in range(3))
    ab = h(b"\x01", a, b)
    assert Peaks().root() == h().hex()
    assert Peaks().plus([a.hex()]).root() == a.hex()
    assert Peaks().plus([a.hex(), b.hex()]).root() == ab.hex()
    three = Peaks().plus([a.hex(), b.hex(), c.hex()])
    assert three.root() == h(b"\x01", ab, c).hex()
    assert three.hashes == (ab.hex(), c.hex())


def test_each_verdict_has_its_exit_code() -> None:
    assert [(verdict.value, verdict.exit_code) for verdict in Verdict] == [
        ("ok", 0),
        ("tampered", 1),
        ("cut", 2),
        ("unverifiable", 3),
    ]
