"""Gaps counted in columns are those found by walking the clock through the sessions."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import numpy
from hypothesis import given
from hypothesis import strategies as st

from ordergate.market.bars.gaps import presence
from ordergate.model.hours import bar_window, session
from ordergate.model.instruments import CalendarName
from ordergate.model.market import SessionState, Timeframe
from support.examples import examples

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FRAMES = (Timeframe.M15, Timeframe.M30, Timeframe.H1, Timeframe.H4)
QUARTER = timedelta(minutes=15)  # sessions begin and end on quarters of an hour
BEGINNINGS = (
    datetime(2026, 3, 5, 12, tzinfo=UTC),  # New York's clock changes on the 8th
    datetime(2026, 10, 29, 12, tzinfo=UTC),
    datetime(2026, 11, 24, 12, tzinfo=UTC),  # Thanksgiving and its half day
    datetime(2026, 1, 22, 2, tzinfo=UTC),  # Republic Day
)


def is_open(calendar: CalendarName, begin: datetime, end: datetime) -> bool:
    """Say whether a bar has any quarter of an hour of open market."""
    at = begin
    while at < end:
        if session(calendar, at).state is SessionState.OPEN:
            return True
        at += QUARTER
    return False


def walk(
    calendar: CalendarName, timeframe: Timeframe, begin: datetime, days: int
) -> list[tuple[datetime, bool]]:
    """Return every bar there could be, and whether the market is open in it."""
    window = bar_window(timeframe, begin)
    found = []
    while window.opens < begin + timedelta(days=days):
        found.append((window.opens, is_open(calendar, window.opens, window.closes)))
        window = bar_window(timeframe, window.closes)
    return found


@examples(60)
@given(st.data())
def test_gaps_are_those_of_the_clock(data: st.DataObject) -> None:
    calendar = data.draw(st.sampled_from(CalendarName))
    timeframe = data.draw(
        st.sampled_from([Timeframe.M15, Timeframe.M30, Timeframe.H1, Timeframe.H4])
    )
    begin = data.draw(st.sampled_from(BEGINNINGS))
    could = walk(calendar, timeframe, begin, data.draw(st.integers(1, 7)))
    kept = data.draw(st.lists(st.sampled_from([at for at, _ in could]), min_size=1, unique=True))
    kept.sort()
    if data.draw(st.booleans()):  # most files are nearly whole
        kept = [at for at, there in could if there and at not in kept] or kept
    lacks = {at for at, there in could if there} - set(kept)
    gaps = [sum(before < at < after for at in lacks) for before, after in itertools.pairwise(kept)]
    time = numpy.array([(at - EPOCH) // timedelta(microseconds=1) * 1000 for at in kept])
    found = presence(time, timeframe, calendar)
    assert (found.missing, found.gaps) == (sum(gaps), sum(gap > 0 for gap in gaps))


@examples(60)
@given(st.data())
def test_bars_out_of_hours_are_those_of_the_clock(data: st.DataObject) -> None:
    calendar = data.draw(st.sampled_from(CalendarName))
    timeframe = data.draw(st.sampled_from([Timeframe.M15, Timeframe.H1]))
    could = walk(calendar, timeframe, data.draw(st.sampled_from(BEGINNINGS)), 5)
    time = numpy.array([(at - EPOCH) // timedelta(microseconds=1) * 1000 for at, _ in could])
    found = presence(time, timeframe, calendar)
    assert found.closed == sum(not there for _, there in could)
