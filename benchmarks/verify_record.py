"""How fast the stand-alone verifier reads a record: an export and a database of 450-byte records.

Goal: 100,000 records a second of processor time, signatures included.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from ratios import Line, table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from ordergate.adapters.storage.log_file import export_log, open_log
from ordergate.adapters.storage.session import SqlTx
from ordergate.adapters.storage.store import SqliteStore
from support.oracle_verify import ordergate_verify
from support.sealed_log import PUBLIC, seal_of

GOAL = 100_000
PAGE = 1_000
TURNS = 5
PAD = "x" * 150


def measure(records: int) -> list[Line]:
    with tempfile.TemporaryDirectory() as place:
        database = Path(place) / "gate.db"
        export = Path(place) / "record.jsonl"
        _sealed(database, records)
        with open_log(database) as log, export.open("w", encoding="utf-8") as out:
            export_log(log, out)
        return [_line(path, records) for path in (database, export)]


def _sealed(path: Path, records: int) -> None:
    store, seal = SqliteStore.open(path), seal_of()
    body = {"event": "judged", "from": "proposed", "to": "allowed", "quantity": "0.1", "pad": PAD}

    def page(tx: SqlTx) -> None:
        for n in range(PAGE):
            corr = f"order-{n // 3}"
            seal.append(tx, "order.judged", actor="local-agent", corr=corr, body=body)

    for _ in range(records // PAGE):
        store.write_now(page)
    store.close_now()


def _line(path: Path, records: int) -> Line:
    rates = []
    for _ in range(TURNS):
        begin = time.process_time()
        result, _ = ordergate_verify.verify([path], PUBLIC)
        rates.append(result.size / (time.process_time() - begin))
        assert (result.code, result.size) == (0, records)
    best = max(rates)
    detail = f"{best:,.0f} records/s of processor time at best, {min(rates):,.0f} at worst"
    what = f"stand-alone verifier, {path.suffix}: time for 100,000 records, s"
    return Line(what, GOAL / best, 1.0, detail)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=50_000)
    print(table(measure(parser.parse_args().records)))


if __name__ == "__main__":
    main()
