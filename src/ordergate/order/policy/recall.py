"""Recall: the facts of a past judgement, read back from what was sealed of them, exactly."""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import types
import typing
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from ordergate.model.canonical import from_iso
from ordergate.model.orders import Intent
from ordergate.order.policy.exposure import valued
from ordergate.order.policy.facts import Facts, opening_order
from ordergate.order.policy.limits import BY_NAME, Limits, parsed

_WORKED_OUT: Final = frozenset({"limits", "order", "valued"})


class Forgotten(ValueError):
    """The record keeps less than the rules of this version read; another version made it."""


def recall(intent: Intent, text: str) -> Facts:
    """Read what `facts.recorded` wrote of a judgement of `intent`; raise Forgotten."""
    told = json.loads(text)
    limits = recalled_limits(told.get("limits", {}))
    fields = {
        field.name: _field(Facts, field, told)
        for field in dataclasses.fields(Facts)
        if field.name not in _WORKED_OUT
    }
    opens = fields["resting_opens"]
    order = opening_order(intent, fields["resting"] if opens else None)
    worth = valued(order, fields["quote"], fields["instrument"], rate=fields["rate"], limits=limits)
    return Facts(**fields, limits=limits, order=order, valued=worth)


def recalled_limits(told: Mapping[str, Any]) -> Limits:
    """Return the limits that were in force; those that were not told stood at their default."""
    values: dict[str, Any] = {}
    for name, raw in told.items():
        spec = BY_NAME.get(name)
        if spec is None:
            raise Forgotten(f"there is no limit {name} any more")
        values[spec.attribute] = parsed(spec, raw)
    return Limits(**values)


def _field(kind: type, field: dataclasses.Field[Any], told: Mapping[str, Any]) -> Any:
    if field.name in told:
        return _read(_hints(kind)[field.name], told[field.name])
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    raise Forgotten(f"{kind.__name__}.{field.name} was not recorded")


def _read(hint: Any, raw: Any) -> Any:
    """Read a plain value as the type it was written from."""
    hint = getattr(hint, "__supertype__", hint)
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        kinds = [one for one in typing.get_args(hint) if one is not types.NoneType]
        return None if raw is None else _read(kinds[0], raw)
    if origin is tuple:
        return tuple(_read(typing.get_args(hint)[0], item) for item in raw)
    if origin is frozenset:
        return frozenset(_read(typing.get_args(hint)[0], item) for item in raw)
    if origin is not None:  # a mapping of words
        return dict(raw)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(raw, Mapping):
            raise Forgotten(f"{hint.__name__} was recorded in another form")
        return hint(**{row.name: _field(hint, row, raw) for row in dataclasses.fields(hint)})
    return _word(hint, raw)


def _word(hint: Any, raw: Any) -> Any:
    if hint is Decimal:
        return Decimal(raw)
    if hint is datetime:
        return from_iso(raw)
    if hint is date:
        return date.fromisoformat(raw)
    return hint(raw) if issubclass(hint, enum.Enum) else raw


@functools.cache
def _hints(kind: type) -> Mapping[str, Any]:
    return typing.get_type_hints(kind)
