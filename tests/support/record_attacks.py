"""Attacks on a sealed record (reliability.md 3.2), and the three verifiers that must find them."""

from __future__ import annotations

import dataclasses
import gzip
import json
import random
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ordergate.adapters.keys import verifier
from ordergate.adapters.storage.log_file import verify_file
from ordergate.audit.chain import GENESIS, leaf, link
from ordergate.audit.checkpoint import EVERY, Anchor, Peaks, head_bytes, note
from ordergate.audit.keyring import ROTATED, Rotation
from ordergate.audit.seal import Seal
from ordergate.model.canonical import canonical, iso, sha256_hex
from ordergate.model.records import AuditHead
from support import oracle_verify
from support.manual_clock import ManualClock
from support.memory_journal import Books, MemoryTx
from support.sealed_log import KEY, PUBLIC, fill_log, seal_of

ORACLE: Final = Path(__file__).with_name("oracle.mjs")
SIZE: Final = 700
OLD: Final = 600  # what an attacker kept a copy of
ANCHORED: Final = 640  # what somebody else was last shown
ROTATION: Final = 330  # where the rotated log changes its key
NEW_KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
NEW_PUBLIC: Final = NEW_KEY.public_key().public_bytes_raw().hex()
Fields = dict[str, Any]


@dataclass
class Evidence:
    """What lies on the disk: an attacker may write any of it."""

    rows: list[Fields]
    notes: list[Fields]
    head: Fields | None
    key: Ed25519PrivateKey = KEY  # in force at the end; only a thief may use it

    def copy(self) -> Evidence:
        return Evidence(
            [dict(row) for row in self.rows],
            [dict(one) for one in self.notes],
            None if self.head is None else dict(self.head),
            self.key,
        )


@dataclass(frozen=True)
class World:
    """An honest log, its state at an earlier time, and the anchor somebody else holds."""

    log: Evidence
    old: Evidence
    anchor: tuple[int, str]
    public: str


def world(*, rotated: bool = False) -> World:
    """Seal a log; with `rotated`, another key takes over on the way."""
    tx = MemoryTx(Books())
    seal = seal_of()
    states: dict[int, Evidence] = {}
    anchor = (0, "")
    key = KEY
    for size in (ROTATION, OLD, ANCHORED, SIZE):
        fill_log(tx, size - len(tx.audit_rows(after=0, limit=SIZE)), seal=seal)
        if rotated and size == ROTATION:
            seal, key = _rotate(tx, seal), NEW_KEY
        if size == ANCHORED:
            seal.checkpoint(tx)  # as each minute does
            last = tx.last_checkpoint()
            assert last is not None
            anchor = (last.size, json.loads(last.note)["root"][:8])
        states[size] = _seen(tx, key)
    return World(states[SIZE], states[OLD], anchor, NEW_PUBLIC if rotated else PUBLIC)


def _rotate(tx: MemoryTx, seal: Seal) -> Seal:
    seal.checkpoint(tx)
    head = tx.audit_head()
    assert head is not None
    bare = Rotation(log_id=head.log_id, first=head.size + 1, old=PUBLIC, new=NEW_PUBLIC)
    said = bare.statement()
    signed = dataclasses.replace(
        bare, signed_by_old=KEY.sign(said).hex(), signed_by_new=NEW_KEY.sign(said).hex()
    )
    fresh = Seal(sign=NEW_KEY.sign, log_id="log-1", epoch=1, clock=ManualClock(), version="0.1.0")
    fresh.append(tx, ROTATED, actor="host", corr=head.log_id, body=signed.body())
    return fresh


def _seen(tx: MemoryTx, key: Ed25519PrivateKey) -> Evidence:
    rows = [
        {**dataclasses.asdict(row), "ts": iso(row.ts)} for row in tx.audit_rows(after=0, limit=SIZE)
    ]
    notes = [dataclasses.asdict(one) for one in tx.checkpoints(after=0, limit=SIZE)]
    head = tx.audit_head()
    return Evidence(rows, notes, None if head is None else dataclasses.asdict(head), key)


# --- what an attacker can do ---------------------------------------------------------------------

Attack = Callable[[World, random.Random], Evidence]


def _restated(row: Fields, **other: Any) -> Fields:
    """Write a record's text and columns anew, as an editor without the key can."""
    row = {**row, **other}
    sealed = json.loads(row["body"])
    sealed |= {name: row[name] for name in ("seq", "ts", "kind", "actor", "corr")}
    return {**row, "body": canonical(sealed)}


