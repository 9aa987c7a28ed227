from __future__ import annotations

from ordergate.model.orders import Side
from ordergate.model.values import PositionId, Symbol, VenueOrderId
from ordergate.order.policy.target import opposing, order_named, target
from support.judging import Court, attempt, cancel, close, modify, place, position, resting

COURT = Court(positions=(position(),), open_orders=(resting(),))


def test_what_a_request_names() -> None:
    seen = COURT.snapshot()
    assert order_named(cancel()) == VenueOrderId("v1")
    assert order_named(close()) is None
    assert target(close(), seen, None).position == position()
    assert target(cancel(), seen, None).resting == resting()
    assert target(modify(position_id=PositionId("p9")), seen, None).position is None
    assert target(cancel(), None, None).resting is None


def test_an_attempt_of_another_symbol_is_not_behind_it() -> None:
    other = attempt(1, symbol=Symbol("GBPUSD"))
    assert target(cancel(), COURT.snapshot(), other).attempt is None


def test_what_stands_against_a_request() -> None:
    seen = COURT.snapshot()
    named = target(close(), seen, None)
    assert opposing(close(), named, None, seen.open_orders) == (resting(),)
    sale = place(side=Side.SELL)
    nothing = target(sale, seen, None)
    assert opposing(sale, nothing, sale, seen.open_orders) == (resting(),)
    assert opposing(place(), nothing, place(), seen.open_orders) == ()
    assert opposing(cancel(), target(cancel(), seen, None), None, seen.open_orders) == ()
