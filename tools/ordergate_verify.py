#!/usr/bin/env python3
"""Prove an ordergate record without ordergate: one file; signatures need `cryptography`.

    python ordergate_verify.py FILE... --pub audit.pub [--anchor SIZE:ROOT]...

FILE is a database (gate.db), an export (.jsonl, also .gz), segments in their order, or a receipt.

exit 0  whole: chain, signed head, checkpoints, anchors
     1  tampered with; the second line of output is the first bad record
     2  cut or rolled back; the second line is the first record that is missing
     3  not to be verified, or not in full: the output says what was not checked

The format, from which this was written. A record's `body` is JSON; leaf = H(00 || body),
h = H(00 || previous h || leaf) with H = SHA-256; the first previous h is 32 zero bytes. The head is
signed (ed25519) over its canonical JSON without `sig`. A checkpoint is signed over the text of its
`note`: {head, origin, peaks, previous, root, size}; root is the RFC 9162 tree hash over the leaves,
peaks the perfect subtrees it is made of, previous the SHA-256 of the note before. A checkpoint
stands at every 256th record at the latest. A record of the kind record.key_rotated names the old
and the new key; both signed it, and from it on the new one signs. A segment is a part: its first
line says where it begins and ends, and it closes with a checkpoint.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import re
import sqlite3
import sys
import zlib
from pathlib import Path

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    Ed25519PublicKey = None

OK, TAMPERED, CUT, UNVERIFIABLE = range(4)
WORDS = ("ok", "tampered", "cut", "unverifiable")
EVERY = 256
COLUMNS = ("seq", "ts", "kind", "actor", "corr", "body", "h")
HEAD = ("log_id", "epoch", "size", "h", "ts", "sig")
NOTE = ("size", "note", "sig")
SEGMENT = ("log_id", "first", "last", "prev", "peaks", "previous")
RECEIPT = ("log_id", "corr", "note", "sig", "records")
NUMBERS = {"seq", "size", "epoch", "first", "last"}
LISTS = {"peaks", "records"}
ROTATED = "record.key_rotated"
MARK = ROTATED.encode()
GENESIS = bytes(32)
sha256 = hashlib.sha256


class Unreadable(Exception):
    """This is no record, or not to be read to its end."""


UNREADABLE = (Unreadable, sqlite3.Error, OSError, EOFError, zlib.error, ValueError, TypeError)


class Result:
    def __init__(self, code, seq=None, reason="", size=0, root=None):
        self.code, self.seq, self.reason, self.size, self.root = code, seq, reason, size, root


class Bad(Exception):
    """What is wrong, and with which record."""

    def __init__(self, code, seq, reason):
        super().__init__(reason)
        self.code, self.seq, self.reason = code, seq, reason


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


# --- keys ---------------------------------------------------------------------------------------


class Keys:
    """The public keys of a log by the first record that each signed; one of them is trusted."""

    def __init__(self, public):
        self.trusted = public
        self.ranges = [(0, public)]
        self.missing = 0  # signatures that could not be checked
        self._loaded = {}

    def check(self, key, message, sig):
        """Say whether a signature holds; True where there is nothing to check it with."""
        if key is None or Ed25519PublicKey is None:
            self.missing += 1
            return True
        try:
            if key not in self._loaded:
                self._loaded[key] = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
            self._loaded[key].verify(bytes.fromhex(sig), message.encode("utf-8", "surrogatepass"))
        except (InvalidSignature, ValueError, TypeError):
            return False
        return True

    def signed(self, size, message, sig):
        """Say whether the key that was in force at this size signed this."""
        return self.check([key for first, key in self.ranges if first <= size][-1], message, sig)

    def learn(self, rotations):
        """Take up the changes of keys: each signed by both, each following from the one before."""
        ranges = []
        for seq, body in rotations:
            try:
                sealed = json.loads(body)
                said = sealed["body"]
                same = said["first"] == sealed["seq"] == seq and sealed["kind"] == ROTATED
                statement = canonical(
                    {
                        "act": "the record goes on under another key",
                        "first": said["first"],
                        "log_id": said["log_id"],
                        "new": said["new"],
                        "old": said["old"],
                    }
                )
                both = self.check(said["old"], statement, said["signed_by_old"]) and self.check(
                    said["new"], statement, said["signed_by_new"]
                )
            except (ValueError, KeyError, TypeError):
                same = both = False
            if not (same and both):
                raise Bad(TAMPERED, seq, "the change of keys is not signed by both")
            if ranges and ranges[-1][1] != said["old"]:
                raise Bad(TAMPERED, seq, "the change of keys does not follow from the one before")
            ranges = ranges or [(0, said["old"])]
            ranges.append((said["first"], said["new"]))
        if self.trusted is None or self.trusted in [key for _, key in ranges]:
            self.ranges = ranges or self.ranges


# --- reading ------------------------------------------------------------------------------------


class Log:
    """A database, an export or a segment: its head, checkpoints and rotations, and its rows."""

    head = segment = _usual = None

    def __init__(self, path):
        self.path = path
        self.notes, self.rotations = [], []
        with open(path, "rb") as file:
            self.is_database = file.read(16) == b"SQLite format 3\x00"
        (self._open_database if self.is_database else self._read_lines)()

    def _open_database(self):
        self._db = sqlite3.connect(f"{Path(self.path).absolute().as_uri()}?mode=ro", uri=True)
        self._db.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        run = self._db.execute
        run("begin")
        heads = run(f"select {', '.join(HEAD)} from audit_head").fetchall()
        self.head = made(dict(zip(HEAD, heads[0], strict=True)), HEAD) if heads else None
        notes = run("select size, note, sig from checkpoints order by size")
        self.notes = [made(dict(zip(NOTE, row, strict=True)), NOTE) for row in notes]
        changes = run("select seq, body from audit where kind = ? order by seq", (ROTATED,))
        self.rotations = changes.fetchall()

    def _read_lines(self):
        with self._opened() as file:
            for number, line in enumerate(file, start=1):
                # Plain records are left to the second pass.
                if line.startswith(b'{"record":{') and MARK not in line[-130:]:
                    continue
                kind, fields = entry(line, number)
                if kind == "head":
                    self.head = made(fields, HEAD)
                elif kind == "checkpoint":
                    self.notes.append(made(fields, NOTE))
                elif kind == "segment":
                    self.segment = made(fields, SEGMENT)
                elif fields.get("kind") == ROTATED:
                    made(fields, COLUMNS)
                    self.rotations.append((fields["seq"], fields["body"]))

    def _opened(self):
        return gzip.open(self.path) if str(self.path).endswith(".gz") else open(self.path, "rb")

    def origin(self):
        """Return the log's id; of an export that lost its head, as its checkpoints say it."""
        if self.head is not None:
            return self.head["log_id"]
        try:
            return None if self.is_database else json.loads(self.notes[0]["note"])["origin"]
        except (ValueError, LookupError, TypeError):
            return None

    def rows(self):
        """Yield (seq, ts, kind, actor, corr, body, h, compared) in order; texts as bytes."""
        if self.is_database:
            self._db.text_factory = bytes
            sql = f"select {', '.join(COLUMNS)}, 0 from audit order by seq"
            for row in self._db.execute(sql):
                if type(row[0]) is not int or type(row[5]) is not bytes:
                    raise Unreadable("the audit table is not one of ordergate")
                yield row
            return
        with self._opened() as file:
            for number, line in enumerate(file, start=1):
                row = usual_record(line)
                if row is not None:
                    self._usual = line, number
                    yield row
                    continue
                kind, fields = entry(line, number)
                if kind == "record":
                    values = [made(fields, COLUMNS)[name] for name in COLUMNS[1:]]
                    texts = [text.encode("utf-8", "surrogatepass") for text in values]
                    yield fields["seq"], *texts, False

    def doubt(self):
        """Raise Unreadable where the line of a record that does not hold is not even JSON."""
        if self._usual is not None:
            entry(*self._usual)


