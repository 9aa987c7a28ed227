"""Analyses of imported bars without a gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ordergate.adapters.system import SystemClock
from ordergate.bootstrap.bar_sources import bars_at
from ordergate.market.bars.library.fetch import Library
from ordergate.settings.load import Settings
from ordergate.surfaces.catalogue.looking_back import looked_back
from ordergate.surfaces.catalogue.services import SignalFloors
from ordergate.surfaces.catalogue.workbench import Workbench


@dataclass(frozen=True, slots=True)
class _Past:
    stored: Library
    clock: SystemClock
    bench: Workbench
    floors: SignalFloors


def signal_floors(settings: Settings) -> SignalFloors:
    """Return what the operator lets a signal be proposed from."""
    return SignalFloors(confidence=settings.signals.confidence_min, edge=settings.signals.edge_min)


def look_back(settings: Settings, tool: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Answer a tool from the store, as the gateway would; raise GateError."""
    library = Library(lambda: bars_at(settings))
    past = _Past(library, SystemClock(), Workbench(), signal_floors(settings))
    found = asyncio.run(looked_back(tool, arguments, past))
    return found.model_dump(mode="json")
