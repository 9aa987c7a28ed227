"""The OpenAPI text of every operation: parameters, body, answers and errors, with examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ordergate.surfaces.catalogue.envelope import MEANINGS
from ordergate.surfaces.catalogue.operation import Operation
from ordergate.surfaces.catalogue.schemas import data_schema, input_schema
from ordergate.surfaces.edge import PROBLEM

JSON: Final = "application/json"
_STATUS_WORDS: Final[Mapping[int, str]] = {
    400: "Not a request this operation takes",
    401: "No valid credential",
    403: "This principal may not do that",
    404: "No such symbol, order or approval",
    409: "Not in this state",
    413: "Too large",
    421: "Not this host",
    422: "Refused, with the rule and the number",
    429: "Too many calls",
    500: "Something inside failed; the log has the correlation id",
    503: "A fact is missing, or the gate is starting",
}
PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "description": "RFC 9457 problem details with the envelope inside.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string", "enum": [code.value for code in MEANINGS]},
        "ok": {"type": "boolean", "enum": [False]},
        "data": {"type": "null"},
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "retryable": {"type": "boolean"},
                "requires_human": {"type": "boolean"},
                "details": {"type": "object"},
                "fix": {"type": "string"},
            },
            "required": ["code", "message", "retryable", "requires_human", "details", "fix"],
        },
    },
    "required": ["type", "title", "status", "detail", "code", "ok", "data", "error"],
}


def operation_document(operation: Operation, method: str, path: str) -> dict[str, Any]:
    """Return what OpenAPI says of one route of an operation."""
    schema = input_schema(operation.request)
    in_path = [name for name in schema["properties"] if f"{{{name}}}" in path]
    document: dict[str, Any] = {
        "responses": _responses(operation),
        "parameters": [_parameter(name, schema, place="path") for name in in_path],
        "security": [{"bearer": []}],
    }
    rest = [name for name in schema["properties"] if name not in in_path]
    if method == "GET":
        document["parameters"] += [_parameter(name, schema, place="query") for name in rest]
    elif rest:
        document["requestBody"] = _body(operation, schema, rest)
    return document


def _parameter(name: str, schema: Mapping[str, Any], *, place: str) -> dict[str, Any]:
    described = dict(schema["properties"][name])
    parameter = {
        "name": name,
        "in": place,
        "required": place == "path" or name in schema.get("required", ()),
        "schema": described,
    }
    if described.get("type") == "array":
        parameter |= {"style": "form", "explode": True}
    return parameter


def _body(operation: Operation, schema: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    required = [name for name in schema.get("required", ()) if name in names]
    body: dict[str, Any] = {
        "type": "object",
        "properties": {name: schema["properties"][name] for name in names},
        "additionalProperties": False,
    }
    if required:
        body["required"] = required
    examples = {
        example.name: {"value": {k: v for k, v in example.arguments.items() if k in names}}
        for example in operation.examples
    }
    return {
        "required": bool(required),
        "content": {JSON: {"schema": body, "examples": examples}},
    }


def _responses(operation: Operation) -> dict[str, Any]:
    envelope = {
        "type": "object",
        "properties": {
            "ok": {"type": "boolean", "enum": [True]},
            "data": {"$ref": f"#/components/schemas/{operation.result.__name__}"},
            "error": {"type": "null"},
        },
        "required": ["ok", "data", "error"],
    }
    answer = {"description": "The envelope", "content": {JSON: {"schema": envelope}}}
    return {"200": answer} | {
        str(status): {"$ref": f"#/components/responses/{status}"} for status in _STATUS_WORDS
    }


def components(operations: Iterable[Operation]) -> dict[str, Any]:
    """Return the parts that routes share: results, the problem, errors by status, the token."""
    schemas: dict[str, Any] = {"Problem": PROBLEM_SCHEMA}
    for operation in operations:
        schema = data_schema(operation, refs="#/components/schemas/{model}")
        schemas |= schema.pop("$defs", {})
        schemas[operation.result.__name__] = schema
    problem = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        "schemas": dict(sorted(schemas.items())),
        "responses": {
            str(status): {"description": words, "content": problem}
            for status, words in _STATUS_WORDS.items()
        },
        "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
    }