NAME = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-:."
ACTOR = b'{"record":{"actor":"'
BODY = b'","body":"'
INNER = b',\\"corr\\":\\"'
# From the end of the sealed body to the end of the line: both must say the same.
TAIL = re.compile(
    rb',\\"corr\\":\\"([^"\\]*)\\",\\"epoch\\":[0-9]+,\\"kind\\":\\"([^"\\]*)\\",\\"seq\\":([1-9][0-9]{0,15})'
    rb',\\"ts\\":\\"([0-9T:.Z-]+)\\",\\"version\\":\\"[^"\\]*\\"\}","corr":"\1","h":"([0-9a-f]{64})"'
    rb',"kind":"\2","seq":\3,"ts":"\4"\}\}\n?'
)


def usual_record(line):
    """Return the row in a line as exports write it, its columns compared with the sealed body.

    None where it must be parsed as JSON, which says the same more slowly.
    """
    at = line.find(BODY, 20)
    tail = TAIL.fullmatch(line, line.rfind(INNER))
    if tail is None or at < 0 or not line.startswith(ACTOR):
        return None
    actor = line[20:at]
    start = at + 10
    if not line.startswith(b'{\\"actor\\":\\"%b\\",\\"body\\":' % actor, start) or actor.strip(
        NAME
    ):
        return None
    corr, kind, seq, ts, h = tail.groups()
    written = line[start : tail.start(5) - len(corr) - 17]
    body = written.replace(b'\\"', b'"')
    if b"\\" in body or body.count(b'"') != len(written) - len(body):
        return None
    return int(seq), ts, kind, actor, corr, body, h, True


