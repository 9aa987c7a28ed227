"""Input no caller should send: values, bodies and the one thing that must come back, a coded no."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from typing import Any

BYTES_MAX = 64 * 1024
NAN, INFINITY = float("nan"), float("inf")

# Never a good value of any argument, free text apart (see TEXTS).
WRONG_TYPES: tuple[Any, ...] = (
    *(True, False, 0, -1, 1, 2**31, 2**63, 2**200, -(2**64), 0.1, -0.0, 1e-320, 1e308),
    *(NAN, INFINITY, -INFINITY, [], {}, [[]], [None], {"a": 1}, ["EURUSD"] * 400, None),
)
TEXTS = (
    *("", " ", "\x00", "a\x00b", "\t1", "1 ", "NaN", "nan", "Infinity", "-inf", "1e309", "1E5"),
    *(
        "-1",
        "+1",
        "0x10",
        "1_000",
        "1,5",
        ".5",
        "5.",
        "١٢",
        "１.5",
        "9" * 400,
        "0." + "0" * 80 + "1",
    ),
    *("\u202eDSUEUR", "EUR\u200bUSD", "EURUSD\u2066", "\ufeffEURUSD", "ЕURUSD", "🏦" * 40),
    *("\ud800", "\udfff\ud800", "a\udc00", "'; DROP TABLE orders; --", "../../etc/passwd"),
    *("{{7*7}}", "<script>alert(1)</script>", "%00", "%s%n", "\r\nX-Evil: 1", "x" * 70_000),
)
FREE_TEXT = frozenset({"note", "reason"})  # any words are good here, up to their length
NUMBERS = ("0", "0.0", "9" * 24, "0." + "0" * 21 + "1", "1." + "1" * 22)  # written well, no size
LONG_TEXT = "x" * 301
SURROGATES = frozenset(text for text in TEXTS if any("\ud800" <= c <= "\udfff" for c in text))


def values_for(name: str) -> tuple[Any, ...]:
    """Return what an argument can never be."""
    if name in FREE_TEXT:
        return (*WRONG_TYPES, LONG_TEXT, *SURROGATES)
    return (*WRONG_TYPES, *TEXTS)


def mutated(
    good: Mapping[str, Any], arguments: Mapping[str, Any], chance: random.Random
) -> dict[str, Any]:
    """Return a good request with one to three arguments made hostile, or strangers added."""
    body = dict(good)
    for _ in range(chance.randint(1, 3)):
        name = chance.choice([*arguments, "a_stranger"])
        if name == "a_stranger":
            stranger = chance.choice(["stoploss", "approval_confirmed", "", "__proto__", "Symbol"])
            body[stranger] = chance.choice(["1", 1, True, None, {}])
        else:
            body[name] = _spoiled(name, arguments[name], chance)
    return body


def _spoiled(name: str, schema: Mapping[str, Any], chance: random.Random) -> Any:
    value = chance.choice(values_for(name))
    while _may_be_good(value, schema):
        value = chance.choice(values_for(name))
    return value


def _may_be_good(value: Any, schema: Mapping[str, Any]) -> bool:
    """Say whether the published schema lets a value through."""
    kinds = {schema.get("type"), *(branch.get("type") for branch in schema.get("anyOf", ()))}
    match value:
        case bool():
            return "boolean" in kinds
        case int():
            return "integer" in kinds
        case None:
            return "null" in kinds
        case list():
            return "array" in kinds
        case str() if "string" in kinds and "enum" not in schema:
            return re.search(schema.get("pattern", "a^"), value) is not None
    return False


def raw_bodies(good: Mapping[str, Any]) -> list[bytes]:
    """Return bodies that are not one JSON object, or more of one than any request needs."""
    text = json.dumps(good)
    deep = 100_000
    return [
        *(b"{", b"[]", b"null", b'"text"', b"1", b"\xff\xfe", b"{}{}", b"{'a': 1}", b"\x00" * 100),
        *(b'{"a": NaN}', b'{"a": Infinity}', b'{"a": 1e309}', b'{"a": -1e309}', b'{"a": 01}'),
        text[:-1].encode() or b"{",
        f'{{"symbol": "EURUSD", "symbol": "GBPUSD", {text[1:]}'.encode().replace(b", }", b"}"),
        json.dumps(dict(good) | {"pad": "x" * BYTES_MAX}).encode(),
        b'{"a": ' + b"[" * deep + b"]" * deep + b"}",
        b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}",
        b'{"a": ' + b'{"a": ' * 40 + b"1" + b"}" * 40 + b"}",
        json.dumps({f"k{n}": n for n in range(5_000)}).encode(),
        ('{"symbol": "' + "\ud800" + '"}').encode("utf-8", "surrogatepass"),
        ("\ufeff" + text).encode(),
        text.encode("utf-16"),
    ]


def as_json(body: Any) -> bytes:
    """Write what a sloppy client writes: NaN and Infinity as words, surrogates as escapes."""
    return json.dumps(body).encode()