def _forged(row: Fields, chance: random.Random) -> Fields:
    sealed = json.loads(row["body"])
    sealed["body"] = {"n": "forged", "by": chance.randrange(10**9)}
    return {**row, "body": canonical(sealed)}


def _rechained(rows: list[Fields], start: int) -> list[Fields]:
    """Number and link the records anew from a place on."""
    prev = rows[start - 1]["h"] if start else GENESIS
    out = rows[:start]
    for seq, row in enumerate(rows[start:], start=start + 1):
        row = row if row["seq"] == seq else _restated(row, seq=seq)
        prev = link(prev, leaf(row["body"]))
        out.append({**row, "h": prev})
    return out


def _resealed(seen: Evidence, kept: int) -> Evidence:
    """Make checkpoints and head anew after the first `kept` records, with the stolen key."""
    notes = [one for one in seen.notes if one["size"] <= kept]
    peaks, previous = Peaks(), sha256_hex(notes[-1]["note"]) if notes else ""
    last = notes[-1]["size"] if notes else 0
    for row in seen.rows:
        peaks = peaks.plus([leaf(row["body"])])
        size = row["seq"]
        if size > last and (size % EVERY == 0 or size in (ANCHORED, ROTATION)):
            text = note(log_id="log-1", peaks=peaks, h=row["h"], previous=previous)
            notes.append({"size": size, "note": text, "sig": seen.key.sign(text.encode()).hex()})
            previous = sha256_hex(text)
    assert seen.head is not None
    end = {**seen.head, "size": seen.rows[-1]["seq"], "h": seen.rows[-1]["h"]}
    end["sig"] = seen.key.sign(head_bytes(AuditHead(**end))).hex()
    return Evidence(seen.rows, notes, end, seen.key)


def edit(world: World, chance: random.Random) -> Evidence:
    seen = world.log.copy()
    place = chance.randrange(SIZE)
    seen.rows[place] = _forged(seen.rows[place], chance)
    return seen


def edit_a_column(world: World, chance: random.Random) -> Evidence:
    seen = world.log.copy()
    name = chance.choice(["ts", "kind", "actor", "corr"])
    seen.rows[chance.randrange(SIZE)][name] += "x"
    return seen


def delete(world: World, chance: random.Random) -> Evidence:
    seen = world.log.copy()
    del seen.rows[chance.randrange(SIZE - 1)]
    return seen


def reorder(world: World, chance: random.Random) -> Evidence:
    seen = world.log.copy()
    one, other = chance.sample(range(SIZE), 2)
    rows = seen.rows
    rows[one], rows[other] = (
        {**rows[other], "seq": one + 1},
        {**rows[one], "seq": other + 1},
    )
    return seen


def insert(world: World, chance: random.Random) -> Evidence:
    seen = world.log.copy()
    place = chance.randrange(1, SIZE)
    seen.rows.insert(place, _forged(seen.rows[place], chance))
    for seq, row in enumerate(seen.rows[place:], start=place + 1):
        row["seq"] = seq
    return seen


def flip(world: World, chance: random.Random) -> Evidence:
    """Turn one bit of one text, wherever it lies."""
    seen = world.log.copy()
    assert seen.head is not None
    fields = chance.choice([*seen.rows, *seen.notes, seen.head])
    name = chance.choice([name for name in fields if isinstance(fields[name], str)])
    raw = bytearray(fields[name].encode())
    raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(7)
    fields[name] = raw.decode("utf-8", "replace")
    return seen


def _changed(seen: Evidence, chance: random.Random, low: int, high: int) -> int:
    """Edit, delete or insert at a place, and link the chain anew; return the place."""
    place = chance.randrange(low, high)
    match chance.choice(["edit", "delete", "insert"]):
        case "edit":
            seen.rows[place] = _forged(seen.rows[place], chance)
        case "delete" if place < len(seen.rows) - 1:
            del seen.rows[place]
        case _:
            seen.rows.insert(place, _forged(seen.rows[place], chance))
    seen.rows = _rechained(seen.rows, place)
    return place


def rechain(world: World, chance: random.Random) -> Evidence:
    seen = world.log.copy()
    _changed(seen, chance, 0, SIZE)
    return seen


def rechain_the_tail(world: World, chance: random.Random) -> Evidence:
    """Edit what no checkpoint covers yet, and let the head say so, as far as it can unsigned."""
    seen = world.log.copy()
    _changed(seen, chance, seen.notes[-1]["size"], SIZE)
    assert seen.head is not None
    if chance.random() < 0.5:
        seen.head |= {"size": len(seen.rows), "h": seen.rows[-1]["h"]}
    return seen


