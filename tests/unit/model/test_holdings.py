from __future__ import annotations

from ordergate.model.holdings import SeriesKey
from ordergate.model.market import Timeframe
from ordergate.model.values import Symbol


def test_a_series_is_named_by_venue_symbol_and_timeframe() -> None:
    assert str(SeriesKey("oanda", Symbol("EURUSD"), Timeframe.M1)) == "oanda EURUSD M1"
