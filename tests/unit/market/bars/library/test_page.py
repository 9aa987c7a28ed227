from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy
import pytest

from ordergate.market.bars.library.page import (
    Page,
    after_hole,
    chosen,
    closes,
    first,
    is_over,
    newest,
    one_scale,
    past,
)
from ordergate.model.errors import InvalidArgument, NotFound
from ordergate.model.holdings import Holding, Jump, SeriesKey
from ordergate.model.hours import VENUE_DAY
from ordergate.model.instruments import CalendarName
from ordergate.model.market import PriceBasis, Timeframe
from ordergate.model.series import Series
from ordergate.model.values import Symbol
from support.bar_series import iso, ns, series


def held(venue: str, timeframe: Timeframe, symbol: str = "EURUSD") -> Holding:
    key = SeriesKey(venue, Symbol(symbol), timeframe)
    return Holding(key, PriceBasis.TRADE, None, 1, 0, 0, True, (), ())


M1, H1 = held("oanda", Timeframe.M1), held("oanda", Timeframe.H1)


def test_the_asked_timeframe_is_taken_else_the_highest_lower_one() -> None:
    assert chosen([M1, H1], "eurusd", Timeframe.H1, None) is H1
    assert chosen([M1, H1], "EURUSD", Timeframe.D1, None) is H1
    assert chosen([M1, H1], "EURUSD", Timeframe.M30, "oanda") is M1


def test_an_unknown_symbol_names_the_nearest() -> None:
    with pytest.raises(NotFound) as missing:
        chosen([M1], "EURUS", Timeframe.H1, None)
    assert "EURUSD" in missing.value.fix


def test_a_timeframe_below_what_is_stored_cannot_be_made() -> None:
    with pytest.raises(NotFound, match="H1 alone"):
        chosen([H1], "EURUSD", Timeframe.M1, None)


def test_of_several_venues_one_must_be_named() -> None:
    other = held("kraken", Timeframe.M1)
    with pytest.raises(InvalidArgument) as asked:
        chosen([M1, other], "EURUSD", Timeframe.M1, None)
    assert "store:kraken" in asked.value.fix
    assert chosen([M1, other], "EURUSD", Timeframe.M1, "kraken") is other
    with pytest.raises(NotFound):
        chosen([M1, other], "EURUSD", Timeframe.M1, "elsewhere")


def test_a_page_never_holds_two_scales() -> None:
    whole = series("2026-01-07T10:00", [1, 2, 3, 4, 5], ask=True)
    jumps = [Jump(int(whole.time[at]), 1.0, 2.0, "") for at in (1, 3)]
    page, cut = one_scale(whole, jumps)
    assert page.close.tolist() == [4, 5]
    assert cut is jumps[1]
    earlier, cut = one_scale(newest(whole, 5), jumps[:1])
    assert (len(earlier), cut) == (4, jumps[0])


def test_a_break_before_the_first_bar_or_after_the_last_cuts_nothing() -> None:
    whole = series("2026-01-07T10:00", [1, 2])
    first, beyond = int(whole.time[0]), int(whole.time[-1]) + 1
    assert one_scale(whole, [Jump(first, 1, 2, ""), Jump(beyond, 1, 2, "")]) == (whole, None)
    assert one_scale(series([], []), [])[1] is None


def test_the_newest_are_the_last() -> None:
    assert newest(series("2026-01-07T10:00", [1, 2, 3]), 2).close.tolist() == [2, 3]


@pytest.mark.parametrize(
    ("calendar", "ended", "closes", "over"),
    [
        (CalendarName.XNYS, "2026-11-25T21:00", "2026-11-26T05:00", True),  # after the bell
        (CalendarName.XNYS, "2026-11-25T20:00", "2026-11-26T05:00", False),
        (CalendarName.XNYS, "2026-11-27T18:00", "2026-11-28T05:00", True),  # a half day
        (CalendarName.ALWAYS, "2026-11-27T23:00", "2026-11-28T00:00", False),
        (CalendarName.FX, "2026-11-27T22:00", "2026-11-28T02:00", True),
        (None, "2026-11-27T22:00", "2026-11-28T02:00", False),
        (None, "2026-11-28T02:00", "2026-11-28T02:00", True),
    ],
)
def test_a_bar_is_over_when_its_market_trades_no_more_before_it_ends(
    calendar: CalendarName | None, ended: str, closes: str, over: bool
) -> None:
    begin, end = (datetime.fromisoformat(f"{text}:00+00:00") for text in (ended, closes))
    assert is_over(begin, end, calendar) is over


