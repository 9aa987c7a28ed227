"""The stdio door as a process of its own: `stdio_door.py [REST_URL TOKEN]`.

Without arguments no gateway can be had. The tool `get_status` answers only over a gateway; what
has been imported by then is written to stderr at the end.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass

from ordergate.model.errors import NotReady
from ordergate.surfaces.catalogue.operations import operations
from ordergate.surfaces.mcp.stdio import serve_stdio

HEAVY = ("httpx", "fastapi", "sqlalchemy", "typer", "rich", "numpy", "polars", "structlog")


@dataclass(frozen=True)
class Where:
    rest_url: str
    token: str


async def attach() -> Where:
    if len(sys.argv) < 3:
        raise NotReady("no gateway can be started here", fix="Start one: ordergate up.")
    return Where(sys.argv[1], sys.argv[2])


if __name__ == "__main__":
    numbers = iter(range(1_000_000))
    asyncio.run(
        serve_stdio(
            operations(data_only=False),
            attach=attach,
            version="0.1.0",
            new_id=lambda: f"door-{next(numbers)}",
        )
    )
    loaded = [name for name in HEAVY if name in sys.modules]
    print("loaded:", ",".join(loaded), file=sys.stderr)
