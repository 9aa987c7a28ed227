"""`ordergate`, its paper venue proving LIVE and its operator holding a passkey: for tests alone.

Run as a program it takes the words of the command line. A write at the operator's listener with the
header X-Test-Assertion: <hash> is one that a user-verified passkey signed over that hash.
"""

from __future__ import annotations

import dataclasses
import sys
from contextvars import ContextVar
from typing import Any

from ordergate.__main__ import main
from ordergate.adapters.system import SystemClock
from ordergate.adapters.venues.paper import statement
from ordergate.model.accounts import Mode, VenueSnapshot
from ordergate.model.proofs import Method, Proof
from ordergate.surfaces.console.entry import Entry, Visit

SIGNED: ContextVar[str | None] = ContextVar("signed", default=None)


def hold_a_passkey() -> None:
    """Let the header stand for the browser's assertion; everything behind it is the product's."""
    sound_write, sound_proof = Entry.write, Visit.proof.fget
    assert sound_proof is not None

    async def write(self: Entry, request: Any, *more: Any, **others: Any) -> Visit:
        SIGNED.set(request.headers.get("x-test-assertion"))
        return await sound_write(self, request, *more, **others)

    def proof(visit: Visit) -> Proof:
        over = SIGNED.get()
        if over is None:
            return sound_proof(visit)
        return Proof(method=Method.PASSKEY, at=visit.now, over=over)

    Entry.write = write  # type: ignore[method-assign]
    Visit.proof = property(proof)  # type: ignore[method-assign,assignment]


def prove_live() -> None:
    identity, shown, clock = statement.IDENTITY, statement.snapshot, SystemClock()
    statement.IDENTITY = dataclasses.replace(  # type: ignore[misc]
        identity, mode=Mode.LIVE, proof="a test says so"
    )

    def on_time(*words: Any) -> VenueSnapshot:
        """A live venue's clock is the world's, its feed's prices are of another day."""
        return dataclasses.replace(shown(*words), venue_time=clock.now())

    statement.snapshot = on_time  # type: ignore[assignment]


if __name__ == "__main__":
    prove_live()
    hold_a_passkey()
    sys.exit(main())
