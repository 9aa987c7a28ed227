"""A price path as a pure function of (key, time), in whole numbers, exact at every scale.

A day has an open, high, low and close drawn from lattice noise summed over octaves of 1 to 64 days.
Each stretch is split into parts whose opens and closes join and whose extremes are its own, down to
one second. So the price at any moment, and the exact range of any stretch, is found by walking
down from the day: a bar never contradicts a quote, nor one timeframe another.
"""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

SECOND: Final = 1_000  # times are milliseconds since 1970
DAY: Final = 86_400 * SECOND
SUB: Final = 16  # the path's own steps in one tick
PARTS: Final = (6, 4, 2, 2, 3, 5, 4, 3, 5)  # D1 H4 H1 M30 M15 M5 M1 15s 5s, to 1s
LENGTHS: Final = (
    DAY,
    DAY // 6,
    DAY // 24,
    DAY // 48,
    DAY // 96,
    DAY // 288,
    DAY // 1_440,
    15 * SECOND,
    5 * SECOND,
    SECOND,
)
LEAF: Final = len(PARTS)
ROOT_PER_MILLE: Final = {2: 707, 3: 577, 4: 500, 5: 447, 6: 408}  # 1000 / sqrt(parts)
OCTAVES_PER_MILLE: Final = (866, 1225, 1732, 2449, 3464, 4899, 6928)  # 1, 2, 4 ... 64 days
KEPT_MAX: Final = 8_192  # split stretches remembered
MASK: Final = (1 << 64) - 1
FIELD: Final = 1 << 16
CELLS: Final = (1 << 40) - 1
PER_MILLION: Final = 1_000_000


class Range(NamedTuple):
    """Open, high, low and close of a stretch."""

    open: int
    high: int
    low: int
    close: int


def mixed(number: int) -> int:
    """Return 64 well-mixed bits of a number (the finaliser of SplitMix64)."""
    number = (number + 0x9E3779B97F4A7C15) & MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & MASK
    return number ^ (number >> 31)


def key_of(*words: object) -> int:
    """Return a 64-bit key of some words, the same on every machine."""
    text = ":".join(str(word) for word in words)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


