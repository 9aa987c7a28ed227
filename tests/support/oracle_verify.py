"""A second verifier of the sealed log, written from the format alone: the test oracle.

Standard library and ed25519; nothing of ordergate. Usable as a program:
    python oracle_verify.py <gate.db | export.jsonl> --pub <hex> [--anchor size:root]
exit 0 ok, 1 tampered, 2 truncated or rolled back, 3 unverifiable. Second line of output: the first
bad record.

A record's body is JSON; leaf = H(00 || body), h = H(00 || previous h || leaf), the first previous h
is 32 zero bytes. The head is signed over its canonical JSON without sig. A note is signed over its
text: {head, origin, peaks, previous, root, size}; root is the RFC 9162 tree hash over the leaves,
previous the SHA-256 of the note before. A note stands at each 256th record at the latest.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sqlite3
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

OK, TAMPERED, CUT, UNVERIFIABLE = range(4)
COLUMNS = ("seq", "ts", "kind", "actor", "corr", "body", "h")


def read(path):
    """Return (records, notes, head) as lists of plain dicts."""
    with open(path, "rb") as file:
        first = file.read(16)
    if first != b"SQLite format 3\x00":
        lines = [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]
        heads = [line["head"] for line in lines if "head" in line]
        return (
            [line["record"] for line in lines if "record" in line],
            [line["checkpoint"] for line in lines if "checkpoint" in line],
            heads[-1] if heads else None,
        )
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    database.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    try:
        run = database.execute
        rows = run(f"select {', '.join(COLUMNS)} from audit order by seq").fetchall()
        notes = run("select size, note, sig from checkpoints order by size").fetchall()
        heads = run("select log_id, epoch, size, h, ts, sig from audit_head").fetchall()
    finally:
        database.close()
    return (
        [dict(zip(COLUMNS, row, strict=True)) for row in rows],
        [dict(zip(("size", "note", "sig"), row, strict=True)) for row in notes],
        dict(zip(("log_id", "epoch", "size", "h", "ts", "sig"), heads[0], strict=True))
        if heads
        else None,
    )


NUMBERS = {"seq", "size", "epoch"}


def checked(log):
    """Raise ValueError where a field is absent or of the wrong type."""
    records, notes, head = log
    head_names = ("log_id", "epoch", "size", "h", "ts", "sig")
    wanted = [(record, COLUMNS) for record in records]
    wanted += [(note, ("size", "note", "sig")) for note in notes]
    wanted += [] if head is None else [(head, head_names)]
    for fields, names in wanted:
        for name in names:
            if type(fields[name]) is not (int if name in NUMBERS else str):
                raise ValueError(name)
    return log


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def tree(leaves):
    """RFC 9162 2.1.1, by its recursive definition."""
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha(b"\x01", tree(leaves[:split]), tree(leaves[split:]))


def text(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def signed(key, message, sig):
    try:
        key.verify(bytes.fromhex(sig), message.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def chain(records):
    """Return (first bad seq or None, leaves, hashes)."""
    leaves, hashes, before = [], [], bytes(32)
    for number, record in enumerate(records, start=1):
        leaf = sha(b"\x00", record["body"].encode("utf-8", "surrogatepass"))
        h = sha(b"\x00", before, leaf)
        try:
            body = json.loads(record["body"])
        except ValueError:
            return number, leaves, hashes
        same = all(body.get(name) == record[name] for name in COLUMNS[:5])
        if record["seq"] != number or record["h"] != h.hex() or not same:
            return number, leaves, hashes
        leaves.append(leaf)
        hashes.append(h.hex())
        before = h
    return None, leaves, hashes


def verdict(path, public, anchors=()):
    """Return (exit code, first bad or missing record or None)."""
    try:
        records, notes, head = checked(read(path))
    except (sqlite3.Error, ValueError, KeyError, TypeError, OSError):
        return UNVERIFIABLE, None
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
    if head is not None:
        said = {name: head[name] for name in ("log_id", "epoch", "size", "h", "ts")}
        if not signed(key, text(said), head["sig"]):
            return TAMPERED, head["size"]
    bad, leaves, hashes = chain(records)
    held = 0
    for place, note in enumerate(notes):
        size = note["size"]
        if size > len(leaves):
            break
        body = json.loads(note["note"])
        previous = hashlib.sha256(notes[place - 1]["note"].encode()).hexdigest() if place else ""
        good = (
            signed(key, note["note"], note["sig"])
            and head is not None
            and body["origin"] == head["log_id"]
            and body["size"] == size
            and body["root"] == tree(leaves[:size]).hex()
            and body["head"] == hashes[size - 1]
            and body["previous"] == previous
        )
        if not good or size - held > 256:
            return TAMPERED, held + 1
        held = size
    if len(leaves) // 256 * 256 > held:
        return TAMPERED, held + 1
    for size, root in sorted(anchors):
        if size <= len(leaves) and tree(leaves[:size]).hex() != root:
            return TAMPERED, held + 1
    if bad is not None:
        return TAMPERED, bad
    if head is None:
        return (TAMPERED, len(records) or 1) if records or notes or anchors else (OK, None)
    if head["size"] > len(records):
        return CUT, len(records) + 1
    if head["size"] < len(records):
        return TAMPERED, head["size"] + 1
    if head["h"] != hashes[-1]:
        return TAMPERED, held + 1
    if any(note["size"] > len(records) for note in notes) or any(
        size > len(records) for size, _ in anchors
    ):
        return CUT, len(records) + 1
    return OK, None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("log")
    parser.add_argument("--pub", required=True)
    parser.add_argument("--anchor", action="append", default=[])
    given = parser.parse_args()
    anchors = [(int(size), root) for size, root in (a.split(":") for a in given.anchor)]
    code, seq = verdict(given.log, given.pub, anchors)
    print(("ok", "tampered", "cut", "unverifiable")[code])
    if seq is not None:
        print(seq)
    return code


if __name__ == "__main__":
    sys.exit(main())
