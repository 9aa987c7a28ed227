"""What is done to the books without a gateway: the first operator, and the proof of the record."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from ordergate import __version__
from ordergate.adapters.anchor_file import Anchored, AnchorUnreadable
from ordergate.adapters.keys import (
    AUDIT_PUBLIC,
    KEY_BYTES,
    load_keys,
    new_beginning,
    verifier,
)
from ordergate.adapters.storage.connection import SqliteFile
from ordergate.adapters.storage.log_file import Unreadable, open_log, verify_file
from ordergate.adapters.storage.segments import verify_segments
from ordergate.adapters.storage.store import SqlStore
from ordergate.adapters.system import SystemClock, SystemIds, random_bytes
from ordergate.audit.chain import leaf
from ordergate.audit.checkpoint import Anchor, Finding, Verdict, size_and_root
from ordergate.audit.receipt import receipt
from ordergate.audit.seal import Seal
from ordergate.bootstrap.house import (
    CONSOLE_HOST,
    anchors_of,
    database_of,
    segments_of,
    sign_in_over,
)
from ordergate.bootstrap.line import log_of
from ordergate.bootstrap.opening import examine, told
from ordergate.bootstrap.rotating import finish_rotation, rotate_key
from ordergate.identity.factors.passkeys import site_of
from ordergate.identity.sign_in import Enrolment
from ordergate.model.canonical import canonical
from ordergate.model.errors import IllegalState, InvalidArgument, NotFound, NotReady
from ordergate.settings.load import Settings


def init_operator(settings: Settings, name: str) -> Enrolment:
    """Make the first operator and return what is shown once."""
    return asyncio.run(_init_operator(settings, name))


async def _init_operator(settings: Settings, name: str) -> Enrolment:
    finish_rotation(settings.directories.config, database_of(settings))
    keys = load_keys(settings.directories.config, chance=random_bytes)
    if keys.lost is not None:
        raise IllegalState(keys.lost, fix="put audit.key back, or give the record up")
    store = SqlStore.over(database_of(settings))
    try:
        ids, clock = SystemIds(), SystemClock()
        log_id = await store.write(lambda tx: log_of(tx, ids))
        epoch = await store.read(lambda tx: int(tx.fact("epoch") or "0"))
        seal = Seal(sign=keys.sign, log_id=log_id, epoch=epoch, clock=clock, version=__version__)
        site = site_of(f"http://{CONSOLE_HOST}", settings.console.public_url)
        return await sign_in_over(store, seal, settings, site=site).init_operator(name)
    finally:
        await store.close()


class RecordBroken(IllegalState):
    """The record does not prove itself: tampered with, cut, or not to be read."""


def verify_audit(
    settings: Settings,
    files: Sequence[Path] = (),
    *,
    public: str | None = None,
    anchors: Sequence[str] = (),
) -> Mapping[str, object]:
    """Check a database, an export or segments under a public key; RecordBroken unless whole.

    Without a file it is this gateway's own database, and its anchors are compared; without a key it
    is the config directory's. `details` name the verdict, its exit code and the first record that
    is bad or missing.
    """
    key = _public(settings, public)
    shown = _anchors(anchors)
    finding = _of_files(files, key, shown) if files else _own(settings, key, shown)
    if finding.verdict is not Verdict.OK:
        raise RecordBroken(
            told(finding),
            fix="keep the files as they are; compare with an export or an anchor you kept",
            details={
                "verdict": finding.verdict.value,
                "exit_code": finding.verdict.exit_code,
                "seq": finding.seq,
                "size": finding.size,
            },
        )
    return {"records": finding.size, "root": finding.root, "public_key": key}


def _public(settings: Settings, given: str | None) -> str:
    """Return the key that was given, as hex digits or as the file that holds them, or our own."""
    published = settings.directories.config / AUDIT_PUBLIC
    try:
        file = published if given is None else Path(given)
        text = file.read_text("ascii").strip() if given is None or file.is_file() else given
        if len(bytes.fromhex(text)) == KEY_BYTES:
            return text.lower()
    except FileNotFoundError:
        raise NotFound(f"there is no {published}", fix="start `ordergate up` once") from None
    except (OSError, ValueError):
        pass
    raise InvalidArgument(
        f"{given or published} is no public key", fix="give audit.pub, or its 64 digits"
    )


def _anchors(texts: Sequence[str]) -> Sequence[Anchor]:
    try:
        return [Anchor.of(text) for text in texts]
    except ValueError as error:
        raise InvalidArgument(str(error), fix="copy it as a message or a page printed it") from None


def _of_files(files: Sequence[Path], key: str, anchors: Sequence[Anchor]) -> Finding:
    missing = [file for file in files if not file.exists()]
    if missing:
        raise NotFound(f"there is no {missing[0]}", fix="name an export, a segment or a database")
    if len(files) == 1:
        return verify_file(files[0], verify=verifier(key), anchors=anchors)
    return verify_segments(files, verify=verifier(key), anchors=anchors)


def _own(settings: Settings, key: str, anchors: Sequence[Anchor]) -> Finding:
    """Prove our own database, also against the anchors that are kept beside it."""
    record = database_of(settings)
    try:
        anchor = anchors_of(settings).read()
    except AnchorUnreadable as error:
        return Finding(verdict=Verdict.UNVERIFIABLE, size=0, reason=str(error))
    if record.is_unused():
        if anchor is not None and anchor.set_aside is None:
            reason = f"{record.name} is gone: {anchor.head.size} records were anchored"
            return Finding(verdict=Verdict.CUT, size=0, seq=1, reason=reason)
        raise NotFound(f"there is no record in {record.name}", fix="start `ordergate up` once")
    proven = verify_file(record, verify=verifier(key), anchors=anchors)
    if proven.verdict is not Verdict.OK:
        return proven
    finding, _ = examine(record, anchor, verify=verifier(key))
    return dataclasses.replace(finding, root=proven.root)


def order_receipt(settings: Settings, order_id: str, out: Path | None) -> Mapping[str, object]:
    """Return, or write, the proof that a signed checkpoint holds an order's records."""
    record = database_of(settings)
    try:
        with open_log(record) as log:
            rows, leaves = [], []
            under = log.checkpoints[-1] if log.checkpoints else None
            for row in log.rows:
                leaves.append(leaf(row.body))
                if row.corr == order_id:
                    rows.append(row)
            made = None if under is None else receipt(leaves[: under.size], rows, under=under)
    except Unreadable as error:
        raise NotFound(str(error), fix="start `ordergate up` once") from None
    if not rows:
        raise NotFound(f"no record of {order_id[:64]}", fix="`ordergate order list` names orders")
    if made is None or under is None:
        raise NotReady("no checkpoint holds it yet", fix="try again in a minute")
    text = canonical({"receipt": made})
    told = {"records": len(made.records), "checkpoint": size_and_root(under)}
    told |= {"waiting": len(rows) - len(made.records)}
    if out is None:
        return told | {"receipt": text}
    out.write_text(text, encoding="utf-8")
    return told | {"file": str(out)}