class Path:
    """The path of one symbol around `level` ticks with a daily volatility in parts per million."""

    def __init__(self, key: int, *, level: int, volatility_ppm: int) -> None:
        self._key = key
        self._level = level * SUB
        self._volatility_ppm = volatility_ppm
        self._kept: dict[tuple[int, int], tuple[Range, ...]] = {}

    def price(self, at: int) -> int:
        """Return the price in ticks at a millisecond."""
        second = at // SECOND
        return _along(self._stretch(LEAF, second), at - second * SECOND) // SUB

    def range(self, start: int, end: int) -> Range:
        """Return the exact range in ticks of start..end, from the price at one to the other."""
        parts: list[Range] = []
        at = start
        while at < end:
            for level, length in enumerate(LENGTHS):
                if at % length == 0 and at + length <= end:
                    parts.append(self._stretch(level, at // length))
                    at += length
                    break
            else:
                upto = min(end, (at // SECOND + 1) * SECOND)
                parts.append(self._piece(at, upto))
                at = upto
        if not parts:
            parts = [self._piece(start, start)]
        return Range(
            parts[0].open // SUB,
            max(part.high for part in parts) // SUB,
            min(part.low for part in parts) // SUB,
            parts[-1].close // SUB,
        )

    def _piece(self, start: int, end: int) -> Range:
        """Return the range within one second: it has corners at its thirds."""
        base = start // SECOND * SECOND
        leaf = self._stretch(LEAF, base // SECOND)
        corners = [base + SECOND // 3, base + 2 * (SECOND // 3)]
        moments = [start, *(corner for corner in corners if start < corner < end), end]
        prices = [_along(leaf, moment - base) for moment in moments]
        return Range(prices[0], max(prices), min(prices), prices[-1])

    def _stretch(self, level: int, index: int) -> Range:
        if level == 0:
            return self._day(index)
        parent, child = divmod(index, PARTS[level - 1])
        return self._split(level - 1, parent)[child]

    def _split(self, level: int, index: int) -> tuple[Range, ...]:
        kept = self._kept.get((level, index))
        if kept is None:
            seed = mixed(self._key ^ mixed(index * LEAF + level))
            kept = split(self._stretch(level, index), PARTS[level], seed=seed)
            if len(self._kept) >= KEPT_MAX:
                self._kept.clear()
            self._kept[(level, index)] = kept
        return kept

    def _day(self, index: int) -> Range:
        begin, end = self._midnight(index), self._midnight(index + 1)
        reach = self._level * self._volatility_ppm // PER_MILLION
        bits = mixed(self._key ^ mixed(~index & MASK))
        above = reach * (bits % FIELD) * 3 // (4 * FIELD) + reach // 20
        below = reach * (bits // FIELD % FIELD) * 3 // (4 * FIELD) + reach // 20
        return Range(begin, max(begin, end) + above, min(begin, end) - below, end)

    def _midnight(self, day: int) -> int:
        """Return the price at a day's start: level x (1 + noise / 4)^4, which is never negative."""
        noise = sum(
            self._lattice(octave, day) * weight for octave, weight in enumerate(OCTAVES_PER_MILLE)
        )
        shift = noise * self._volatility_ppm // (1_000 * FIELD)
        whole = 4 * PER_MILLION
        return int(self._level * (whole + shift) ** 4 // whole**4)

    def _lattice(self, octave: int, day: int) -> int:
        """Return one octave's noise, -FIELD..FIELD, straight between its lattice points."""
        cell, within = divmod(day, 1 << octave)
        left = mixed(self._key ^ mixed(((octave + 1) << 40) ^ (cell & CELLS))) % (2 * FIELD)
        right = mixed(self._key ^ mixed(((octave + 1) << 40) ^ ((cell + 1) & CELLS))) % (2 * FIELD)
        return left - FIELD + (right - left) * within // (1 << octave)


def split(whole: Range, parts: int, *, seed: int) -> tuple[Range, ...]:
    """Split a stretch into equal parts that join, lie within it and reach its extremes."""
    first, high, low, last = whole
    swing = (high - low) * ROOT_PER_MILLE[parts] // 1_000
    joints, reaches = [first], []
    for part in range(parts):
        bits = mixed(seed + part)
        left = parts - part
        drift = joints[-1] + (last - joints[-1]) // left
        jump = swing * (bits % (2 * FIELD) - FIELD) // FIELD if left > 1 else last - drift
        joints.append(min(max(drift + jump, low), high))
        reaches.append((bits >> 20 & 0xFFFF, bits >> 40 & 0xFFFF))
    highs = [
        min(high, max(joints[part], joints[part + 1]) + swing * up // (2 * FIELD))
        for part, (up, _) in enumerate(reaches)
    ]
    lows = [
        max(low, min(joints[part], joints[part + 1]) - swing * down // (2 * FIELD))
        for part, (_, down) in enumerate(reaches)
    ]
    highs[highs.index(max(highs))] = high
    lows[lows.index(min(lows))] = low
    return tuple(
        Range(joints[part], highs[part], lows[part], joints[part + 1]) for part in range(parts)
    )


def _along(leaf: Range, offset: int) -> int:
    """Return the price `offset` milliseconds into a second: open, both extremes, close."""
    near_low = leaf.open - leaf.low < leaf.high - leaf.open
    corners = (leaf.low, leaf.high) if near_low else (leaf.high, leaf.low)
    points = (leaf.open, *corners, leaf.close)
    third = SECOND // 3
    leg = min(offset // third, 2)
    length = third if leg < 2 else SECOND - 2 * third
    return points[leg] + (points[leg + 1] - points[leg]) * (offset - leg * third) // length