def truncate(world: World, chance: random.Random) -> Evidence:
    seen = world.log.copy()
    del seen.rows[chance.randrange(seen.notes[-1]["size"], SIZE) :]
    return seen


def truncate_with_checkpoints(world: World, chance: random.Random) -> Evidence:
    seen = world.log.copy()
    size = chance.randrange(SIZE)
    del seen.rows[size:]
    seen.notes = [one for one in seen.notes if one["size"] <= size]
    return seen


def drop_checkpoints(world: World, chance: random.Random) -> Evidence:
    """Rewrite and drop the checkpoints that would tell."""
    seen = world.log.copy()
    place = _changed(seen, chance, 0, SIZE)
    seen.notes = [one for one in seen.notes if one["size"] <= place and chance.random() < 0.5]
    return seen


def touch_statements(world: World, chance: random.Random) -> Evidence:
    """Drop, swap or re-sign with a key of one's own what was signed.

    Without its newest minute's checkpoint a log says no less: the head covers the same records.
    """
    seen = world.log.copy()
    place = chance.randrange(len(seen.notes))
    own = Ed25519PrivateKey.from_private_bytes(bytes(32))
    match chance.randrange(5):
        case 0:
            del seen.notes[place % (len(seen.notes) - 1)]
        case 1:
            one = seen.notes[place]
            seen.notes[place] = {**one, "sig": own.sign(one["note"].encode()).hex()}
        case 2:
            seen.notes[place] = {**seen.notes[place - 1], "size": seen.notes[place]["size"]}
        case 3:
            seen.head = None
        case _:
            assert seen.head is not None
            seen.head["sig"] = own.sign(head_bytes(AuditHead(**seen.head))).hex()
    if seen.notes == world.log.notes and seen.head == world.log.head:
        seen.notes[0]["size"] += 1  # a lone checkpoint swapped with itself
    return seen


def roll_back(world: World, chance: random.Random) -> Evidence:
    """Put an older state back whole: log, checkpoints and the head that was signed for it."""
    del chance
    return world.old.copy()


def resign(world: World, chance: random.Random) -> Evidence:
    """Rewrite what was anchored, and sign all of it anew with a stolen key."""
    seen = world.log.copy()
    # A key that was rotated away signs nothing any more; the thief has the one in force.
    low = 0 if seen.key is KEY else ROTATION + 1
    kept = _changed(seen, chance, low, ANCHORED)
    return _resealed(seen, kept)


def roll_back_behind_the_anchor(world: World, chance: random.Random) -> Evidence:
    """Cut what is newer than the anchor, and put back the head that was signed there."""
    seen = world.log.copy()
    size = chance.randrange(ANCHORED, SIZE)
    del seen.rows[size:]
    return _resealed(seen, ANCHORED)  # the very head that was signed at that size


def resign_behind_the_anchor(world: World, chance: random.Random) -> Evidence:
    """Rewrite what is newer than the anchor, and sign it with a stolen key."""
    seen = world.log.copy()
    kept = _changed(seen, chance, ANCHORED, SIZE)
    return _resealed(seen, kept)


@dataclass(frozen=True)
class Row:
    """One row of the matrix: is it found by chain, checkpoints and head; is it with an anchor?"""

    attack: Attack
    alone: bool = True
    anchored: bool = True

    @property
    def name(self) -> str:
        return self.attack.__name__.replace("_", " ")


MATRIX: Final = (
    Row(edit),
    Row(edit_a_column),
    Row(delete),
    Row(reorder),
    Row(insert),
    Row(flip),
    Row(rechain),
    Row(rechain_the_tail),
    Row(truncate),
    Row(truncate_with_checkpoints),
    Row(drop_checkpoints),
    Row(touch_statements),
    Row(roll_back, alone=False),
    Row(resign, alone=False),
    # What one host cannot close: everything newer than the last anchor.
    Row(roll_back_behind_the_anchor, alone=False, anchored=False),
    Row(resign_behind_the_anchor, alone=False, anchored=False),
)


# --- on the disk, and the three verifiers --------------------------------------------------------


def write_export(seen: Evidence, path: Path) -> Path:
    lines = []
    notes = list(seen.notes)
    for row in seen.rows:
        lines.append(canonical({"record": row}))
        while notes and notes[0]["size"] <= row["seq"]:
            lines.append(canonical({"checkpoint": notes.pop(0)}))
    lines += [canonical({"checkpoint": one}) for one in notes]
    lines += [] if seen.head is None else [canonical({"head": seen.head})]
    text = ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass")
    path.write_bytes(gzip.compress(text, 1) if path.suffix == ".gz" else text)
    return path


