from __future__ import annotations

import json

import pytest

from ordergate.model.records import Usage
from ordergate.order.policy.facts import Request, recorded
from ordergate.order.policy.recall import Forgotten, recall, recalled_limits
from ordergate.order.policy.rules.lanes import lane_of
from support.judging import Court, D, close, halt, modify, place, position, protective_stop, resting

COURT = Court(positions=(position(),), open_orders=(protective_stop(),)).halted(halt())


def test_what_is_recalled_is_what_was_recorded() -> None:
    for intent in (
        place(),
        place(quantity=D("-1")),
        close(),
        modify(position_id=position().position_id, stop_loss=D("1.081")),
    ):
        told = COURT.judge(intent).facts_json
        facts = recall(intent, told)
        assert recorded(Request(intent, lane_of(intent, facts)), facts) == told
    assert facts.order is None
    opens = Court(open_orders=(resting(),))
    grown = modify(venue_order_id=resting().venue_order_id, quantity=D("0.20"))
    facts = recall(grown, opens.judge(grown).facts_json)
    assert facts.order is not None
    assert facts.order.quantity == D("0.20"), "the resting order with its new terms"
    facts = recall(close(), COURT.judge(close()).facts_json)
    assert facts.halts[0].halt_id == halt().halt_id
    assert facts.used == Usage(orders=0, notional=D(0))


def test_nothing_that_a_record_lacks_is_made_up() -> None:
    told = json.loads(COURT.judge(place()).facts_json)
    for name in ("instrument", "state", "quality", "book"):
        less = {key: value for key, value in told.items() if key != name}
        with pytest.raises(Forgotten, match=f"Facts.{name}"):
            recall(place(), json.dumps(less))
    del told["state"]["equity"]
    with pytest.raises(Forgotten, match=r"AccountState\.equity"):
        recall(place(), json.dumps(told))


def test_a_limit_that_is_gone_is_not_guessed() -> None:
    assert recalled_limits({"limits.open_orders_max": "3"}).open_orders_max == D(3)
    with pytest.raises(Forgotten):
        recalled_limits({"limits.of_old": "3"})
