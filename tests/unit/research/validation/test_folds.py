"""Folds by hand, and what no fold may do."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ordergate.research.validation.folds import (
    FOLDS_MAX,
    BadFolds,
    Walk,
    combinatorial,
    purged,
    walk,
)


def test_a_rolling_walk_by_hand() -> None:
    folds = walk(20, Walk(train=6, test=4, gap=2))
    assert [(fold.train, fold.test) for fold in folds] == [
        (((0, 6),), (8, 12)),
        (((4, 10),), (12, 16)),
        (((8, 14),), (16, 20)),
    ]


def test_an_anchored_walk_grows() -> None:
    folds = walk(20, Walk(train=6, test=4, gap=2, anchored=True))
    assert [fold.train[0] for fold in folds] == [(0, 6), (0, 10), (0, 14)]


def test_half_a_last_window_is_taken_and_less_is_not() -> None:
    assert walk(18, Walk(train=6, test=4, gap=2))[-1].test == (16, 18)
    assert walk(17, Walk(train=6, test=4, gap=2))[-1].test == (12, 16)


@given(
    count=st.integers(10, 300),
    train=st.integers(1, 60),
    test=st.integers(3, 30),
    gap=st.integers(0, 10),
    anchored=st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_a_walk_never_looks_ahead_and_tests_each_once(
    count: int, train: int, test: int, gap: int, anchored: bool
) -> None:
    try:
        folds = walk(count, Walk(train=train, test=test, gap=gap, anchored=anchored))
    except BadFolds:
        assert train + gap + test + (test + 1) // 2 > count
        return
    tested = [at for fold in folds for at in range(*fold.test)]
    assert tested == list(range(tested[0], tested[-1] + 1))
    for fold in folds:
        ((begin, end),) = fold.train
        assert end + gap == fold.test[0]
        assert end - begin >= train
        assert fold.test[1] <= count


@pytest.mark.parametrize(
    "windows", [Walk(train=0, test=4), Walk(train=4, test=0), Walk(train=4, test=4, gap=-1)]
)
def test_windows_of_nothing_are_refused(windows: Walk) -> None:
    with pytest.raises(BadFolds):
        walk(100, windows)


def test_too_few_and_too_many_folds_are_refused_with_the_number() -> None:
    with pytest.raises(BadFolds, match="18 are needed"):
        walk(12, Walk(train=10, test=4))
    with pytest.raises(BadFolds, match=str(FOLDS_MAX)):
        walk(1_000, Walk(train=10, test=1))


def test_purge_and_embargo_by_hand() -> None:
    # labels look 2 ahead: 3 and 4 reach into the test 5..7; 8 and 9 are reached by it
    assert purged(20, [(5, 8)], reach=2) == ((0, 3), (10, 20))
    assert purged(20, [(5, 8)], reach=2, embargo=3) == ((0, 3), (13, 20))
    assert purged(10, [(0, 2), (8, 10)]) == ((2, 8),)
    assert purged(4, [(0, 4)]) == ()


@given(start=st.integers(0, 20), length=st.integers(1, 10), reach=st.integers(0, 6))
@settings(max_examples=80, deadline=None)
def test_no_label_left_overlaps_a_test(start: int, length: int, reach: int) -> None:
    tested = range(start, start + length)
    kept = {at for a, b in purged(40, [(start, start + length)], reach=reach) for at in range(a, b)}
    for at in range(40):
        overlaps = any(at <= one + reach and one <= at + reach for one in tested)
        assert (at in kept) is not overlaps


def test_combinatorial_paths_by_hand() -> None:
    paths = combinatorial(13, groups=4, tested=2, reach=1)
    assert len(paths) == 6
    train, tests = paths[0]
    assert tests == ((1, 4), (4, 7))  # 13 mod 4 = 1: the oldest is dropped
    assert train == ((8, 13),)
    train, tests = paths[2]
    assert tests == ((1, 4), (10, 13))
    assert train == ((5, 9),)
    assert combinatorial(12, groups=3, tested=1)[1] == (((0, 4), (8, 12)), ((4, 8),))


def test_senseless_groups_are_refused() -> None:
    for groups, tested in ((0, 1), (4, 4), (4, 0), (50, 2)):
        with pytest.raises(BadFolds):
            combinatorial(20, groups=groups, tested=tested)
    with pytest.raises(BadFolds, match="fewer groups"):
        combinatorial(1000, groups=20, tested=10)