def page(of: Series) -> Page:
    return Page(of, H1, None, full=False)


def test_a_bar_ends_when_its_window_does_and_never_earlier() -> None:
    hours = series("2026-01-07T10:00", [1, 2], timeframe=Timeframe.H1)
    assert [iso(at) for at in closes(hours, VENUE_DAY)] == ["2026-01-07T11:00", "2026-01-07T12:00"]
    ours = series([ns("2026-03-07T22:00"), ns("2026-03-08T21:00")], [1, 2], timeframe=Timeframe.D1)
    # The second night New York's clock goes forward: the first of these days has 23 hours.
    assert [iso(at) for at in closes(ours, VENUE_DAY)] == ["2026-03-08T21:00", "2026-03-09T21:00"]
    theirs = series("2026-01-07T00:00", [1], timeframe=Timeframe.D1)
    assert [iso(at) for at in closes(theirs, VENUE_DAY)] == ["2026-01-08T00:00"]


def test_the_past_knows_no_bar_that_had_not_closed() -> None:
    whole = series("2026-01-07T10:00", [1, 2, 3, 4], timeframe=Timeframe.H1, ask=True)
    at = datetime.fromisoformat("2026-01-07T13:00:00Z")
    found = past(page(whole), limit=2, known_at=at)
    assert (found.series.close.tolist(), iso(ns("2026-01-07T13:00"))) == (
        [2, 3],
        "2026-01-07T13:00",
    )
    assert found.ends == at
    assert found.series.complete
    earlier = past(page(whole), limit=2, known_at=at - timedelta(microseconds=1))
    assert earlier.series.close.tolist() == [1, 2]
    assert not len(past(page(whole), limit=2, known_at=at - timedelta(days=1)).series)


def test_the_running_bar_is_left_out_unless_it_is_asked_for() -> None:
    running = series("2026-01-07T10:00", [1, 2], timeframe=Timeframe.H1, complete=False)
    assert past(page(running), limit=9, known_at=None).series.close.tolist() == [1]
    with_it = past(page(running), limit=9, known_at=None, running=True).series
    assert (with_it.close.tolist(), with_it.complete) == ([1, 2], False)


def test_the_spread_is_that_of_the_last_close() -> None:
    whole = series("2026-01-07T10:00", [1, 2, 3], timeframe=Timeframe.H1, ask=True)
    assert whole.ask is not None
    wide = replace(whole.ask, close=whole.close + numpy.array([0.1, 0.2, 0.3]))
    quoted = replace(whole, ask=wide)
    at = datetime.fromisoformat("2026-01-07T12:30:00Z")
    assert past(page(quoted), limit=9, known_at=at).spread == pytest.approx(0.2)
    crossed = replace(quoted, ask=replace(wide, close=whole.close - 1))
    assert past(page(crossed), limit=9, known_at=None).spread is None
    trades = series("2026-01-07T10:00", [1], timeframe=Timeframe.H1)
    assert past(page(trades), limit=9, known_at=None).spread is None


def test_a_history_begins_after_its_last_hole() -> None:
    far = [ns("2026-01-01T00:00"), ns("2026-01-11T02:00"), ns("2026-01-11T03:00")]
    whole = series(far, [1, 2, 3], timeframe=Timeframe.H1)
    kept, hole = after_hole(whole)
    assert (kept.close.tolist(), hole) == ([2, 3], timedelta(days=10, hours=1))
    near = series([far[0], ns("2026-01-11T01:00")], [1, 2], timeframe=Timeframe.H1)
    assert after_hole(near) == (near, None)  # ten days to the hour: a long holiday


def test_the_first_bars_are_complete_where_more_follow() -> None:
    running = series("2026-01-07T10:00", [1, 2, 3], complete=False, ask=True)
    assert first(running, 2).complete
    assert first(running, 3) is running