def write_database(seen: Evidence, path: Path) -> Path:
    """Write the three tables as an attacker leaves them: without their triggers."""
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as connection:
        for name, rows in (
            ("audit", seen.rows),
            ("checkpoints", seen.notes),
            ("audit_head", [] if seen.head is None else [{"id": 1, **seen.head}]),
        ):
            names = {"audit": "seq ts kind actor corr body h", "checkpoints": "size note sig"}
            columns = names.get(name, "id log_id epoch size h ts sig").split()
            connection.execute(f"create table {name} ({', '.join(columns)})")
            marks = ", ".join(f":{column}" for column in columns)
            connection.executemany(f"insert into {name} values ({marks})", rows)
    connection.close()
    return path


@dataclass
class Case:
    """One attack as the verifiers saw it: (code, first bad or missing record) of each."""

    row: Row
    anchored: bool
    told: dict[str, tuple[int, int | None]] = field(default_factory=dict)

    @property
    def found(self) -> bool:
        return all(code != 0 for code, _ in self.told.values())

    def problem(self) -> str | None:
        """Say what is not as the matrix has it; None when all is."""
        if len(set(self.told.values())) != 1:
            return f"{self.row.name}: the verifiers differ: {self.told}"
        wanted = self.row.anchored if self.anchored else self.row.alone
        if self.found != wanted:
            return f"{self.row.name}, anchor {self.anchored}: {self.told}, expected found={wanted}"
        code, seq = self.told["ordergate"]
        if code in (1, 2) and seq is None:
            return f"{self.row.name}: found, but no record is named"
        return None


def attacked(
    worlds: Sequence[World], rows: Sequence[Row], count: int, *, seed: int, place: Path
) -> list[Case]:
    """Attack at random places, each row in turn, without and with the anchor; ask all three."""
    cases: list[Case] = []
    chance = random.Random(seed)
    for begin in range(0, count, BATCH):
        cases += _batch(worlds, rows, range(begin, min(begin + BATCH, count)), chance, place)
    return cases


BATCH: Final = 50


def _batch(
    worlds: Sequence[World],
    rows: Sequence[Row],
    numbers: range,
    chance: random.Random,
    place: Path,
) -> list[Case]:
    cases: list[Case] = []
    asked: dict[str, list[str]] = {each.public: [] for each in worlds}
    waiting: dict[str, list[Case]] = {each.public: [] for each in worlds}
    for n in numbers:
        row = rows[n % len(rows)]
        at = worlds[chance.randrange(len(worlds))]
        seen = row.attack(at, chance)
        export = write_export(seen, place / f"{n}.jsonl{chance.choice(['', '.gz'])}")
        # A database without its head was tampered with; an export without it has lost its end.
        on_disk = seen.head is not None and chance.random() < 0.5
        file = write_database(seen, place / f"{n}.db") if on_disk else export
        for anchored in (False, True):
            case = Case(row, anchored)
            anchors = [at.anchor] if anchored else []
            case.told |= python_verdicts(file, at.public, anchors)
            line = {"files": [str(export)], "anchors": [f"{s}:{root}" for s, root in anchors]}
            asked[at.public].append(json.dumps(line))
            waiting[at.public].append(case)
            cases.append(case)
    for public, lines in asked.items():
        for case, told in zip(waiting[public], node_verdicts(public, lines), strict=True):
            case.told["node"] = told
    for n in numbers:
        for path in place.glob(f"{n}.*"):
            path.unlink()
    return cases


def python_verdicts(
    file: Path, public: str, anchors: Sequence[tuple[int, str]]
) -> dict[str, tuple[int, int | None]]:
    """Ask the product and the stand-alone verifier."""
    finding = verify_file(
        file, verify=verifier(public), anchors=[Anchor(size, root) for size, root in anchors]
    )
    return {
        "ordergate": (finding.verdict.exit_code, finding.seq),
        "stand-alone": oracle_verify.verdict(file, public, anchors),
    }


def node_verdicts(public: str, lines: Sequence[str]) -> list[tuple[int, int | None]]:
    """Ask the oracle in the other language, once for many files."""
    node = shutil.which("node") or shutil.which("nodejs")
    assert node is not None, "the second implementation needs Node.js 20 or newer"
    ran = subprocess.run(
        [node, str(ORACLE), public, "--batch"],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    return [(answer["code"], answer["seq"]) for answer in answers]
