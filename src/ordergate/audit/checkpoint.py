"""Signed heads and checkpoints: what the log was, said so that a rewrite shows."""

from __future__ import annotations

import enum
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ordergate.audit import chain
from ordergate.model.canonical import canonical, sha256_hex
from ordergate.model.records import AuditHead, AuditRow, CheckpointRow

EVERY: Final = 256  # records from one checkpoint to the next, at most
_ROOT: Final = re.compile(r"[0-9a-f]{8,64}")
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
                node = parent(hashes.pop(), node)
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
            root = parent(peak, root)
        return root


def parent(left: str, right: str) -> str:
    """Return hex sha256(0x01 || left || right): an inner node of the Merkle tree."""
    return hashlib.sha256(b"\x01" + bytes.fromhex(left) + bytes.fromhex(right)).hexdigest()


def note(*, log_id: str, peaks: Peaks, h: str, previous: str) -> str:
    """Return the checkpoint's text: origin, size, root, chain head, hash of the one before."""
    return canonical(
        {
            "origin": log_id,
            "size": peaks.size,
            "root": peaks.root(),
            "peaks": peaks.hashes,
            "head": h,
            "previous": previous,
        }
    )


def hash_of(row: CheckpointRow | None) -> str:
    """Return what the next checkpoint says of this one."""
    return FIRST if row is None else sha256_hex(row.note)


def peaks_of(row: CheckpointRow) -> Peaks:
    """Read the peaks a checkpoint was made from."""
    return Peaks(row.size, tuple(json.loads(row.note)["peaks"]))


def size_and_root(row: CheckpointRow | None) -> str:
    """Return `size:root8`: an anchor, for messages and pages, where no host can rewrite it."""
    return "" if row is None else f"{row.size}:{json.loads(row.note)['root'][:8]}"


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
    """A size and root that somebody else was once shown; of the root, the beginning will do."""

    size: int
    root: str

    @classmethod
    def of(cls, text: str) -> Anchor:
        """Read `size:root` as messages and pages print it; raise ValueError."""
        size, _, root = text.strip().partition(":")
        if not (size.isascii() and size.isdigit()) or not _ROOT.fullmatch(root):
            raise ValueError("an anchor is size:root, of the root 8 hex digits at least")
        return cls(int(size), root)


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
    exported: bool = False,
) -> Finding:
    """Check chain, signed head, checkpoints and anchors of one consistent read of a log.

    `rows` is read once, in order, and may come in pages; `checkpoints` are ordered by size. An
    export without a head has lost its end; a database without one was tampered with.
    """
    if head is not None and not _signed(verify, head_bytes(head), head.sig):
        return _bad(Verdict.TAMPERED, 0, head.size, "the head's signature is not ours")
    origin = _origin(checkpoints) if head is None and exported else None
    proof = _Proof(checkpoints, anchors, origin=origin if head is None else head.log_id)
    for finding in proof.walk(rows, verify):
        return finding
    if head is None and exported:
        size = proof.size
        return _bad(Verdict.CUT, size, size + 1, "the export does not end in a signed head")
    return proof.end(head)