def entry(line, number):
    """Return the kind and the fields of an export's line."""
    try:
        ((kind, fields),) = json.loads(line.decode("utf-8", "surrogateescape")).items()
    except (ValueError, AttributeError, RecursionError):
        raise Unreadable(f"line {number} is no entry of a record") from None
    if kind not in ("record", "checkpoint", "head", "segment") or not isinstance(fields, dict):
        raise Unreadable(f"line {number} is no entry of a record")
    return kind, fields


def made(fields, names):
    """Return the fields; raise Unreadable where one is absent or of the wrong type."""
    for name in names:
        wanted = int if name in NUMBERS else list if name in LISTS else str
        if type(fields.get(name)) is not wanted:
            raise Unreadable(f"a bad or absent {name}")
    return fields


# --- the proof ----------------------------------------------------------------------------------


class Tree:
    """The RFC 9162 tree over the leaves so far, as its perfect subtrees, widest first."""

    def __init__(self, size=0, peaks=()):
        self.size, self.peaks = size, list(peaks)

    def add(self, leaves):
        size, peaks = self.size, self.peaks
        for node in leaves:
            carry = size
            while carry & 1:
                node = sha256(b"\x01" + peaks.pop() + node).digest()
                carry >>= 1
            peaks.append(node)
            size += 1
        self.size = size

    def root(self):
        if not self.peaks:
            return sha256(b"").hexdigest()
        *wider, root = self.peaks
        for peak in reversed(wider):
            root = sha256(b"\x01" + peak + root).digest()
        return root.hex()


