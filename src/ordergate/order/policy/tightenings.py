"""Tightenings: what is stricter, what a limit comes to under all of them, and who made it so."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from ordergate.model.errors import InvalidArgument
from ordergate.model.records import Tightening
from ordergate.model.values import plain
from ordergate.model.views import LimitView
from ordergate.order.policy.limits import (
    BY_NAME,
    SPECS,
    Limits,
    LimitSpec,
    Stricter,
    Value,
    parsed,
    shown,
    spec_named,
)


def tightened(limits: Limits, tightenings: Iterable[Tightening]) -> Limits:
    """Return the strictest of the file's limits and every tightening."""
    values: dict[str, Any] = {}
    for tightening in tightenings:
        spec = BY_NAME.get(tightening.limit_name)
        if spec is None:  # a limit of an older version, since renamed: nothing to tighten
            continue
        held = values.get(spec.attribute, limits.value(spec))
        if _is_stricter(spec, tightening.value, than=held):
            values[spec.attribute] = _typed(spec, tightening.value)
    return dataclasses.replace(limits, **values) if values else limits


def accepted_tightening(limits: Limits, name: str, value: Decimal, *, by_agent: bool) -> LimitSpec:
    """Return the row to tighten; raise InvalidArgument unless `value` is in range and stricter."""
    spec = spec_named(name)
    held = limits.value(spec)
    if isinstance(held, tuple) or (by_agent and not spec.agents_may_tighten):
        raise InvalidArgument(
            f"{spec.name} is set in ordergate.toml alone.", fix="Ask the operator to change it."
        )
    parsed(spec, _typed(spec, value) if isinstance(held, bool) and value in (0, 1) else value)
    if not _is_stricter(spec, value, than=held):
        raise InvalidArgument(
            f"{spec.name} is {shown(held)}; {plain(value)} is not stricter.",
            fix=f"Stricter means {spec.stricter.value}; only the operator loosens a limit.",
        )
    return spec


def limit_views(
    limits: Limits, tightenings: Iterable[Tightening], effective: Limits
) -> tuple[LimitView, ...]:
    """Return every effective limit and the source that made it so."""
    held = tuple(tightenings)
    return tuple(
        LimitView(
            name=spec.name,
            value=shown(effective.value(spec)),
            unit=spec.unit,
            source=_source(spec, limits, effective, held),
            meaning=spec.meaning,
            agents_may_tighten=spec.agents_may_tighten,
        )
        for spec in SPECS
    )


def _source(
    spec: LimitSpec, limits: Limits, effective: Limits, tightenings: tuple[Tightening, ...]
) -> str:
    value = effective.value(spec)
    if value != limits.value(spec):
        for tightening in tightenings:
            if tightening.limit_name == spec.name and tightening.value == value:
                return f"tightened by {tightening.set_by}"
        return "live account"
    return "file" if spec.name in limits.given else "profile"


def _is_stricter(spec: LimitSpec, value: Decimal, *, than: Value) -> bool:
    if isinstance(than, tuple):
        return False
    held = Decimal(than)
    return value < held if spec.stricter is Stricter.LOWER else value > held


def _typed(spec: LimitSpec, value: Decimal) -> Value:
    return bool(value) if isinstance(spec.default, bool) else value
