"""What imported bars answer without a gateway: the same operations, on the store alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from ordergate.model.errors import DataUnavailable, InvalidArgument
from ordergate.surfaces.catalogue import requests
from ordergate.surfaces.catalogue.analysis import computed, signalled
from ordergate.surfaces.catalogue.analysis_requests import (
    Compare,
    Context,
    Indicators,
    Packet,
    Scan,
    Signal,
)
from ordergate.surfaces.catalogue.arguments import read_request
from ordergate.surfaces.catalogue.grounds import LIVE, Ground, stored_ground
from ordergate.surfaces.catalogue.packets import packed
from ordergate.surfaces.catalogue.past import stored_bars
from ordergate.surfaces.catalogue.scanning import DEADLINE_S, compared, scanned, seen_from

if TYPE_CHECKING:
    from ordergate.surfaces.catalogue.fields import Request, Result
    from ordergate.surfaces.catalogue.past import Past

Answers = Callable[["Past", Any], Awaitable["Result"]]


def _on_ground(work: Callable[[Ground, Any], Awaitable[Result]]) -> Answers:
    return lambda past, request: work(stored_ground(past, request), request)


LOOK_BACK: Final[Mapping[str, tuple[type[Request], Answers]]] = {
    "get_bars": (requests.Bars, stored_bars),
    "compute_indicators": (Indicators, _on_ground(computed)),
    "generate_signal": (Signal, _on_ground(signalled)),
    "scan_opportunities": (Scan, _on_ground(scanned)),
    "compare_symbols": (Compare, _on_ground(compared)),
    "htf_context": (Context, _on_ground(seen_from)),
    "analysis_packet": (Packet, _on_ground(packed)),
}


async def looked_back(tool: str, arguments: Mapping[str, Any], past: Past) -> Result:
    """Answer one of LOOK_BACK from the store; raise GateError."""
    model, answers = LOOK_BACK[tool]
    request = read_request(model, arguments)
    if getattr(request, "source", LIVE) == LIVE:
        raise InvalidArgument("live prices are the gateway's", fix="ordergate up")
    try:
        async with asyncio.timeout(DEADLINE_S):
            return await answers(past, request)
    except TimeoutError:
        raise DataUnavailable(f"no answer within {DEADLINE_S:g} s", fix="Ask for less.") from None
