"""JSON schemas of requests and answers, terse: what a model reads counts in tokens."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ordergate.model.errors import Code
from ordergate.surfaces.catalogue.fields import Request
from ordergate.surfaces.catalogue.operation import Operation

CHARACTERS_PER_TOKEN: Final = 4
_ERROR: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "code": {"type": "string", "enum": [code.value for code in Code]},
        "message": {"type": "string"},
        "retryable": {"type": "boolean"},
        "requires_human": {"type": "boolean"},
        "details": {"type": "object"},
        "fix": {"type": "string"},
    },
    "required": ["code", "message", "retryable", "requires_human", "details", "fix"],
    "additionalProperties": False,
}


def input_schema(model: type[Request]) -> dict[str, Any]:
    """Return a request's schema without titles, defaults of null, and docstrings."""
    raw = model.model_json_schema()
    properties = {
        name: _field(schema, nullable=name in model.nullable)
        for name, schema in raw.get("properties", {}).items()
    }
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if raw.get("required"):
        schema["required"] = raw["required"]
    schema["additionalProperties"] = False
    return schema


def _field(schema: Mapping[str, Any], *, nullable: bool) -> dict[str, Any]:
    terse = {name: value for name, value in schema.items() if name not in ("title", "default")}
    for branch in terse.pop("anyOf", ()):
        if branch.get("type") != "null":
            terse = {**branch, **terse}
    if nullable:
        # Two branches, not a list of types: some clients map a property onto one type.
        words = {"description": terse.pop("description")} if "description" in terse else {}
        terse = {"anyOf": [terse, {"type": "null"}], **words}
    if schema.get("default") is not None:
        terse["default"] = schema["default"]
    if "const" in terse:
        terse["enum"] = [terse.pop("const")]
    return terse


def data_schema(operation: Operation, *, refs: str = "#/$defs/{model}") -> dict[str, Any]:
    """Return the schema of an operation's data; parts it names are below $defs."""
    raw = operation.result.model_json_schema(mode="serialization", ref_template=refs)
    schema = _untitled(raw)
    assert isinstance(schema, dict)
    return schema


def output_schema(operation: Operation) -> dict[str, Any]:
    """Return the envelope's schema: this operation's data, or the error."""
    data = data_schema(operation)
    shared = data.pop("$defs", {})
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {
            "ok": {"type": "boolean"},
            "data": {"anyOf": [data, {"type": "null"}]},
            "error": {"anyOf": [_ERROR, {"type": "null"}]},
        },
        "required": ["ok", "data", "error"],
        "additionalProperties": False,
    }
    if shared:
        schema["$defs"] = shared
    return schema


def _untitled(node: Any) -> Any:
    """Drop the titles and docstrings pydantic adds, not properties of those names."""
    if isinstance(node, list):
        return [_untitled(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept: dict[str, Any] = {}
    for name, value in node.items():
        if name in ("title", "description") and isinstance(value, str):
            continue
        if name in ("properties", "$defs"):
            kept[name] = {key: _untitled(item) for key, item in value.items()}
        else:
            kept[name] = _untitled(value)
    return kept


def visible(operation: Operation) -> str:
    """Return what a model reads of a tool: name, description and input schema."""
    schema = json.dumps(input_schema(operation.request), separators=(",", ":"))
    return operation.name + operation.summary + schema


def tokens(operations: Iterable[Operation]) -> int:
    """Return the model-visible size of a tool list, at four characters a token."""
    return sum(len(visible(operation)) for operation in operations) // CHARACTERS_PER_TOKEN


def fingerprint(operations: Iterable[Operation]) -> str:
    """Return the SHA-256 of a tool list: a changed description shows as a changed hash."""
    text = "\n".join(visible(operation) for operation in operations)
    return hashlib.sha256(text.encode()).hexdigest()
