from __future__ import annotations

from datetime import datetime

import pytest

from ordergate.market.bars.library.page import chosen, is_over, newest, one_scale
from ordergate.model.errors import InvalidArgument, NotFound
from ordergate.model.holdings import Holding, Jump, SeriesKey
from ordergate.model.instruments import CalendarName
from ordergate.model.market import PriceBasis, Timeframe
from ordergate.model.values import Symbol
from support.bar_series import series


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
