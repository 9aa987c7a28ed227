"""A new signing key for the record: both keys sign the change, and it survives a crash half-way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from ordergate import __version__
from ordergate.adapters.keys import NEXT_KEY, load_keys, next_pair, take_next
from ordergate.adapters.storage.inspection import newest_rotation
from ordergate.adapters.storage.link import Database, NotDurable
from ordergate.adapters.storage.session import SqlTx
from ordergate.adapters.storage.store import SqlStore
from ordergate.adapters.system import SystemClock, random_bytes
from ordergate.audit.keyring import ROTATED, Rotation
from ordergate.audit.seal import Seal
from ordergate.model.errors import IllegalState

HOST = "host"  # who acts with the files of the config directory alone


def rotate_key(config: Path, database: Database) -> Mapping[str, object]:
    """Seal the change to a new key and take it; the gateway is stopped meanwhile."""
    finish_rotation(config, database)
    old = load_keys(config, chance=random_bytes)
    if old.lost is not None:
        raise IllegalState(old.lost, fix="put audit.key back, or give the record up")
    new = next_pair(config, chance=random_bytes)
    clock = SystemClock()

    def work(tx: SqlTx) -> Rotation:
        head = tx.audit_head()
        if head is None:
            raise IllegalState("nothing is sealed yet", fix="start `ordergate up` once")

        def seal(pair: Callable[[bytes], bytes]) -> Seal:
            return Seal(
                sign=pair,
                log_id=head.log_id,
                epoch=head.epoch,
                clock=clock,
                version=__version__,
            )

        seal(old.sign).checkpoint(tx)
        bare = Rotation(log_id=head.log_id, first=head.size + 1, old=old.public, new=new.public)
        said = bare.statement()
        rotation = replace(
            bare, signed_by_old=old.sign(said).hex(), signed_by_new=new.sign(said).hex()
        )
        fresh = seal(new.sign)
        fresh.append(tx, ROTATED, actor=HOST, corr=head.log_id, body=rotation.body())
        fresh.checkpoint(tx)
        return rotation

    store = SqlStore.over(database)
    try:
        rotation = store.write_now(work)
    finally:
        store.close_now()
    take_next(config, chance=random_bytes)
    return {"record": rotation.first, "old": rotation.old, "public_key": rotation.new}


def finish_rotation(config: Path, database: Database) -> None:
    """Take the next key where its rotation is sealed; drop it where it is not."""
    if not (config / NEXT_KEY).exists():
        return
    try:
        sealed = newest_rotation(database) if not database.is_unused() else None
    except (NotDurable, database.errors):
        return  # the database is looked at next, and says what is wrong with it
    if sealed == next_pair(config, chance=random_bytes).public:
        take_next(config, chance=random_bytes)
    else:
        (config / NEXT_KEY).unlink()