def columns_match(row, quoted):
    """Say whether the sealed body says what the columns beside it say."""
    seq, ts, kind, actor, corr, body, _, _ = row
    try:
        # The usual form, told by its two ends; whatever looks otherwise is parsed.
        ends = b',"kind":%b,"seq":%d,"ts":"%b","version":' % (quoted[kind], seq, ts)
        at = body.rfind(ends)
        epoch = body.rfind(b',"epoch":', max(0, at - 30), at)
        if (
            epoch > 0
            and body[epoch + 9 : at].isdigit()
            and PLAIN.fullmatch(ts)
            and VERSION.fullmatch(body, at + len(ends))
            and body.startswith(b'{"actor":%b,"body":' % quoted[actor])
            and body.endswith(b',"corr":%b' % quoted[corr], 0, epoch)
        ):
            return True
        said = json.loads(body)
        texts = [said[name].encode("utf-8", "surrogatepass") for name in COLUMNS[1:5]]
        return type(said["seq"]) is int and [said["seq"], *texts] == list(row[:5])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False


VERSION = re.compile(rb'"[^"\\]*"\}')
PLAIN = re.compile(rb"[0-9T:.Z-]+")


class Quoted(dict):
    """Texts as JSON writes them; few kinds and actors, so each is written once."""

    def __missing__(self, text):
        if len(self) > 10_000:
            self.clear()
        self[text] = written = json.dumps(text.decode(), ensure_ascii=False).encode()
        return written


class Proof:
    """One pass over a log or a part of it."""

    def __init__(self, log, keys, anchors, origin):
        opening = log.segment
        if opening is not None:
            hashes = [bytes.fromhex(text) for text in (opening["prev"], *opening["peaks"])]
            wrong = opening["first"] < 1 or any(len(one) != 32 for one in hashes)
            if wrong or len(hashes) != 1 + (opening["first"] - 1).bit_count():
                raise Unreadable("a segment's first line is none")
        self.keys, self.origin = keys, origin
        self.notes = iter(log.notes)
        self.note = next(self.notes, None)
        self.anchors = iter(sorted(anchors))
        self.anchor = next(self.anchors, None)
        self.at = 0 if opening is None else opening["first"] - 1
        self.h = GENESIS if opening is None else bytes.fromhex(opening["prev"])
        peaks = () if opening is None else map(bytes.fromhex, opening["peaks"])
        self.tree = Tree(self.at, peaks)
        self.previous = "" if opening is None else opening["previous"]
        self.proven = self.at  # size of the last checkpoint or anchor that holds
        self.shown = self.at  # size of the last anchor that holds
        self.closed = 0  # size of the last checkpoint that holds

    def walk(self, log):
        h, at, leaves, quoted = self.h, self.at, [], Quoted()
        stop = self._next_stop(at)
        for row in log.rows():
            if row[0] != at + 1:
                self.at = at
                raise Bad(TAMPERED, at + 1, f"record {at + 1} is missing; {row[0]} is there")
            leaf = sha256(b"\x00" + row[5]).digest()
            h = sha256(b"\x00" + h + leaf).digest()
            if h.hex().encode() != row[6]:
                log.doubt()
                self.at = at
                raise Bad(TAMPERED, at + 1, "the hash does not follow from the body and before")
            if not (row[7] or columns_match(row, quoted)):
                log.doubt()
                self.at = at
                raise Bad(TAMPERED, at + 1, "a column differs from the sealed body")
            at += 1
            leaves.append(leaf)
            if at >= stop:
                self.at, self.h = at, h
                self._meet(leaves)
                stop = self._next_stop(at)
        self.at, self.h = at, h
        self.tree.add(leaves)

    def _next_stop(self, at):
        stops = [at - at % EVERY + EVERY]
        stops += [] if self.note is None else [max(self.note["size"], at + 1)]
        stops += [] if self.anchor is None else [max(self.anchor[0], at + 1)]
        return min(stops)

    def _meet(self, leaves):
        self.tree.add(leaves)
        leaves.clear()
        self._checkpoint()
        while self.anchor is not None and self.anchor[0] <= self.at:
            size, root = self.anchor
            if size != self.at or not self.tree.root().startswith(root):
                # What was signed since the last anchor may be signed by a thief.
                reason = f"the records up to {size} are not those that were anchored"
                raise Bad(TAMPERED, self.shown + 1, reason)
            self.proven = self.shown = size
            self.anchor = next(self.anchors, None)

    def _checkpoint(self):
        note, size = self.note, self.at
        if note is None or note["size"] > size:
            if size % EVERY == 0:
                self._wrong(f"the checkpoint at {size} is missing")
            return
        if note["size"] < size:
            self._wrong("the checkpoints are out of order")
        if not self.keys.signed(size, note["note"], note["sig"]):
            self._wrong(f"the signature of checkpoint {size} is not theirs")
        said = {
            "head": self.h.hex(),
            "origin": self.origin,
            "peaks": [peak.hex() for peak in self.tree.peaks],
            "previous": self.previous,
            "root": self.tree.root(),
            "size": size,
        }
        if self.origin is None or note["note"] != canonical(said):
            self._wrong(f"the records up to {size} are not those of its checkpoint")
        self.previous = sha256(note["note"].encode()).hexdigest()
        self.proven = self.closed = size
        self.note = next(self.notes, None)

    def _wrong(self, reason):
        raise Bad(TAMPERED, self.proven + 1, reason)

    def end(self, head, is_database):
        size = self.at
        beyond = self.note["size"] if self.note else self.anchor[0] if self.anchor else None
        if head is None:
            if not is_database:
                raise Bad(CUT, size + 1, "the export does not end in a signed head")
            if size or beyond is not None:
                raise Bad(TAMPERED, size or 1, "the signed head is missing")
        elif head["size"] > size:
            raise Bad(CUT, size + 1, f"the signed head says {head['size']} records")
        elif head["size"] < size:
            raise Bad(TAMPERED, head["size"] + 1, "records stand beyond the signed head")
        elif head["h"] != self.h.hex():
            self._wrong("not the chain that the head signed")
        if beyond is not None:
            raise Bad(CUT, size + 1, f"{beyond} records were proven before")

    def end_of_segment(self, last):
        size = self.at
        if size < last:
            raise Bad(CUT, size + 1, f"the segment was closed at {last}")
        if size > last:
            raise Bad(TAMPERED, last + 1, "records stand beyond the segment's end")
        if self.closed != last or self.note is not None:
            self._wrong(f"the checkpoint at {last} that closes the segment is missing")


