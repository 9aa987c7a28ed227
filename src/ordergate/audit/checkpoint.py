"""Signed heads and checkpoints: what the log was, said so that a rewrite shows."""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ordergate.audit import chain
from ordergate.model.canonical import canonical, sha256_hex
from ordergate.model.records import AuditHead, AuditRow, CheckpointRow

EVERY: Final = 256  # records from one checkpoint to the next, at most
FIRST: Final = ""  # `previous` of the first checkpoint

Verify = Callable[[bytes, bytes], bool]  # (message, signature)


def head_bytes(head: AuditHead) -> bytes:
    """Return what a head's signature covers: log id, epoch, size, h and ts."""
    signed = {
        "log_id": head.log_id,
        "epoch": head.epoch,
        "size": head.size,
        "h": head.h,
        "ts": head.ts,
    }
    return canonical(signed).encode()


@dataclass(frozen=True, slots=True)
class Peaks:
    """The perfect subtrees over the first `size` leaves, widest first: enough to go on from.

    Source: RFC 9162 2.1.1 (Merkle tree hash), kept incrementally.
    """

    size: int = 0
    hashes: tuple[str, ...] = ()

    def plus(self, leaves: Iterable[str]) -> Peaks:
        """Return the peaks after these leaf hashes."""
        size, hashes = self.size, list(self.hashes)
        for leaf in leaves:
            node, carry = leaf, size
            while carry & 1:
                node = _node(hashes.pop(), node)
                carry >>= 1
            hashes.append(node)
            size += 1
        return Peaks(size, tuple(hashes))

    def root(self) -> str:
        """Return the RFC 9162 root."""
        if not self.hashes:
            return hashlib.sha256(b"").hexdigest()
        *wider, root = self.hashes
        for peak in reversed(wider):
            root = _node(peak, root)
        return root


def _node(left: str, right: str) -> str:
    return hashlib.sha256(b"\x01" + bytes.fromhex(left) + bytes.fromhex(right)).hexdigest()


def note(*, log_id: str, peaks: Peaks, h: str, previous: CheckpointRow | None) -> str:
    """Return the checkpoint's text: origin, size, root, chain head, hash of the one before."""
    return canonical(
        {
            "origin": log_id,
            "size": peaks.size,
            "root": peaks.root(),
            "peaks": peaks.hashes,
            "head": h,
            "previous": FIRST if previous is None else sha256_hex(previous.note),
        }
    )


def peaks_of(row: CheckpointRow) -> Peaks:
    """Read the peaks a checkpoint was made from."""
    return Peaks(row.size, tuple(json.loads(row.note)["peaks"]))


class Verdict(enum.StrEnum):
    OK = "ok"
    TAMPERED = "tampered"
    CUT = "cut"  # truncated, or rolled back to an older state
    UNVERIFIABLE = "unverifiable"

    @property
    def exit_code(self) -> int:
        """Return what a verifying program ends with."""
        return list(Verdict).index(self)