def _origin(checkpoints: Sequence[CheckpointRow]) -> str | None:
    try:
        return str(json.loads(checkpoints[0].note)["origin"])
    except (ValueError, LookupError, TypeError):
        return None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Where a part of a log begins: all that went before, in a few hashes."""

    log_id: str
    link: chain.Link = chain.START
    peaks: Peaks = Peaks()
    previous: str = FIRST  # hash of the checkpoint before


def verify_part(
    rows: Iterable[AuditRow],
    *,
    opening: Opening,
    last: int,
    checkpoints: Sequence[CheckpointRow],
    verify: Verify,
    anchors: Sequence[Anchor] = (),
) -> Finding:
    """Check a part that ends in a checkpoint at `last`; anchors of other parts are left out.

    Its first checkpoint proves the opening, too.
    """
    mine = [anchor for anchor in anchors if opening.link.seq < anchor.size <= last]
    proof = _Proof(checkpoints, mine, origin=opening.log_id, opening=opening)
    for finding in proof.walk(rows, verify):
        return finding
    return proof.end_of_part(last)


class _Proof:
    """One pass over a log: where it stands, and which statements about it are still to come."""

    def __init__(
        self,
        checkpoints: Sequence[CheckpointRow],
        anchors: Sequence[Anchor],
        *,
        origin: str | None,
        opening: Opening | None = None,
    ) -> None:
        self._origin = origin
        self._checkpoints = checkpoints
        self._met = 0  # checkpoints that hold
        self._anchors = sorted(anchors, key=lambda anchor: anchor.size)
        self._anchored = 0
        self._at = chain.START if opening is None else opening.link
        self._folded = Peaks() if opening is None else opening.peaks
        self._previous = FIRST if opening is None else opening.previous
        self._leaves: list[str] = []  # read, not yet folded into the peaks
        self._shown = self._at.seq  # size of the last anchor that holds
        self._proven = self._at.seq  # size of the last checkpoint or anchor that holds

    @property
    def size(self) -> int:
        return self._at.seq

    def walk(self, rows: Iterable[AuditRow], verify: Verify) -> Iterator[Finding]:
        """Yield what is wrong, at most once."""
        for row in rows:
            broken = chain.check(row, after=self._at)
            if broken is not None:
                yield _bad(Verdict.TAMPERED, self._at.seq, broken.seq, broken.reason)
                return
            self._at = chain.Link(row.seq, row.h)
            self._leaves.append(chain.leaf(row.body))
            reason = self._checkpoint_here(verify)
            if reason:
                yield _bad(Verdict.TAMPERED, self._proven, self._proven + 1, reason)
                return
            reason = self._anchor_here()
            if reason:  # what was signed since the last anchor may be signed by a thief
                yield _bad(Verdict.TAMPERED, self._shown, self._shown + 1, reason)
                return

    def _checkpoint_here(self, verify: Verify) -> str:
        size = self._at.seq
        following = self._next_checkpoint()
        if following is None or following.size > size:
            return f"the checkpoint at {size} is missing" if size % EVERY == 0 else ""
        if following.size < size:
            return "the checkpoints are out of order"
        if not _signed(verify, following.note.encode(), following.sig):
            return f"the signature of checkpoint {size} is not ours"
        origin = self._origin
        if origin is None:
            return "checkpoints stand without a signed head"
        expected = note(log_id=origin, peaks=self._peaks(), h=self._at.h, previous=self._previous)
        if following.note != expected:
            return f"the records up to {size} are not those of its checkpoint"
        self._met += 1
        self._proven = size
        self._previous = hash_of(following)
        return ""

    def _anchor_here(self) -> str:
        while (anchor := self._next_anchor()) is not None and anchor.size <= self._at.seq:
            if anchor.size != self._at.seq or not self._is_root(anchor.root):
                return f"the records up to {anchor.size} are not those that were anchored"
            self._anchored += 1
            self._proven = self._shown = anchor.size
        return ""

    def _is_root(self, said: str) -> bool:
        return self._peaks().root().startswith(said)

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

    def end_of_part(self, last: int) -> Finding:
        """Compare the end that was reached with the one that the part was closed at."""
        size = self._at.seq
        if size < last:
            return _bad(Verdict.CUT, size, size + 1, f"the segment was closed at {last}")
        if size > last:
            return _bad(Verdict.TAMPERED, last, last + 1, "records stand beyond the segment's end")
        closing = self._checkpoints[self._met - 1].size if self._met else 0
        if closing != last or self._next_checkpoint() is not None:
            reason = f"the checkpoint at {last} that closes the segment is missing"
            return _bad(Verdict.TAMPERED, self._proven, self._proven + 1, reason)
        return Finding(verdict=Verdict.OK, size=size, root=self._peaks().root())


def _signed(verify: Verify, message: bytes, sig: str) -> bool:
    try:
        return verify(message, bytes.fromhex(sig))
    except ValueError:
        return False


def _bad(verdict: Verdict, size: int, seq: int, reason: str) -> Finding:
    return Finding(verdict=verdict, size=size, seq=seq, reason=reason)