def verify(paths, public=None, anchors=()):
    """Return (Result, Keys) of one log, or of segments in their order."""
    keys = Keys(public)
    try:
        logs = [Log(path) for path in paths]
        if any(log.segment is None for log in logs) and len(logs) > 1:
            raise Unreadable("several files are read together only where all are segments")
        keys.learn([change for log in logs for change in log.rotations])
        end = None
        for log in logs:
            end = _one(log, keys, anchors, end)
        beyond = [size for size, _ in anchors if size > end.at]
        if beyond and logs[-1].segment is not None:
            raise Bad(CUT, end.at + 1, f"{min(beyond)} records were proven before")
        return Result(OK, size=end.at, root=end.tree.root()), keys
    except Bad as bad:
        return Result(bad.code, bad.seq, bad.reason), keys
    except UNREADABLE as error:
        return Result(UNVERIFIABLE, reason=str(error)), keys


def _one(log, keys, anchors, before):
    head, part = log.head, log.segment
    if part is None:
        if head is not None:
            signed = canonical({name: head[name] for name in HEAD if name != "sig"})
            if not keys.signed(head["size"], signed, head["sig"]):
                raise Bad(TAMPERED, head["size"], "the head's signature is not theirs")
        proof = Proof(log, keys, anchors, log.origin())
        proof.walk(log)
        proof.end(head, log.is_database)
        return proof
    mine = [anchor for anchor in anchors if part["first"] <= anchor[0] <= part["last"]]
    proof = Proof(log, keys, mine, part["log_id"])
    if before is not None:
        if part["first"] > before.at + 1:
            raise Bad(CUT, before.at + 1, f"the next segment begins at {part['first']}")
        follows = (before.at, before.h, before.previous, before.origin, before.tree.peaks)
        begins = (proof.at, proof.h, proof.previous, proof.origin, proof.tree.peaks)
        if begins != follows:
            raise Bad(TAMPERED, before.at + 1, "a segment does not follow from the one before")
    proof.walk(log)
    proof.end_of_segment(part["last"])
    return proof


