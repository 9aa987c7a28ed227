"""Risk profiles: limits to start from, shipped as files; of several the strictest counts."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Sequence
from decimal import Decimal
from importlib import resources
from typing import Any, Final

from ordergate.adapters.config_files import SettingsRefused
from ordergate.order.policy.limits import SPECS, Limits, Narrowing
from ordergate.order.policy.tightenings import DEFAULT_SOURCE, stricter_of

NAMES: Final = ("paper-default", "conservative", "opentrading-demo", "nse-default")
FIRST: Final = ("paper-default",)
# What a profile says of these stands, whatever the file says: it was made for such accounts alone.
_BINDING: Final = ("limits.live_allowed",)


def profile(name: str) -> Limits:
    """Return a profile as limits; refuse an unknown name."""
    if name not in NAMES:
        raise SettingsRefused([f"there is no risk profile {name!a}"], fix=f"use {', '.join(NAMES)}")
    text = (
        resources.files("ordergate.settings.profiles").joinpath(f"{name}.toml").read_text("utf-8")
    )
    limits = Limits.from_mapping(tomllib.loads(text, parse_float=Decimal))
    return dataclasses.replace(limits, origin=dict.fromkeys(limits.origin, f"profile {name}"))


def strictest_profile(names: Sequence[str]) -> Limits:
    """Return the strictest of the profiles, each number with the profile it is of."""
    first, *others = [profile(name) for name in names]
    values: dict[str, Any] = {}
    origin, binding = dict(first.origin), [_binding(names[0], first)]
    for name, other in zip(names[1:], others, strict=True):
        binding.append(_binding(name, other))
        for spec in SPECS:
            held = values.get(spec.attribute, first.value(spec))
            stricter = stricter_of(spec, held, other.value(spec))
            if stricter != held:
                values[spec.attribute] = stricter
                origin[spec.name] = other.origin.get(spec.name, DEFAULT_SOURCE)
    narrowings = tuple(one for one in binding if one.values)
    return dataclasses.replace(first, **values, origin=origin, narrowings=narrowings)


def _binding(name: str, limits: Limits) -> Narrowing:
    rows = ((spec.name, limits.value(spec)) for spec in SPECS if spec.name in _BINDING)
    held = tuple(row for row in rows if row[0] in limits.origin)
    return Narrowing(source=f"profile {name}", values=held)
