from __future__ import annotations

import pytest

from ordergate.market.bars.columns import (
    QUOTE_BAR,
    ColumnsUnknown,
    roles,
    symbol_in,
    timeframe_in,
    timeframe_of,
)
from ordergate.model.market import Timeframe
from support.bar_series import HOUR


@pytest.mark.parametrize(
    ("header", "time", "prices", "volume"),
    [
        ("time,open,high,low,close,volume", ("time",), 4, ("volume",)),
        ("date,time,open,high,low,close,tickvol,vol,spread", ("date", "time"), 4, ("tickvol",)),
        ("date,open,high,low,close", ("date",), 4, ()),
        ("open_time,open,high,low,close,volume_btc", ("open_time",), 4, ("volume_btc",)),
        ("time,bid,ask", ("time",), 2, ()),
        ("timestamp,price,size", ("timestamp",), 1, ("size",)),
        (",".join(("time", *QUOTE_BAR, "bid_size")), ("time",), 8, ()),
    ],
)
def test_a_header_says_what_its_columns_are(
    header: str, time: tuple[str, ...], prices: int, volume: tuple[str, ...]
) -> None:
    found = roles(header.split(","))
    assert (found["time"], len(found["prices"]), found["volume"]) == (time, prices, volume)


@pytest.mark.parametrize("header", ["open,high,low,close", "time,open,high,low", "a,b"])
def test_a_header_that_lacks_time_or_prices_is_refused(header: str) -> None:
    with pytest.raises(ColumnsUnknown) as refused:
        roles(header.split(","))
    assert "time,open,high,low,close" in refused.value.fix


def test_a_file_s_name_tells_symbol_and_timeframe() -> None:
    assert symbol_in("eurusd_oanda_h1_bidask.csv.gz") == "EURUSD"
    assert timeframe_in("eurusd_oanda_h1_bidask.csv.gz") is Timeframe.H1
    assert timeframe_in("EURUSD-M5-2024.parquet") is Timeframe.M5
    assert timeframe_in("m1.csv") is None  # a name has to come first


def test_a_step_is_a_timeframe_or_none() -> None:
    assert timeframe_of(4 * HOUR) is Timeframe.H4
    assert timeframe_of(7 * HOUR) is None
