"""A receipt: the records of one order, and the proof that a signed checkpoint holds them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from ordergate.audit import chain
from ordergate.audit.checkpoint import Verify, parent
from ordergate.model.records import AuditRow, CheckpointRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """A record's body, and the hashes beside its way up to the root (RFC 9162 2.1.3)."""

    seq: int
    body: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a stranger needs beside the public key."""

    log_id: str
    corr: str  # whose records these are
    note: str
    sig: str
    records: tuple[Proven, ...]


def receipt(
    leaves: Sequence[str], rows: Sequence[AuditRow], *, under: CheckpointRow
) -> Receipt | None:
    """Return the receipt of these rows under a checkpoint; None where it holds none of them.

    `leaves` are the leaf hashes of all records up to the checkpoint.
    """
    covered = [row for row in rows if row.seq <= under.size]
    if not covered:
        return None
    levels = _levels(list(leaves))
    return Receipt(
        log_id=json.loads(under.note)["origin"],
        corr=covered[0].corr,
        note=under.note,
        sig=under.sig,
        records=tuple(
            Proven(seq=row.seq, body=row.body, path=_path(levels, row.seq - 1)) for row in covered
        ),
    )


def holds(one: Receipt, *, verify: Verify) -> bool:
    """Say whether every record of a receipt is in the checkpoint, and the checkpoint is signed."""
    try:
        said = json.loads(one.note)
        if not verify(one.note.encode(), bytes.fromhex(one.sig)) or not one.records:
            return False
        return said["origin"] == one.log_id and all(
            json.loads(each.body)["seq"] == each.seq
            and json.loads(each.body)["corr"] == one.corr
            and _root(chain.leaf(each.body), each.seq - 1, said["size"], each.path) == said["root"]
            for each in one.records
        )
    except (ValueError, KeyError, TypeError, IndexError):
        return False


def _levels(leaves: list[str]) -> list[list[str]]:
    """Return the tree level by level; a node without a neighbour goes up as it is."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        below = levels[-1]
        level = [parent(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)]
        levels.append(level + below[2 * len(level) :])
    return levels


def _path(levels: list[list[str]], place: int) -> tuple[str, ...]:
    path = []
    for level in levels[:-1]:
        beside = place ^ 1
        if beside < len(level):
            path.append(level[beside])
        place //= 2
    return tuple(path)


def _root(leaf: str, place: int, size: int, path: Sequence[str]) -> str | None:
    """Fold a path up to the root of a tree of `size` leaves; None where it has another length."""
    if not 0 <= place < size:
        return None
    at, rest, width = leaf, list(path), size
    while width > 1:
        if place ^ 1 < width:
            beside = rest.pop(0)
            at = parent(beside, at) if place & 1 else parent(at, beside)
        place, width = place // 2, (width + 1) // 2
    return None if rest else at