@dataclass(frozen=True, slots=True)
class Anchor:
    """A size and root that somebody else was once shown."""

    size: int
    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the verification came to; `seq` is the first record that is bad or missing."""

    verdict: Verdict
    size: int  # records that were read and hold
    seq: int | None = None
    reason: str = ""
    root: str | None = None  # of the whole log, when it holds


def verify_log(
    rows: Iterable[AuditRow],
    *,
    head: AuditHead | None,
    checkpoints: Sequence[CheckpointRow],
    verify: Verify,
    anchors: Sequence[Anchor] = (),
) -> Finding:
    """Check chain, signed head, checkpoints and anchors of one consistent read of a log.

    `rows` is read once, in order, and may come in pages; `checkpoints` are ordered by size.
    """
    if head is not None and not _signed(verify, head_bytes(head), head.sig):
        return _bad(Verdict.TAMPERED, 0, head.size, "the head's signature is not ours")
    proof = _Proof(checkpoints, anchors, origin=None if head is None else head.log_id)
    for finding in proof.walk(rows, verify):
        return finding
    return proof.end(head)


def verify_tail(
    rows: Iterable[AuditRow], *, head: AuditHead, start: CheckpointRow, verify: Verify
) -> Finding:
    """Check what follows a checkpoint up to the signed head; the checkpoint is believed."""
    if not _signed(verify, head_bytes(head), head.sig):
        return _bad(Verdict.TAMPERED, 0, head.size, "the head's signature is not ours")
    said = json.loads(start.note) if _signed(verify, start.note.encode(), start.sig) else {}
    if (said.get("origin"), said.get("size")) != (head.log_id, start.size):
        reason = f"the checkpoint at {start.size} is not ours"
        return _bad(Verdict.TAMPERED, 0, start.size, reason)
    at = chain.Link(start.size, said["head"])
    for row in rows:
        broken = chain.check(row, after=at)
        if broken is not None:
            return _bad(Verdict.TAMPERED, at.seq, broken.seq, broken.reason)
        at = chain.Link(row.seq, row.h)
    if at.seq < head.size:
        reason = f"the signed head says {head.size} records"
        return _bad(Verdict.CUT, at.seq, at.seq + 1, reason)
    if (at.seq, at.h) != (head.size, head.h):
        return _bad(Verdict.TAMPERED, at.seq, head.size + 1, "not the chain the head signed")
    return Finding(verdict=Verdict.OK, size=at.seq)


class _Proof:
    """One pass over a log: where it stands, and which statements about it are still to come."""

    def __init__(
        self, checkpoints: Sequence[CheckpointRow], anchors: Sequence[Anchor], *, origin: str | None
    ) -> None:
        self._origin = origin
        self._checkpoints = checkpoints
        self._met = 0  # checkpoints that hold
        self._anchors = sorted(anchors, key=lambda anchor: anchor.size)
        self._anchored = 0
        self._at = chain.START
        self._folded = Peaks()
        self._leaves: list[str] = []  # read, not yet folded into the peaks
        self._proven = 0  # size of the last checkpoint or anchor that holds

    def walk(self, rows: Iterable[AuditRow], verify: Verify) -> Iterator[Finding]:
        """Yield what is wrong, at most once."""
        for row in rows:
            broken = chain.check(row, after=self._at)
            if broken is not None:
                yield _bad(Verdict.TAMPERED, self._at.seq, broken.seq, broken.reason)
                return
            self._at = chain.Link(row.seq, row.h)
            self._leaves.append(chain.leaf(row.body))
            reason = self._checkpoint_here(verify) or self._anchor_here()
            if reason:
                yield _bad(Verdict.TAMPERED, self._proven, self._proven + 1, reason)
                return

    def _checkpoint_here(self, verify: Verify) -> str:
        size = self._at.seq
        following = self._next_checkpoint()
        if following is None or following.size > size:
            return f"the checkpoint at {size} is missing" if size % EVERY == 0 else ""
        if following.size < size:
            return "the checkpoints are out of order"
        previous = self._checkpoints[self._met - 1] if self._met else None
        if not _signed(verify, following.note.encode(), following.sig):
            return f"the signature of checkpoint {size} is not ours"
        origin = self._origin
        if origin is None:
            return "checkpoints stand without a signed head"
        expected = note(log_id=origin, peaks=self._peaks(), h=self._at.h, previous=previous)
        if following.note != expected:
            return f"the records up to {size} are not those of its checkpoint"
        self._met += 1
        self._proven = size
        return ""

    def _anchor_here(self) -> str:
        while (anchor := self._next_anchor()) is not None and anchor.size <= self._at.seq:
            if anchor.size != self._at.seq or anchor.root != self._peaks().root():
                return f"the records up to {anchor.size} are not those that were anchored"
            self._anchored += 1
            self._proven = anchor.size
        return ""

    def _peaks(self) -> Peaks:
        self._folded = self._folded.plus(self._leaves)
        self._leaves.clear()
        return self._folded

    def _next_checkpoint(self) -> CheckpointRow | None:
        return self._checkpoints[self._met] if self._met < len(self._checkpoints) else None

    def _next_anchor(self) -> Anchor | None:
        return self._anchors[self._anchored] if self._anchored < len(self._anchors) else None

    def end(self, head: AuditHead | None) -> Finding:
        """Compare the end that was reached with the end that was signed."""
        size = self._at.seq
        beyond = self._next_checkpoint() or self._next_anchor()
        if head is None and (size or beyond is not None):
            return _bad(Verdict.TAMPERED, size, size or 1, "the signed head is missing")
        if head is not None and head.size > size:
            return _bad(Verdict.CUT, size, size + 1, f"the signed head says {head.size} records")
        if head is not None and head.size < size:
            return _bad(
                Verdict.TAMPERED, head.size, head.size + 1, "records stand beyond the signed head"
            )
        if head is not None and head.h != self._at.h:
            return _bad(
                Verdict.TAMPERED, self._proven, self._proven + 1, "not the chain the head signed"
            )
        if beyond is not None:
            return _bad(Verdict.CUT, size, size + 1, f"{beyond.size} records were proven before")
        return Finding(verdict=Verdict.OK, size=size, root=self._peaks().root())


def _signed(verify: Verify, message: bytes, sig: str) -> bool:
    try:
        return verify(message, bytes.fromhex(sig))
    except ValueError:
        return False


def _bad(verdict: Verdict, size: int, seq: int, reason: str) -> Finding:
    return Finding(verdict=verdict, size=size, seq=seq, reason=reason)
