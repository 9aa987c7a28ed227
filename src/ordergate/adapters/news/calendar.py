"""Economic releases from a file of the operator's, or from an address that serves such a file.

CSV with the columns time, currency, impact, title; or JSON, a list of objects with title, country
(or currency), date (or time) and impact, as weekly calendars are published. Times carry a zone.
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ordergate.adapters.news.asking import BYTES_MAX, DEADLINE_S, ask, moment, rows, words
from ordergate.adapters.reach import Reach
from ordergate.model.errors import DataUnavailable
from ordergate.model.foreign_text import TITLE_MAX, stripped
from ordergate.model.news import Release

RELEASES_MAX: Final = 5_000
IMPACTS: Final = ("low", "medium", "high")


class CalendarFile:
    """Implements ports.news.ReleaseSource over a file, read anew each time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        return f"file:{self._path.name}"

    async def releases(self) -> Sequence[Release]:
        return releases_of(await asyncio.to_thread(self._read))

    def _read(self) -> bytes:
        try:
            with open(self._path, "rb") as file:
                body = file.read(BYTES_MAX + 1)
        except OSError as error:
            raise DataUnavailable(f"the calendar cannot be read: {error.strerror}") from None
        if len(body) > BYTES_MAX:
            raise DataUnavailable(f"the calendar is larger than {BYTES_MAX:,} bytes")
        return body


class CalendarUrl:
    """Implements ports.news.ReleaseSource over an address."""

    def __init__(self, url: str, *, allow_loopback: bool = False) -> None:
        self._url = url
        self._reach = Reach(allow_loopback=allow_loopback, deadline_s=DEADLINE_S)

    @property
    def name(self) -> str:
        return "calendar"

    async def releases(self) -> Sequence[Release]:
        return releases_of(await ask(self._reach, "GET", self._url))


def releases_of(body: bytes) -> list[Release]:
    """Return the releases of a calendar; raise DataUnavailable where it has none that can be read.

    A row without a time and a zone, or with another impact, is left out: it proves nothing.
    """
    text = body.decode("utf-8", errors="replace").lstrip("\ufeff")
    if text.lstrip().startswith("["):
        found = [_release(row) for row in rows(body, "")]
    else:
        found = [_release(dict(row)) for row in csv.DictReader(io.StringIO(text))]
    known = [one for one in found[:RELEASES_MAX] if one is not None]
    if not known:
        raise DataUnavailable("the calendar has no release that can be read")
    return sorted(known, key=lambda one: one.at)


def _release(row: dict[str, Any]) -> Release | None:
    said = words(row, "date") or words(row, "time")
    at = moment(said) if said.endswith("Z") or said[-6:-5] in ("+", "-") else None
    impact = words(row, "impact").strip().lower()
    if at is None or impact not in IMPACTS:
        return None
    currency = words(row, "country") or words(row, "currency")
    return Release(
        at=at,
        currency=stripped(currency, most=10).upper(),
        impact=impact,
        title=stripped(words(row, "title"), most=TITLE_MAX),
    )
