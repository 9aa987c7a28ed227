"""`ordergate`, its paper venue proving LIVE: for tests alone.

Run as a program it takes the words of the command line; all else is the product's.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

from ordergate.__main__ import main
from ordergate.adapters.system import SystemClock
from ordergate.adapters.venues.paper import statement
from ordergate.model.accounts import Mode, VenueSnapshot


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
    sys.exit(main())
