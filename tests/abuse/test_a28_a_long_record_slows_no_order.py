"""A28: a long sealed record leaves an order as quick as a short one.

ORDERGATE_AUDIT_ROWS=1000000 is the case's own size; `make redteam` runs it.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ordergate.adapters.storage.store import SqliteStore
from ordergate.audit.seal import Seal
from support.gateway_process import ROOMY, GatewayProcess, gateway
from support.manual_clock import ManualClock
from support.sealed_log import fill_log

ROWS = int(os.environ.get("ORDERGATE_AUDIT_ROWS", "50000"))
BATCH = 10_000
ORDERS = 40
TRIES = 3
SLOWER_MAX = 2.0  # times the median of the short record: a scan of the record costs far more


def median_ms(running: GatewayProcess, name: str) -> float:
    order, took = running.order(), []
    for number in range(ORDERS):
        began = time.perf_counter()
        placed = running.good("place_order", **order, idempotency_key=f"{name}-{number}")
        took.append(time.perf_counter() - began)
        assert placed["status"] == "filled"
    return statistics.median(took) * 1000


def lengthen(running: GatewayProcess, rows: int) -> None:
    """Seal more records while the gateway is stopped, with its own key, as its own."""
    key = Ed25519PrivateKey.from_private_bytes((running.config / "audit.key").read_bytes())
    ((log_id, epoch),) = running.book("select log_id, epoch from audit_head")
    seal = Seal(sign=key.sign, log_id=log_id, epoch=epoch, clock=ManualClock(), version="0.1.0")
    store = SqliteStore.open(running.data / "gate.db")
    try:
        for _ in range(0, rows, BATCH):
            store.write_now(lambda tx: fill_log(tx, BATCH, seal=seal))
    finally:
        store.close_now()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_orders_stay_as_quick(tmp_path: Path) -> None:
    with gateway(tmp_path, ROOMY) as running:
        short = min(median_ms(running, f"short-{number}") for number in range(TRIES))
        assert running.stop()[0] == 0
        lengthen(running, ROWS)
        running.start()
        long = min(median_ms(running, f"long-{number}") for number in range(TRIES))
        ((held,),) = running.book("select count(*) from audit")
        print(json.dumps({"rows": held, "short_ms": round(short, 2), "long_ms": round(long, 2)}))
        assert held > ROWS
        assert long < short * SLOWER_MAX + 10
