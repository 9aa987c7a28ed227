"""A key pair and logs sealed with it, for the suites of the audit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ordergate.audit.seal import Seal
from ordergate.ports.audit_log import AuditTx
from support.fresh_books import open_books
from support.manual_clock import ManualClock

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw().hex()


def verify(message: bytes, signature: bytes) -> bool:
    try:
        KEY.public_key().verify(signature, message)
    except InvalidSignature:
        return False
    return True


def seal_of(
    clock: ManualClock | None = None,
    *,
    log_id: str = "log-1",
    epoch: int = 1,
    sign: Callable[[bytes], bytes] = KEY.sign,
) -> Seal:
    clock = clock or ManualClock()
    return Seal(sign=sign, log_id=log_id, epoch=epoch, clock=clock, version="0.1.0")


def fill_log(tx: AuditTx, count: int, *, seal: Seal | None = None) -> None:
    """Seal `count` records of several kinds."""
    seal = seal or seal_of()
    for n in range(count):
        kind = ("order.proposed", "order.judged", "attempt.claimed")[n % 3]
        seal.append(tx, kind, actor="local-agent", corr=f"order-{n // 3}", body={"n": n, "π": "é"})


def sealed_database(path: Path, count: int) -> None:
    """Write a database with `count` sealed records and close it."""
    store = open_books(path)
    store.write_now(lambda tx: fill_log(tx, count))
    store.close_now()


Edit = Callable[[Path], None]
