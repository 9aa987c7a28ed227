"""`ordergate` whose paper venue also takes orders by hand, as a broker's own app does: for tests.

Each line of `by-hand.jsonl` in the data directory is an order that goes past the gate.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from ordergate.__main__ import main
from ordergate.adapters.venues.paper.venue import PaperVenue
from ordergate.model.outcomes import VenueRefusal
from ordergate.model.values import Tag
from support.paper import Orders

POLL_S = 0.05
HANDS: set[asyncio.Task[None]] = set()


def lend_a_hand() -> None:
    sound = PaperVenue.snapshot

    async def snapshot(self: PaperVenue) -> Any:
        if not HANDS:
            HANDS.add(asyncio.create_task(by_hand(self)))
        return await sound(self)

    PaperVenue.snapshot = snapshot  # type: ignore[method-assign]


async def by_hand(venue: PaperVenue) -> None:
    """Send what is written down, each line once."""
    notes = Path(os.environ["ORDERGATE_DATA_DIR"]) / "by-hand.jsonl"
    done = 0
    while True:
        await asyncio.sleep(POLL_S)
        lines = notes.read_text("utf-8").splitlines() if notes.exists() else []
        for line in lines[done:]:
            done += 1
            order = json.loads(line)
            tag = Tag(order.pop("tag"))
            with contextlib.suppress(VenueRefusal):
                await venue.submit(Orders().place(**order, tag=tag))


if __name__ == "__main__":
    lend_a_hand()
    sys.exit(main())
