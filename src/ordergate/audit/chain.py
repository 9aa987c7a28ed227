"""The chain: each record's hash covers the record and everything before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ordergate.model.canonical import iso
from ordergate.model.records import AuditRow

GENESIS: Final = "00" * 32


@dataclass(frozen=True, slots=True)
class Link:
    """A place in the chain: the records up to `seq` end in the hash `h`."""

    seq: int
    h: str


START: Final = Link(0, GENESIS)


@dataclass(frozen=True, slots=True)
class Broken:
    """The first record that is not what was sealed."""

    seq: int
    reason: str


def leaf(body: str) -> str:
    """Return hex sha256(0x00 || body): also the record's leaf in the Merkle tree (RFC 9162)."""
    return hashlib.sha256(b"\x00" + body.encode("utf-8", "surrogatepass")).hexdigest()


def link(prev: str, leaf_hash: str) -> str:
    """Return hex sha256(0x00 || prev || leaf), over the 32-byte values."""
    return hashlib.sha256(b"\x00" + bytes.fromhex(prev) + bytes.fromhex(leaf_hash)).hexdigest()


def verify(rows: Iterable[AuditRow], *, start: Link = START) -> Broken | None:
    """Return the first record that breaks the chain after `start`; None when all hold."""
    at = start
    for row in rows:
        broken = check(row, after=at)
        if broken is not None:
            return broken
        at = Link(row.seq, row.h)
    return None


def check(row: AuditRow, *, after: Link) -> Broken | None:
    """Say what is wrong with the record that should follow `after`; None when it does."""
    expected = after.seq + 1
    if row.seq != expected:
        return Broken(expected, f"record {expected} is missing; {row.seq} stands in its place")
    if link(after.h, leaf(row.body)) != row.h:
        return Broken(expected, "the hash does not follow from the body and the record before")
    if not _columns_match(row):
        return Broken(expected, "a column differs from the sealed body")
    return None


def _columns_match(row: AuditRow) -> bool:
    try:
        sealed = json.loads(row.body)
        return (sealed["seq"], sealed["ts"], sealed["kind"], sealed["actor"], sealed["corr"]) == (
            row.seq,
            iso(row.ts),
            row.kind,
            row.actor,
            row.corr,
        )
    except (ValueError, KeyError, TypeError):
        return False
