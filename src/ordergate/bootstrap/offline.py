"""What is done to the books without a gateway: the first operator, and the proof of the record."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from pathlib import Path

from ordergate import __version__
from ordergate.adapters.anchor_file import Anchored, AnchorFile
from ordergate.adapters.keys import AUDIT_PUBLIC, load_keys, verifier
from ordergate.adapters.storage.inspection import is_unused
from ordergate.adapters.storage.log_file import verify_file
from ordergate.adapters.storage.store import SqliteStore
from ordergate.adapters.system import SystemClock, SystemIds, random_bytes
from ordergate.audit.checkpoint import Finding, Verdict
from ordergate.audit.seal import Seal
from ordergate.bootstrap.house import CONSOLE_HOST, GATE_FILE, sign_in_over
from ordergate.bootstrap.line import log_of
from ordergate.bootstrap.opening import examine, told
from ordergate.identity.factors.passkeys import site_of
from ordergate.identity.sign_in import Enrolment
from ordergate.model.errors import IllegalState, NotFound
from ordergate.settings.load import Settings


def init_operator(settings: Settings, name: str) -> Enrolment:
    """Make the first operator and return what is shown once."""
    return asyncio.run(_init_operator(settings, name))


async def _init_operator(settings: Settings, name: str) -> Enrolment:
    keys = load_keys(settings.directories.config, chance=random_bytes)
    store = SqliteStore.open(settings.directories.data / GATE_FILE)
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


def verify_audit(settings: Settings, file: Path | None) -> Mapping[str, object]:
    """Check a database or an export under the config directory's key; RecordBroken unless whole.

    Without a file it is this gateway's own database. `details` name the verdict, its exit code and
    the first record that is bad or missing.
    """
    where = settings.directories
    record, published = file or where.data / GATE_FILE, where.config / AUDIT_PUBLIC
    anchor = None if file is not None else AnchorFile(where.config, where.data).read()
    lost = anchor is not None and anchor.set_aside is None and is_unused(record)
    if not published.exists() or not (record.exists() or lost):
        missing = record if not record.exists() else published
        raise NotFound(f"there is no {missing}", fix="start `ordergate up` once")
    public = published.read_text(encoding="ascii").strip()
    if lost and anchor is not None:
        reason = f"{record.name} is gone: {anchor.head.size} records were anchored"
        finding = Finding(verdict=Verdict.CUT, size=0, seq=1, reason=reason)
    elif file is not None:
        finding = verify_file(record, verify=verifier(public))
    else:
        finding = verify_file(record, verify=verifier(public))
        if finding.verdict is Verdict.OK:
            root = finding.root
            finding, _ = examine(record, anchor, verify=verifier(public))
            finding = dataclasses.replace(finding, root=root)
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
    return {"records": finding.size, "root": finding.root, "public_key": public}


def set_aside(settings: Settings, reason: str) -> Mapping[str, object]:
    """Give up a record that proves nothing: its files are kept, and the next start begins anew.

    That start knows what was lost: kill switch on, no credential of before, and what the venue
    holds under our tags is adopted. Raises IllegalState where the record is whole.
    """
    where = settings.directories
    anchors = AnchorFile(where.config, where.data)
    anchor = anchors.read()
    try:
        verify_audit(settings, None)
    except RecordBroken as broken:
        found = broken.message
    else:
        raise IllegalState(
            "the record is whole: there is nothing to give up",
            fix="`ordergate audit verify` proves it",
        )
    if anchor is None:
        raise IllegalState(
            "no anchor of this record was ever kept",
            fix=f"move {GATE_FILE} out of {where.data} by hand",
        )
    anchors.write(Anchored(anchor.head, reason))
    stamp = f"{SystemClock().now():%Y%m%dT%H%M%SZ}"
    kept = []
    for name in (GATE_FILE, f"{GATE_FILE}-wal", f"{GATE_FILE}-shm"):
        file = where.data / name
        if file.exists():
            kept.append(str(file.rename(where.data / f"set-aside-{stamp}-{name}")))
    return {"found": found, "kept": kept, "records_lost": anchor.head.size}
