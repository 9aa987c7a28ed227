"""A receipt proves an order's records to a stranger, and nothing else."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from ordergate.audit.chain import leaf
from ordergate.audit.receipt import Receipt, holds, receipt
from ordergate.model.canonical import canonical
from support.memory_journal import Books, MemoryTx
from support.oracle_verify import ordergate_verify
from support.record_attacks import node_verdicts
from support.sealed_log import PUBLIC, fill_log, seal_of, verify


def made(size: int, order: str, *, covered: int | None = None) -> Receipt | None:
    tx = MemoryTx(Books())
    fill_log(tx, covered or size)
    seal_of().checkpoint(tx)
    under = tx.last_checkpoint()
    assert under is not None
    if covered is not None:
        fill_log(tx, size - covered)
    rows = tx.audit_rows(after=0, limit=2_000)
    leaves = [leaf(row.body) for row in rows[: under.size]]
    return receipt(leaves, [row for row in rows if row.corr == order], under=under)


def alone(one: Receipt) -> int:
    result, _ = ordergate_verify.verify_receipt(json.loads(canonical(one)), PUBLIC)
    return int(result.code)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 257, 600])
def test_every_record_is_proven_in_trees_of_every_shape(size: int, tmp_path: Path) -> None:
    lines = []
    for order in {0, (size - 1) // 3}:
        one = made(size, f"order-{order}")
        assert one is not None
        assert holds(one, verify=verify)
        assert alone(one) == 0
        path = tmp_path / f"{order}.json"
        path.write_text(canonical({"receipt": one}))
        lines.append(json.dumps({"files": [str(path)], "anchors": []}))
    assert set(node_verdicts(PUBLIC, lines)) == {(0, None)}


def test_what_no_checkpoint_holds_has_no_receipt_yet() -> None:
    assert made(30, "order-0", covered=10) is not None
    partly = made(12, "order-3", covered=10)
    assert partly is not None
    assert [one.seq for one in partly.records] == [10]
    assert made(30, "order-0", covered=1) is not None
    assert made(10, "nobody's") is None


def test_a_receipt_that_was_touched_proves_nothing() -> None:
    one = made(300, "order-20")
    assert one is not None
    record = one.records[0]
    forged = canonical({**json.loads(record.body), "body": {"n": 1}})
    note = one.note.replace('"size":300', '"size":301')
    other = made(300, "order-21")
    assert other is not None
    spoilt = [
        dataclasses.replace(one, records=(dataclasses.replace(record, body=forged),)),
        dataclasses.replace(one, records=(dataclasses.replace(record, body="{}"),)),
        dataclasses.replace(one, records=(dataclasses.replace(record, seq=record.seq + 1),)),
        dataclasses.replace(one, records=(dataclasses.replace(record, path=record.path[1:]),)),
        dataclasses.replace(one, records=(dataclasses.replace(record, path=("00" * 32,) * 9),)),
        dataclasses.replace(one, records=()),
        dataclasses.replace(one, records=other.records),
        dataclasses.replace(one, corr="order-21"),
        dataclasses.replace(one, note=note),
        dataclasses.replace(one, sig="00" * 64),
        dataclasses.replace(one, sig="no hex"),
        dataclasses.replace(one, log_id="log-2"),
    ]
    for each in spoilt:
        assert not holds(each, verify=verify), each
        assert alone(each) != 0, each
