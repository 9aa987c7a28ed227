"""What is done to the books without a gateway: the first operator, and the proof of the record."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from ordergate import __version__
from ordergate.adapters.keys import AUDIT_PUBLIC, load_keys, verifier
from ordergate.adapters.storage.log_file import verify_file
from ordergate.adapters.storage.store import SqliteStore
from ordergate.adapters.system import SystemClock, SystemIds, random_bytes
from ordergate.audit.checkpoint import Verdict
from ordergate.audit.seal import Seal
from ordergate.bootstrap.house import CONSOLE_HOST, GATE_FILE, sign_in_over
from ordergate.bootstrap.line import log_of
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
    record = file or settings.directories.data / GATE_FILE
    published = settings.directories.config / AUDIT_PUBLIC
    if not record.exists() or not published.exists():
        missing = record if not record.exists() else published
        raise NotFound(f"there is no {missing}", fix="start `ordergate up` once")
    public = published.read_text(encoding="ascii").strip()
    finding = verify_file(record, verify=verifier(public))
    if finding.verdict is not Verdict.OK:
        where = "" if finding.seq is None else f" at record {finding.seq}"
        raise RecordBroken(
            f"the record is {finding.verdict}{where}: {finding.reason}",
            fix="keep the files as they are; compare with an export or an anchor you kept",
            details={
                "verdict": finding.verdict.value,
                "exit_code": finding.verdict.exit_code,
                "seq": finding.seq,
                "size": finding.size,
            },
        )
    return {"records": finding.size, "root": finding.root, "public_key": public}
