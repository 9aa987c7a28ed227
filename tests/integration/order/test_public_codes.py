"""What became of an order is said in codes of the closed list; the venue's word stands apart."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ordergate.adapters.venues.paper.faults import Fault, FaultKind
from ordergate.model.errors import Code
from ordergate.model.views import OrderView
from ordergate.order.reconcile.settle import QUERIES_S
from ordergate.surfaces.catalogue.outcome import refusal
from ordergate.surfaces.catalogue.rendering import order_item
from ordergate.surfaces.console.answers import order_shape
from support.gate import a_gate
from support.manual_clock import ManualClock
from support.order_records import AGENT, OPERATOR, buy


def played(path: Path, fault: Fault, *, parked: bool = False) -> OrderView:
    """Return an order as it stands after a fault of the venue, read anew from the books."""

    async def run() -> OrderView:
        clock = ManualClock()
        async with a_gate(path, faults=[fault], clock=clock) as gate:
            view = await gate.line.gateway.submit(buy(), key=None, asker=AGENT)
            if parked:
                clock.advance(QUERIES_S[-1] + 1)
                await gate.line.settle.scan()
            read = await gate.line.gateway.status(view.order.order_id, asker=OPERATOR)
            told = [change.body for change in gate.changes if change.topic == "orders"]
            assert told[-1]["code"] == read.code
            return read

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("INSUFFICIENT_MARGIN", Code.INSUFFICIENT_MARGIN),
        ("INVALID_STOPS", Code.INVALID_STOPS),
        ("OVER_CLOSE", Code.EXCEEDS_POSITION),
        ("REJECTED", Code.REJECTED_BY_SERVER),
    ],
)
def test_a_venues_refusal_is_translated_for_every_reader(
    tmp_path: Path, word: str, code: Code
) -> None:
    view = played(tmp_path, Fault(FaultKind.REJECT, operation="submit", code=word))
    item, shape = order_item(view), order_shape(view)
    assert (item.code, item.venue_code) == (code, word)
    assert (shape["code"], shape["venue_code"]) == (code, word)
    no = refusal(view)
    assert no is not None
    assert (no.refusal, no.details["venue_code"]) == (code, word)


@pytest.mark.parametrize(("parked", "status"), [(False, "unknown"), (True, "parked")])
def test_an_unknown_fate_is_said_as_one(tmp_path: Path, *, parked: bool, status: str) -> None:
    view = played(tmp_path, Fault(FaultKind.LOST_REQUEST, operation="submit"), parked=parked)
    item = order_item(view)
    assert (item.status, item.code, item.venue_code) == (status, "ORDER_UNKNOWN", None)
    shape = order_shape(view)
    assert (shape["code"], shape["order"]["code"]) == ("ORDER_UNKNOWN", None)
    assert "code" not in shape["attempt"]
