from __future__ import annotations

from collections.abc import Sequence

import numpy
import pytest

from ordergate.market.bars.faults import UNREADABLE, Fault, Raw, finding, off_grid, sift
from support.bar_series import HOUR, MINUTE, ns

BEGIN = ns("2026-01-07T10:00")
NOW = ns("2026-01-08T00:00")


def raw(*bars: Sequence[float], times: Sequence[int] | None = None) -> Raw:
    """Return rows of four (trade bar) or eight (bid bar, ask bar) prices, a minute apart."""
    minutes = list(range(len(bars))) if times is None else times
    return Raw(
        BEGIN + numpy.array(minutes, numpy.int64) * MINUTE,
        tuple(numpy.array([bar[n] for bar in bars], numpy.float64) for n in range(len(bars[0]))),
        None,
        numpy.arange(2, len(bars) + 2),
        numpy.zeros(len(bars), numpy.bool_),
    )


GOOD = (2.0, 3.0, 1.0, 2.0)
NAN = float("nan")


def sifted(
    rows: Raw, *drop: Fault, sort: bool = False
) -> tuple[int, dict[Fault, tuple[int, bool]]]:
    kept, found = sift(rows, now=NOW, drop=frozenset(drop), sort=sort)
    return len(kept), {item.fault: (item.rows, item.settled) for item in found}


def test_good_rows_have_no_faults() -> None:
    assert sifted(raw(GOOD, GOOD)) == (2, {})


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        ((2.0, NAN, 1.0, 2.0), Fault.NAN),
        ((2.0, float("inf"), 1.0, 2.0), Fault.NAN),
        ((2.0, 3.0, -1.0, 2.0), Fault.NEGATIVE),
        ((2.0, 3.0, 0.0, 2.0), Fault.NEGATIVE),
        ((2.0, 1.9, 1.0, 2.0), Fault.INVERTED),  # closes above its high
        ((2.0, 3.0, 2.5, 2.0), Fault.INVERTED),
    ],
)
def test_a_price_that_is_none_is_found(bad: Sequence[float], fault: Fault) -> None:
    assert sifted(raw(GOOD, bad)) == (1, {fault: (1, False)})
    assert sifted(raw(GOOD, bad), fault) == (1, {fault: (1, True)})


def test_a_bid_above_its_ask_anywhere_in_the_bar_is_crossed() -> None:
    ask = (2.1, 3.1, 1.1, 2.1)
    low_crossed = (2.1, 3.1, 0.9, 2.1)
    assert sifted(raw((*GOOD, *ask), (*GOOD, *low_crossed))) == (1, {Fault.CROSSED: (1, False)})
    ticks = raw((1.1, 1.2), (1.3, 1.2))
    assert sifted(ticks) == (1, {Fault.CROSSED: (1, False)})


def test_rows_that_go_back_in_time_are_found_and_sorted_only_when_told() -> None:
    rows = raw(GOOD, GOOD, GOOD, times=[2, 0, 1])
    assert sifted(rows) == (3, {Fault.UNSORTED: (1, False)})
    kept, _ = sift(rows, now=NOW, drop=frozenset(), sort=True)
    assert kept.time.tolist() == sorted(kept.time.tolist())
    assert sifted(rows, sort=True) == (3, {Fault.UNSORTED: (1, True)})


def test_a_bar_that_stands_twice_is_no_contradiction() -> None:
    assert sifted(raw(GOOD, GOOD, times=[0, 0])) == (1, {Fault.DUPLICATE: (1, False)})


def test_of_two_different_bars_of_one_time_neither_is_believed() -> None:
    other = (2.0, 3.0, 1.0, 2.5)
    rows = raw(GOOD, other, GOOD, times=[0, 0, 1])
    assert sifted(rows, Fault.CONTRADICTION) == (1, {Fault.CONTRADICTION: (2, True)})


def test_two_ticks_may_share_a_time() -> None:
    assert sifted(raw((1.1, 1.2), (1.1, 1.3), times=[0, 0])) == (2, {})


def test_what_has_not_begun_cannot_be_known() -> None:
    assert sifted(raw(GOOD, GOOD, times=[0, 60 * 24])) == (1, {Fault.FUTURE: (1, False)})


def test_what_cannot_be_read_is_counted() -> None:
    rows = raw(GOOD, GOOD, GOOD)
    rows.garbled[0] = True
    rows.time[1] = UNREADABLE
    assert sifted(rows) == (1, {Fault.UNREADABLE: (2, False)})


def test_a_negative_volume_is_no_volume() -> None:
    rows = raw(GOOD, GOOD)
    with_volume = Raw(rows.time, rows.prices, numpy.array([1.0, -1.0]), rows.row, rows.garbled)
    assert sifted(with_volume) == (1, {Fault.NEGATIVE: (1, False)})


def test_bars_off_their_own_grid_are_told_from_a_grid_that_is_shifted() -> None:
    shifted = raw(GOOD, GOOD, GOOD, times=[15, 75, 135])  # an exchange that opens at :15
    assert not off_grid(shifted, HOUR).any()
    assert off_grid(raw(GOOD, GOOD, GOOD, times=[0, 60, 121]), HOUR).tolist() == [0, 0, 1]


def test_a_finding_names_the_first_rows() -> None:
    rows = raw(*[GOOD] * 9)
    found = finding(rows, Fault.NAN, numpy.ones(9, numpy.bool_), settled=False)
    assert (found.rows, [row for row, _ in found.first]) == (9, [2, 3, 4])
