"""The program with one seam broken on purpose: a heartbeat that fails tells its whole address."""

from __future__ import annotations

import sys

from ordergate.__main__ import main
from ordergate.adapters import notify


async def beat(self: notify.UrlHeartbeat) -> str | None:
    return f"{self._url} did not answer"


notify.UrlHeartbeat.beat = beat  # type: ignore[method-assign]

if __name__ == "__main__":
    sys.exit(main())