def write_segments(settings: Settings) -> Mapping[str, object]:
    """Write every segment that is due; return all there are."""
    segments = segments_of(settings)
    if segments.database.is_unused():
        raise NotFound(
            f"there is no record in {segments.database.name}", fix="start `ordergate up` once"
        )
    written = 0
    while (part := segments.due(SystemClock().now())) is not None:
        for _ in segments.write(part):
            pass
        written += 1
    return {"written": written, "segments": [str(path) for path in segments.files()]}


def rotate_audit_key(settings: Settings) -> Mapping[str, object]:
    """Give the record a new signing key; the gateway is stopped meanwhile."""
    where = settings.directories
    return rotate_key(where.config, database_of(settings))


def set_aside(settings: Settings, reason: str) -> Mapping[str, object]:
    """Give up a record that proves nothing: its files are kept, and the next start begins anew.

    That start knows what was lost: kill switch on, no credential of before, and what the venue
    holds under our tags is adopted. Raises IllegalState where the record is whole.
    """
    where = settings.directories
    database = database_of(settings)
    finish_rotation(where.config, database)
    keyless = load_keys(where.config, chance=random_bytes).lost
    anchors = anchors_of(settings)
    anchor = anchors.read()
    try:
        verify_audit(settings)
    except RecordBroken as broken:
        found = broken.message
    else:
        if keyless is None:
            raise IllegalState(
                "the record is whole: there is nothing to give up",
                fix="`ordergate audit verify` proves it",
            )
        found = keyless
    if anchor is None:
        raise IllegalState(
            "no anchor of this record was ever kept",
            fix=f"move {database.name} out of {where.data} by hand",
        )
    try:
        anchors.write(Anchored(anchor.head, reason))
    except OSError as error:
        raise IllegalState(f"an anchor cannot be written: {error}", fix="mount its place") from None
    stamp = f"{SystemClock().now():%Y%m%dT%H%M%SZ}"
    kept = []
    if not isinstance(database, SqliteFile):
        kept.append(f"{database.name}, as it is: name another, empty one in journal.database_url")
        return {"found": found, "kept": kept, "records_lost": anchor.head.size}
    for name in (database.name, f"{database.name}-wal", f"{database.name}-shm"):
        file = where.data / name
        if file.exists():
            kept.append(str(file.rename(where.data / f"set-aside-{stamp}-{name}")))
    if keyless is not None:
        kept.append(str(new_beginning(where.config)))
    return {"found": found, "kept": kept, "records_lost": anchor.head.size}
