"""Arguments out of an HTTP request: path, query and body, each typed by the operation's schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request

from ordergate.model.errors import InvalidArgument
from ordergate.surfaces.catalogue.arguments import BYTES_MAX, TooLarge, read_json
from ordergate.surfaces.edge import read_body

_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})\Z", re.ASCII)
_BOOLEANS: Final = {"true": True, "false": False}


async def arguments_of(request: Request, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything the request carries; raise InvalidArgument when two carriers disagree."""
    carried = [dict(request.path_params), _query(request, schema)]
    if request.method != "GET":
        carried.append(await _body(request))
    merged: dict[str, Any] = {}
    for part in carried:
        for name, value in part.items():
            if name in merged and merged[name] != value:
                raise InvalidArgument(
                    "the same argument stands in two places", fix="Send each argument once."
                )
            merged[name] = value
    return merged


async def _body(request: Request) -> dict[str, Any]:
    body = await read_body(request.receive, BYTES_MAX)
    if body is None:
        raise TooLarge(f"the body is larger than {BYTES_MAX} bytes", fix="Send less at once.")
    if not body.strip():
        return {}
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    if kind.lower() != "application/json":
        raise InvalidArgument("the body must be JSON", fix="Send Content-Type: application/json.")
    value = read_json(body)
    if not isinstance(value, dict):
        raise InvalidArgument("the body must be a JSON object", fix="Send an object of arguments.")
    return value


def _query(request: Request, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Read query arguments: text is all a URL can carry, so the schema says what the text is."""
    properties = schema["properties"]
    found: dict[str, Any] = {}
    for name in request.query_params:
        values = request.query_params.getlist(name)
        kind = properties.get(name, {}).get("type")
        if kind == "array":
            found[name] = [item for value in values for item in value.split(",")]
            continue
        if len(values) > 1:
            raise InvalidArgument("a query argument stands twice", fix="Send each argument once.")
        found[name] = _typed(values[0], kind)
    return found


def _typed(text: str, kind: object) -> Any:
    if kind == "integer" and _INTEGER.match(text):
        return int(text)
    if kind == "boolean":
        return _BOOLEANS.get(text, text)
    return text
