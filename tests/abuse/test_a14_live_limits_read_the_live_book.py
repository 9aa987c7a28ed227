"""A14: the limits of a live account are measured on what the venue holds, whoever made it."""

from __future__ import annotations

import asyncio
import dataclasses
from decimal import Decimal
from pathlib import Path

import pytest

from integration.order.test_live import BY_HAND, SMALL
from ordergate.model.errors import Code
from ordergate.order.policy.limits import Limits
from support.live import TRADER, armed, live_gate, prove_live
from support.manual_clock import ManualClock

# 180,000 USD by hand, of an equity of 100,000: live gross exposure ends at 200,000.
LARGE = dataclasses.replace(BY_HAND, quantity=Decimal("1.66"))
ROOMY = Limits(live_symbols_allow=("EURUSD",), position_notional_fraction=Decimal(30))


@pytest.mark.parametrize(
    ("lots", "limit_name"),
    [("0.10", None), ("0.30", "limits.gross_exposure_fraction")],
)
def test_what_was_made_by_hand_counts_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lots: str, limit_name: str | None
) -> None:
    prove_live(monkeypatch)

    async def run() -> None:
        async with live_gate(tmp_path, limits=ROOMY, clock=ManualClock()) as gate:
            await armed(gate)
            await gate.venue.submit(LARGE)
            order = dataclasses.replace(SMALL, quantity=Decimal(lots))
            view = await gate.line.gateway.submit(order, key=None, asker=TRADER)
            assert view.judgement is not None
            failed = view.judgement.decision.failed
            assert failed is not None
            if limit_name is None:
                assert view.status == "approval_required"
            else:
                assert (failed.code, failed.limit_name) == (Code.EXCEEDS_LOCAL_LIMIT, limit_name)
                assert failed.value is not None
                assert failed.value > 2

    asyncio.run(run())
