"""What is wrong with rows of prices: found and counted, never repaired."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ordergate.model.series import Numbers, Times

    Mask: TypeAlias = NDArray[numpy.bool_]

UNREADABLE: Final = -(2**63)  # a time that is none
EXAMPLES: Final = 3


class Fault(enum.StrEnum):
    UNREADABLE = "unreadable"  # a time or a price is missing or is none
    NAN = "nan"  # a price is NaN or infinite, as written
    NEGATIVE = "negative"  # a price is not above 0, or a volume is below
    INVERTED = "inverted"  # a bar's open or close is outside its own range
    CROSSED = "crossed"  # a bid above its ask
    FUTURE = "future"  # not begun yet
    UNSORTED = "unsorted"  # goes back in time
    DUPLICATE = "duplicate"  # the same bar again
    CONTRADICTION = "contradiction"  # another bar of the same time
    MISALIGNED = "misaligned"  # off the grid of its timeframe
    WRONG_ZONE = "wrong_zone"  # the closed market has prices, the open one has none


MEANING: Final = {
    Fault.UNREADABLE: "a time or a price that is none",
    Fault.NAN: "NaN or infinity",
    Fault.NEGATIVE: "a price not above 0",
    Fault.INVERTED: "a bar outside its own range",
    Fault.CROSSED: "a bid above its ask",
    Fault.FUTURE: "not begun yet",
    Fault.UNSORTED: "goes back in time",
    Fault.DUPLICATE: "the same bar again",
    Fault.CONTRADICTION: "another bar of the same time",
    Fault.MISALIGNED: "off the grid of its timeframe",
    Fault.WRONG_ZONE: "the market is closed then",
}
# Rows that may be left out at the importer's word. The others need another reading of the file.
DROPPABLE: Final = frozenset(
    {
        Fault.UNREADABLE,
        Fault.NAN,
        Fault.NEGATIVE,
        Fault.INVERTED,
        Fault.CROSSED,
        Fault.DUPLICATE,
        Fault.CONTRADICTION,
        Fault.MISALIGNED,
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class Raw:
    """Rows of one symbol in the order of their file: 1, 2, 4 or 8 price columns."""

    time: Times
    prices: tuple[Numbers, ...]
    volume: Numbers | None
    row: Times  # number in the file; its header is row 1
    garbled: Mask

    def __len__(self) -> int:
        return len(self.time)

    def where(self, kept: Mask | NDArray[numpy.intp]) -> Raw:
        return Raw(
            self.time[kept],
            tuple(column[kept] for column in self.prices),
            None if self.volume is None else self.volume[kept],
            self.row[kept],
            self.garbled[kept],
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """So many rows have this fault; `first` are some of them: row number, nanoseconds."""

    fault: Fault
    rows: int
    first: tuple[tuple[int, int], ...]
    settled: bool  # the importer said what to do about it


def sift(
    raw: Raw, *, now: int, drop: frozenset[Fault], sort: bool
) -> tuple[Raw, tuple[Finding, ...]]:
    """Return the rows without faults in order of time, and what was found in the others."""
    found: list[Finding] = []
    for fault, check in _CHECKS:
        bad = check(raw, now)
        if bad.any():
            found.append(finding(raw, fault, bad, settled=fault in drop))
            raw = raw.where(~bad)
    back = _goes_back(raw)
    if back.any():
        found.append(finding(raw, Fault.UNSORTED, back, settled=sort))
        raw = raw.where(numpy.argsort(raw.time, kind="stable"))
    if _is_ticks(raw):
        return raw, tuple(found)
    duplicate, contradicting = _repeated(raw)
    for fault, bad in ((Fault.DUPLICATE, duplicate), (Fault.CONTRADICTION, contradicting)):
        if bad.any():
            found.append(finding(raw, fault, bad, settled=fault in drop))
    return raw.where(~(duplicate | contradicting)), tuple(found)


def off_grid(raw: Raw, length: int) -> Mask:
    """Say which bars start elsewhere in their timeframe than most do."""
    phase = raw.time % length
    values, counts = numpy.unique(phase, return_counts=True)
    usual = values[numpy.argmax(counts)] if len(values) else 0
    made: Mask = phase != usual
    return made


def finding(raw: Raw, fault: Fault, bad: Mask, *, settled: bool) -> Finding:
    """Count the bad rows and name the first of them."""
    where = numpy.flatnonzero(bad)
    first = tuple((int(raw.row[at]), int(raw.time[at])) for at in where[:EXAMPLES])
    return Finding(fault, len(where), first, settled)


def _is_ticks(raw: Raw) -> bool:
    return len(raw.prices) < 4


def _garbled(raw: Raw, now: int) -> Mask:
    del now
    made: Mask = raw.garbled | (raw.time == UNREADABLE)
    return made


def _nan(raw: Raw, now: int) -> Mask:
    del now
    return _any(raw, lambda column: ~numpy.isfinite(column))


def _negative(raw: Raw, now: int) -> Mask:
    del now
    bad = _any(raw, lambda column: column <= 0)
    return bad if raw.volume is None else bad | (raw.volume < 0)


def _inverted(raw: Raw, now: int) -> Mask:
    del now
    bad = numpy.zeros(len(raw), numpy.bool_)
    for begin in () if _is_ticks(raw) else range(0, len(raw.prices), 4):
        first, high, low, last = raw.prices[begin : begin + 4]
        bad |= (low > numpy.minimum(first, last)) | (high < numpy.maximum(first, last))
    return bad


def _crossed(raw: Raw, now: int) -> Mask:
    del now
    bad = numpy.zeros(len(raw), numpy.bool_)
    half = len(raw.prices) // 2
    if len(raw.prices) in (2, 8):
        for bid, ask in zip(raw.prices[:half], raw.prices[half:], strict=True):
            bad |= bid > ask
    return bad


def _future(raw: Raw, now: int) -> Mask:
    made: Mask = raw.time > now
    return made


def _any(raw: Raw, test: Callable[[Numbers], Mask]) -> Mask:
    bad = numpy.zeros(len(raw), numpy.bool_)
    for column in raw.prices:
        bad |= test(column)
    return bad


def _goes_back(raw: Raw) -> Mask:
    back = numpy.zeros(len(raw), numpy.bool_)
    back[1:] = raw.time[1:] < raw.time[:-1]
    return back


def _repeated(raw: Raw) -> tuple[Mask, Mask]:
    """Return which rows repeat the one before, and which share a time with a different one."""
    same = numpy.zeros(len(raw), numpy.bool_)
    same[1:] = raw.time[1:] == raw.time[:-1]
    differs = numpy.zeros(len(raw), numpy.bool_)
    if not same.any():
        return same, differs
    for column in raw.prices:
        differs[1:] |= column[1:] != column[:-1]
    contradicting = numpy.isin(raw.time, raw.time[same & differs])
    return same & ~contradicting, contradicting


_CHECKS: Final[tuple[tuple[Fault, Callable[[Raw, int], Mask]], ...]] = (
    (Fault.UNREADABLE, _garbled),
    (Fault.NAN, _nan),
    (Fault.NEGATIVE, _negative),
    (Fault.INVERTED, _inverted),
    (Fault.CROSSED, _crossed),
    (Fault.FUTURE, _future),
)
