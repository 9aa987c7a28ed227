"""The simulated broker's books on disk, so that an account outlives the gateway."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ordergate.testing.mt5.book import DealRow, OrderRow, PositionRow
from ordergate.testing.mt5.server import Server

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Kept:
    """Writes the whole of the books after every change: for rehearsals, not for speed."""

    def __init__(self, path: Path, server: Server) -> None:
        self._path = path
        self._server = server

    def open(self) -> datetime | None:
        """Take the books up where they were left; return the UTC moment they were at."""
        at = None
        if self._path.exists():
            at = self._read(json.loads(self._path.read_text(encoding="ascii")))
        self._server.kept_by(self._write)
        return at

    def _read(self, found: dict[str, Any]) -> datetime:
        server, books = self._server, self._server.books
        books.balance, books.ticket = found["balance"], found["ticket"]
        books.orders.update((row["ticket"], OrderRow(**row)) for row in found["orders"])
        books.past.update((row["ticket"], OrderRow(**row)) for row in found["past"])
        books.positions.update((row["ticket"], PositionRow(**row)) for row in found["positions"])
        books.deals.extend(DealRow(**row) for row in found["deals"])
        server.msc = found["msc"]
        ahead = timedelta(seconds=server.terms.broker_offset_s)
        return _EPOCH + timedelta(milliseconds=server.msc) - ahead

    def _write(self) -> None:
        books = self._server.books
        text = json.dumps(
            {
                "balance": books.balance,
                "ticket": books.ticket,
                "msc": self._server.msc,
                "orders": [asdict(row) for row in books.orders.values()],
                "past": [asdict(row) for row in books.past.values()],
                "positions": [asdict(row) for row in books.positions.values()],
                "deals": [asdict(row) for row in books.deals],
            }
        )
        fresh = self._path.with_suffix(".new")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
