"""The attack matrix of the record: every cell as the table has it; three verifiers say the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from ordergate.audit import checkpoint
from support.record_attacks import (
    MATRIX,
    World,
    attacked,
    node_verdicts,
    python_verdicts,
    world,
    write_database,
    write_export,
)

SEED = 11


@pytest.fixture(scope="module")
def worlds() -> tuple[World, ...]:
    return world(), world(rotated=True)


def test_every_attack_is_found_where_the_matrix_says_so(
    worlds: tuple[World, ...], tmp_path: Path
) -> None:
    cases = attacked(worlds, MATRIX, len(MATRIX), seed=SEED, place=tmp_path)
    assert [problem for case in cases if (problem := case.problem()) is not None] == []
    assert {case.row.name for case in cases} == {row.name for row in MATRIX}


def test_untouched_logs_hold_for_all_three(worlds: tuple[World, ...], tmp_path: Path) -> None:
    for at in worlds:
        export = write_export(at.log, tmp_path / "log.jsonl")
        database = write_database(at.log, tmp_path / "log.db")
        for file in (export, database):
            told = python_verdicts(file, at.public, [at.anchor])
            assert set(told.values()) == {(0, None)}
        line = f'{{"files": ["{export}"], "anchors": ["{at.anchor[0]}:{at.anchor[1]}"]}}'
        assert node_verdicts(at.public, [line]) == [(0, None)]


@pytest.mark.slow
def test_a_verifier_that_trusts_the_head_unsigned_is_told_apart(
    worlds: tuple[World, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The harness sees a broken variant: ours believing any signature."""
    monkeypatch.setattr(checkpoint, "_signed", lambda *_: True)
    rows = [row for row in MATRIX if row.name in ("rechain the tail", "touch statements")]
    cases = attacked(worlds, rows, 6, seed=SEED, place=tmp_path)
    assert any(case.problem() is not None for case in cases)
