"""What `series.json` says of a stored series: its parts, its imports, where its scale breaks."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from ordergate.model.canonical import iso
from ordergate.model.holdings import Fetched, Holding, Import, Jump, SeriesKey
from ordergate.model.instruments import CalendarName
from ordergate.model.market import PriceBasis, Timeframe
from ordergate.model.values import Symbol
from ordergate.ports.bars import StoreDamaged

FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    rows: int
    first: int
    last: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    holding: Holding
    parts: tuple[Part, ...]


def written(manifest: Manifest) -> str:
    """Return the text of series.json."""
    holding = manifest.holding
    content: dict[str, Any] = {
        "format": FORMAT,
        "venue": holding.key.venue,
        "symbol": holding.key.symbol,
        "timeframe": holding.key.timeframe.value,
        "basis": holding.basis.value,
        "calendar": None if holding.calendar is None else holding.calendar.value,
        "rows": holding.rows,
        "first": holding.first,
        "last": holding.last,
        "complete": holding.complete,
        "imports": [asdict(one) | {"imported_at": iso(one.imported_at)} for one in holding.imports],
        "jumps": [asdict(jump) for jump in holding.jumps],
        "fetched": None if holding.fetched is None else asdict(holding.fetched),
        "parts": [asdict(part) for part in manifest.parts],
    }
    return json.dumps(content, indent=1)


def read_manifest(path: Path) -> Manifest | None:
    """Return what a series.json says; None without one; raise StoreDamaged."""
    try:
        content = json.loads(path.read_bytes())
        if content["format"] != FORMAT:
            raise StoreDamaged(
                f"{path} is of format {content['format']}; this version reads {FORMAT}",
                fix="use the newer ordergate that wrote it",
            )
        return Manifest(_holding(content), tuple(Part(**part) for part in content["parts"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreDamaged(
            f"{path} is damaged: {error}"[:300], fix="move its folder away and import it again"
        ) from error


def _holding(content: dict[str, Any]) -> Holding:
    calendar = content["calendar"]
    return Holding(
        key=SeriesKey(content["venue"], Symbol(content["symbol"]), Timeframe(content["timeframe"])),
        basis=PriceBasis(content["basis"]),
        calendar=None if calendar is None else CalendarName(calendar),
        rows=content["rows"],
        first=content["first"],
        last=content["last"],
        complete=content["complete"],
        imports=tuple(
            Import(**(one | {"imported_at": datetime.fromisoformat(one["imported_at"])}))
            for one in content["imports"]
        ),
        jumps=tuple(Jump(**jump) for jump in content["jumps"]),
        fetched=None if content["fetched"] is None else Fetched(**content["fetched"]),
    )
