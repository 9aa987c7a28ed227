"""Raw arguments into a request: bounded in size, strict in kind, refused by name."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final, NoReturn

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ordergate.model.errors import Code, GateError, InvalidArgument
from ordergate.surfaces.catalogue.fields import Request

BYTES_MAX: Final = 64 * 1024
DEPTH_MAX: Final = 16
KEYS_MAX: Final = 1_000
FAULTS_MAX: Final = 10
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}\Z", re.ASCII)


class TooLarge(GateError):
    code: ClassVar[Code] = Code.PAYLOAD_TOO_LARGE


def read_json(body: bytes, *, depth: int = DEPTH_MAX) -> Any:
    """Read JSON as RFC 8259 has it; refuse duplicate keys, NaN, Infinity and what is too big."""
    if len(body) > BYTES_MAX:
        raise TooLarge(f"the body is larger than {BYTES_MAX} bytes", fix="Send less at once.")
    try:
        # Decoded here, strictly: json takes UTF-16, a byte-order mark and lone surrogates for text.
        value = json.loads(body.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidArgument(
            "the body is not one JSON text with unique keys", fix="Send a JSON object."
        ) from error
    check_size(value, depth=depth)
    return value


def check_size(value: Any, *, depth: int = DEPTH_MAX) -> None:
    """Raise TooLarge for more depth, keys or characters than any request needs."""
    nodes: list[tuple[Any, int]] = [(value, 1)]
    count = 0
    size = 0
    while nodes:
        node, level = nodes.pop()
        if level > depth:
            raise TooLarge(f"nested deeper than {DEPTH_MAX} levels", fix="Send a flat object.")
        if isinstance(node, Mapping):
            children: list[Any] = list(node.values())
            size += sum(len(key) for key in node)
        elif isinstance(node, list | tuple):
            children = list(node)
        else:
            size += len(node) if isinstance(node, str) else 8
            children = []
        count += len(children)
        if count > KEYS_MAX:
            raise TooLarge(f"more than {KEYS_MAX} keys and elements", fix="Send less at once.")
        if size > BYTES_MAX:
            raise TooLarge(f"larger than {BYTES_MAX} characters", fix="Send less at once.")
        nodes += [(child, level + 1) for child in children]


def read_request(model: type[Request], arguments: Mapping[str, Any]) -> Request:
    """Return the request, or raise InvalidArgument that names every field at fault."""
    check_size(arguments)
    nulls = [name for name, value in arguments.items() if value is None]
    wrong = [n for n in nulls if n in model.model_fields and n not in model.nullable]
    if wrong:
        _refuse(model, [_null(name) for name in wrong])
    try:
        return model.model_validate(dict(arguments))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=True)
        _refuse(model, [_fault(model, item) for item in found[:FAULTS_MAX]])


def _refuse(model: type[Request], faults: list[dict[str, str]]) -> NoReturn:
    first = faults[0]
    raise InvalidArgument(
        "; ".join(f"{fault['field']}: {fault['problem']}" for fault in faults[:3]),
        fix=first["fix"],
        details={"faults": faults, "arguments": sorted(model.model_fields)},
    )


def _null(name: str) -> dict[str, str]:
    return {"field": name, "problem": "is null", "fix": f"Leave {name} out instead of null."}


def _fault(model: type[Request], item: ErrorDetails) -> dict[str, str]:
    location = [str(part) for part in item["loc"]]
    name = _shown(location[0]) if location else "arguments"
    if item["type"] == "extra_forbidden":
        near = difflib.get_close_matches(location[0], model.model_fields, n=1, cutoff=0.6)
        hint = f"Did you mean {near[0]}?" if near else "See details.arguments for what it takes."
        return {"field": name, "problem": "is no argument of this tool", "fix": hint}
    if item["type"] == "missing":
        return {"field": name, "problem": "is missing", "fix": f"Send {name}."}
    return {"field": name, "problem": _problem(item), "fix": f"Correct {name}; see its schema."}


def _problem(item: ErrorDetails) -> str:
    """Say what was expected; never what was sent."""
    context = item.get("ctx", {})
    match item["type"]:
        case "string_type":
            return 'must be a string (decimals are strings, such as "0.10")'
        case "string_pattern_mismatch":
            return f"must match {context.get('pattern')}"
        case "string_too_long":
            return f"must have at most {context.get('max_length')} characters"
        case "literal_error":
            return f"must be {context.get('expected')}"
        case "int_type":
            return "must be a whole number, not a string, a fraction or a boolean"
        case "greater_than_equal" | "less_than_equal":
            bound = context.get("ge", context.get("le"))
            return f"must be at {'least' if 'ge' in context else 'most'} {bound}"
        case "bool_type":
            return "must be true or false"
        case "value_error":
            return "is not a value of this kind"
        case kind:
            return kind.replace("_", " ")


def _shown(name: str) -> str:
    """Show a name only if it looks like one: what a caller sends is not repeated to a model."""
    return name if _NAME.match(name) else "an argument"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")
