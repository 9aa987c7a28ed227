from __future__ import annotations

from ordergate.market.bars.faults import UNREADABLE, Fault, Finding
from ordergate.market.bars.gaps import Gap, Presence
from ordergate.market.bars.report import (
    PricesRefused,
    SeriesReport,
    refusal,
    time_text,
    told,
)
from ordergate.model.errors import Code
from ordergate.model.holdings import Jump, SeriesKey
from ordergate.model.market import Timeframe
from ordergate.model.values import Symbol

KEY = SeriesKey("oanda", Symbol("EURUSD"), Timeframe.M1)
CROSSED = Finding(Fault.CROSSED, 3, ((17, 0),), settled=False)
BACK = Finding(Fault.UNSORTED, 1, ((9, UNREADABLE),), settled=False)


def report(*findings: Finding) -> SeriesReport:
    return SeriesReport(key=KEY, basis="bid_ask", rows=10, findings=findings)


def test_a_refusal_names_number_place_and_way_out() -> None:
    no = refusal("x.csv", [report(CROSSED)])
    assert isinstance(no, PricesRefused)
    assert no.code is Code.INVALID_PRICE
    assert (
        "crossed: 3 rows (a bid above its ask; first in row 17, 1970-01-01T00:00:00Z)" in no.message
    )
    assert "--drop crossed" in no.fix
    assert no.details["report"][0]["faults"][0]["rows"] == 3


def test_faults_of_reading_are_no_faults_of_price() -> None:
    no = refusal("x.csv", [report(CROSSED, BACK)])
    assert no is not None
    assert no.code is Code.INVALID_ARGUMENT
    assert "--sort" in no.fix
    assert "unsorted: 1 rows (goes back in time; first in row 9)" in no.message


def test_what_is_settled_refuses_nothing() -> None:
    assert refusal("x.csv", [report(Finding(Fault.CROSSED, 3, (), settled=True))]) is None


def test_a_report_is_plain_values() -> None:
    hours = Presence(10, 2, 1, (Gap(0, 180_000_000_000, 2),), 0)
    jump = Jump(0, 645.57, 92.69, "7:1")
    made = told(SeriesReport(key=KEY, basis="trade", rows=10, presence=hours, jumps=(jump,)))
    assert made["hours"]["longest"][0]["before"] == "1970-01-01T00:03:00Z"
    at = "1970-01-01T00:00:00Z"
    assert made["jumps"] == [{"at": at, "before": "645.57", "after": "92.69", "split": "7:1"}]


def test_times_are_iso_and_what_is_none_is_none() -> None:
    assert time_text(1_500_000_000) == "1970-01-01T00:00:01.500Z"
    assert time_text(UNREADABLE) is None
    assert time_text(None) is None
