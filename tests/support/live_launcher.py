"""`ordergate`, its paper venue proving LIVE: for tests alone.

Run as a program it takes the words of the command line; all else is the product's.
"""

from __future__ import annotations

import dataclasses
import sys

from ordergate.__main__ import main
from ordergate.adapters.venues.paper import statement
from ordergate.model.accounts import Mode


def prove_live() -> None:
    identity = statement.IDENTITY
    statement.IDENTITY = dataclasses.replace(  # type: ignore[misc]
        identity, mode=Mode.LIVE, proof="a test says so"
    )


if __name__ == "__main__":
    prove_live()
    sys.exit(main())
