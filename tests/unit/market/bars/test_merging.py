from __future__ import annotations

import numpy
import pytest

from ordergate.market.bars.merging import Conflict, merge
from support.bar_series import iso, rows, series


def test_new_bars_are_added_in_order_with_their_origin() -> None:
    merged = merge(
        rows(series("2026-01-07T10:02", [3, 4], ask=True)),
        rows(series("2026-01-07T10:00", [1, 2], ask=True), 2),
        Conflict.REFUSE,
    )
    assert (merged.added, merged.same, merged.differing) == (2, 0, 0)
    assert merged.rows.series.close.tolist() == [1, 2, 3, 4]
    assert merged.rows.origin.tolist() == [2, 2, 1, 1]
    assert merged.rows.series.ask is not None
    assert len(merged.rows.series.ask.close) == 4


def test_the_same_again_changes_nothing() -> None:
    old = rows(series("2026-01-07T10:00", [1, 2, 3], volume=float("nan")))
    merged = merge(
        old, rows(series("2026-01-07T10:00", [1, 2, 3], volume=float("nan")), 2), Conflict.REFUSE
    )
    assert (merged.added, merged.same, merged.differing, merged.running) == (0, 3, 0, False)
    assert merged.rows.origin.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("conflict", "closes"),
    [(Conflict.REFUSE, [1, 2, 3]), (Conflict.KEEP, [1, 2, 3]), (Conflict.REPLACE, [1, 9, 3])],
)
def test_a_complete_bar_changes_only_when_told(conflict: Conflict, closes: list[float]) -> None:
    old = series("2026-01-07T10:00", [1, 2, 3])
    other = series([int(old.time[1])], [9])
    merged = merge(rows(old), rows(other, 2), conflict)
    assert merged.differing == 1
    assert merged.first_differing == old.time[1]
    assert merged.rows.series.close.tolist() == closes


def test_a_running_bar_gives_way_to_its_newer_self() -> None:
    old = rows(series("2026-01-07T10:00", [1, 2], complete=False))
    newer = rows(series("2026-01-07T10:01", [5, 6]), 2)
    merged = merge(old, newer, Conflict.REFUSE)
    assert merged.rows.series.close.tolist() == [1, 5, 6]
    assert (merged.differing, merged.running) == (0, True)
    assert merged.rows.series.complete


def test_an_equal_running_bar_becomes_complete() -> None:
    old = rows(series("2026-01-07T10:00", [1, 2], complete=False))
    merged = merge(old, rows(series("2026-01-07T10:00", [1, 2]), 2), Conflict.REFUSE)
    assert merged.running
    assert merged.rows.series.complete


def test_half_a_bar_never_stands_among_whole_ones() -> None:
    """A running bar that nothing replaces goes when later ones come."""
    old = rows(series("2026-01-07T10:00", [1, 2], complete=False))
    merged = merge(old, rows(series("2026-01-07T10:05", [7]), 2), Conflict.REFUSE)
    assert [iso(at) for at in merged.rows.series.time] == ["2026-01-07T10:00", "2026-01-07T10:05"]


def test_an_older_file_s_running_bar_does_not_spoil_a_whole_one() -> None:
    old = rows(series("2026-01-07T10:00", [1, 2, 3]))
    merged = merge(
        old, rows(series("2026-01-07T10:00", [1, 8], complete=False), 2), Conflict.REFUSE
    )
    assert (merged.same, merged.differing) == (1, 0)
    assert merged.rows.series.close.tolist() == [1, 2, 3]
    assert merged.rows.series.complete


def test_nothing_is_lost_or_doubled_whatever_overlaps() -> None:
    chance = numpy.random.default_rng(7)
    for _ in range(200):
        minutes = numpy.sort(chance.choice(40, chance.integers(1, 30), replace=False))
        others = numpy.sort(chance.choice(40, chance.integers(1, 30), replace=False))
        old = series((minutes * 60_000_000_000).tolist(), [1.0] * len(minutes))
        new = series((others * 60_000_000_000).tolist(), [1.0] * len(others))
        merged = merge(rows(old), rows(new, 2), Conflict.REFUSE)
        expected = sorted(set(old.time.tolist()) | set(new.time.tolist()))
        assert merged.rows.series.time.tolist() == expected
        assert merged.added + len(old) == len(expected)
