"""A gate on a full disk that dies at a named moment of an emergency exit; run as a program."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from ordergate.model.orders import CloseIntent
from ordergate.model.outcomes import Outcome
from ordergate.model.values import IdempotencyKey
from ordergate.order.dispatch.send import Claim, Send
from support.full_disk import fill
from support.gate import start_gate
from support.order_records import AGENT, buy


async def close_and_die(folder: Path, moment: str) -> None:
    """Open a position, fill the disk, close it, and end before or after the wire write."""
    gate = await start_gate(folder)
    opened = await gate.line.gateway.submit(buy(), key=None, asker=AGENT)
    assert opened.status == "filled"
    (position,) = (await gate.venue.snapshot()).positions
    await fill(gate.store)
    sound = Send._once

    async def dying(self: Send, claim: Claim) -> Outcome:
        if moment == "after":
            await sound(self, claim)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("still alive")

    Send._once = dying  # type: ignore[method-assign]
    intent = CloseIntent(
        account=opened.order.account,
        venue=opened.order.venue,
        symbol=position.symbol,
        position_id=position.position_id,
    )
    await gate.line.gateway.close(intent, key=IdempotencyKey("out"), asker=AGENT)


if __name__ == "__main__":
    asyncio.run(close_and_die(Path(sys.argv[1]), sys.argv[2]))
