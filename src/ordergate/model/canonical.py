"""One byte form for everything that is hashed, signed, stored or compared.

RFC 8785-like JSON: keys sorted, no spaces, decimals as plain strings, times as ISO 8601 UTC, Z.
Floats are refused: nothing that is hashed may depend on how a float prints.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from ordergate.model.orders import (
    Action,
    CancelIntent,
    CloseIntent,
    Intent,
    Keep,
    ModifyIntent,
    OrderType,
    PlaceIntent,
    Side,
    TimeInForce,
)
from ordergate.model.values import plain


def canonical(value: Any) -> str:
    """Return the canonical JSON text of plain data, dataclasses, enums, decimals and times."""
    return _JSON.encode(plain_data(value))


# Plain data is a fresh tree: it holds no circle to look for.
_JSON: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False
)


def plain_data(value: Any) -> Any:
    """Turn dataclasses, enums, decimals and times into JSON's own types."""
    kind = type(value)
    if kind in _JSONS_OWN:
        return value
    way = _LEARNT.get(kind)
    if way is None:
        way = _LEARNT[kind] = _way(kind)
    return way(value)


_JSONS_OWN: Final = frozenset({str, int, bool, type(None)})
_LEARNT: Final[dict[type, Callable[[Any], Any]]] = {}  # every record of an order passes here


def _way(kind: type) -> Callable[[Any], Any]:
    """Return how values of a type become JSON's; raise TypeError where they do not."""
    if issubclass(kind, enum.Enum):
        return lambda value: value.value
    if dataclasses.is_dataclass(kind):
        names = tuple(field.name for field in dataclasses.fields(kind))
        return lambda value: {name: plain_data(getattr(value, name)) for name in names}
    for known, way in _WAYS:
        if issubclass(kind, known):
            return way
    if issubclass(kind, float):
        raise TypeError("floats have no canonical form; use Decimal")
    raise TypeError(f"no canonical form for {kind.__name__}")


def _same(value: Any) -> Any:
    return value


def _object(value: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        str(key): item if type(item) in _JSONS_OWN else plain_data(item)
        for key, item in value.items()
    }


def _array(value: Iterable[Any]) -> list[Any]:
    return [plain_data(item) for item in value]


def _sorted(value: Iterable[Any]) -> list[Any]:
    return sorted(_array(value))


def iso(at: datetime) -> str:
    """Write an aware time as 2026-01-07T14:00:00.000000Z; refuse a naive one."""
    if at.tzinfo is None:
        raise TypeError("a time without a zone")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def from_iso(text: str) -> datetime:
    """Read what `iso` wrote."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


_WAYS: Final[tuple[tuple[type, Callable[[Any], Any]], ...]] = (
    (str, _same),
    (int, _same),  # bool too
    (type(None), _same),
    (Decimal, plain),
    (datetime, iso),  # before date: every datetime is one
    (date, date.isoformat),
    (dict, _object),
    (list, _array),
    (tuple, _array),
    (set, _sorted),
    (frozenset, _sorted),
)


def sha256_hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def encode_intent(intent: Intent) -> str:
    """Return the canonical JSON of an intent, its action included."""
    return canonical({"action": intent.action, **plain_data(intent)})


_KINDS: dict[Action, type[Any]] = {
    Action.PLACE: PlaceIntent,
    Action.MODIFY: ModifyIntent,
    Action.CANCEL: CancelIntent,
    Action.CLOSE: CloseIntent,
}
_DECIMALS = frozenset(
    {
        "quantity",
        "limit_price",
        "stop_price",
        "trail_amount",
        "trail_percent",
        "stop_loss",
        "take_profit",
    }
)
_ENUMS: dict[str, type[enum.StrEnum]] = {
    "side": Side,
    "order_type": OrderType,
    "time_in_force": TimeInForce,
}


def decode_intent(text: str) -> Intent:
    """Read what `encode_intent` wrote."""
    data = json.loads(text)
    kind = _KINDS[Action(data.pop("action"))]
    intent: Intent = kind(**{name: _field(name, value) for name, value in data.items()})
    return intent


def _field(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _DECIMALS:
        return Keep.KEEP if value == Keep.KEEP.value else Decimal(value)
    if name in _ENUMS:
        return _ENUMS[name](value)
    if name == "good_till":
        return from_iso(value)
    return value