def verify_receipt(found, public=None):
    """Return (Result, Keys): whether a signed checkpoint holds these records."""
    keys = Keys(public)
    try:
        said = json.loads(made(found, RECEIPT)["note"])
        if not found["records"] or said["origin"] != found["log_id"]:
            raise Bad(TAMPERED, None, "the receipt is not about its checkpoint")
        if not keys.signed(0, found["note"], found["sig"]):
            raise Bad(TAMPERED, None, "the checkpoint's signature is not theirs")
        for one in found["records"]:
            body = json.loads(one["body"])
            leaf = sha256(b"\x00" + one["body"].encode("utf-8", "surrogatepass")).digest()
            root = _root(leaf, one["seq"] - 1, said["size"], map(bytes.fromhex, one["path"]))
            if (body["seq"], body["corr"]) != (one["seq"], found["corr"]) or root != said["root"]:
                raise Bad(TAMPERED, one["seq"], "the record is not in the checkpoint")
        return Result(OK, size=len(found["records"]), root=said["root"]), keys
    except Bad as bad:
        return Result(bad.code, bad.seq, bad.reason), keys
    except (Unreadable, ValueError, KeyError, TypeError) as error:
        return Result(UNVERIFIABLE, reason=f"no receipt: {error}"), keys


def _root(at, place, size, path):
    """RFC 9162 2.1.3.2: the root that an inclusion proof leads to; None where it leads nowhere."""
    if not 0 <= place < size:
        return None
    last = size - 1
    for beside in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            at = sha256(b"\x01" + beside + at).digest()
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            at = sha256(b"\x01" + at + beside).digest()
        place, last = place >> 1, last >> 1
    return at.hex() if last == 0 else None


# --- the program --------------------------------------------------------------------------------


def public_key(text):
    """Return the key in a file, or the text itself: 64 hex digits."""
    path = Path(text)
    text = path.read_text("ascii").strip() if path.is_file() else text
    if len(bytes.fromhex(text)) != 32:
        raise ValueError("not 32 bytes")
    return text.lower()


def anchor(text):
    size, _, root = text.strip().partition(":")
    if not re.fullmatch(r"[0-9]+", size) or not re.fullmatch(r"[0-9a-f]{8,64}", root):
        raise ValueError("an anchor is size:root, of the root 8 hex digits at least")
    return int(size), root


def receipt_in(path):
    """Return the receipt in a file; None where it is something else."""
    try:
        with open(path, "rb") as file:
            if file.read(11) != b'{"receipt":':
                return None
        found = json.loads(Path(path).read_bytes())["receipt"]
        return found if isinstance(found, dict) else None
    except (OSError, ValueError):
        return None


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--pub", type=public_key, help="the public key, or the file that holds it")
    parser.add_argument("--anchor", type=anchor, action="append", default=[], help="size:root")
    given = parser.parse_args(arguments)
    found = receipt_in(given.files[0]) if len(given.files) == 1 else None
    if found is not None:
        result, keys = verify_receipt(found, given.pub)
    else:
        result, keys = verify(given.files, given.pub, given.anchor)
    code = result.code
    if code == OK and keys.missing:
        code = UNVERIFIABLE
    print(WORDS[code])
    if result.seq is not None:
        print(result.seq)
    if result.reason:
        print(result.reason)
    if result.code == OK:
        print(f"{result.size} records hold, root {result.root}")
    if keys.missing:
        why = "there is no --pub" if given.pub is None else "`cryptography` is not installed"
        print(f"not checked: {keys.missing} signatures, because {why}")
    return code


if __name__ == "__main__":
    sys.exit(main())
