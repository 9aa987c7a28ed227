"""The operator's policy out of plain tables: profiles, the file's numbers, tables of their own."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ordergate.adapters.config_files import SettingsRefused, dotted
from ordergate.model.errors import InvalidArgument
from ordergate.order.policy.limits import Limits, Narrowing, Value, parsed, spec_named
from ordergate.settings.compat import COMPAT, narrowed
from ordergate.settings.keys import IN_TOML, LIMIT_KEYS, NAMED_TABLES, PROFILE_KEY
from ordergate.settings.profile import FIRST, strictest_profile

_KINDS: Final = {"agents": "agent", "accounts": "account", "venues": "venue"}


def policy_of(tables: Mapping[str, Any], source: str, overrides: Mapping[str, object]) -> Limits:
    """Return the base, profiles with the file's numbers over them, and all that only tightens it.

    `overrides` are dotted keys from environment and flags; a foreign key is "compat.<NAME>".
    """
    layer = dotted(tables, source, known=IN_TOML, beside=NAMED_TABLES) | dict(overrides)
    base = strictest_profile(_names(layer.get(PROFILE_KEY, FIRST)))
    own = Limits.from_mapping({key: value for key, value in layer.items() if key in LIMIT_KEYS})
    values = {
        spec.attribute: own.value(spec) for key, spec in LIMIT_KEYS.items() if key in own.origin
    }
    foreign = {
        key.removeprefix("compat."): value
        for key, value in layer.items()
        if key.removeprefix("compat.") in COMPAT
    }
    arguments: dict[str, Any] = dict(values)
    return dataclasses.replace(
        base,
        **arguments,
        origin={**base.origin, **own.origin},
        narrowings=(*base.narrowings, *_tables(tables), *narrowed(foreign)),
    )


def _tables(tables: Mapping[str, Any]) -> Iterator[Narrowing]:
    limits = tables.get("limits", {})
    for kind, word in _KINDS.items():
        for name, rows in _named(limits.get(kind, {}), f"limits.{kind}"):
            values = tuple(_row(key, raw, f"limits.{kind}.{name}") for key, raw in rows.items())
            yield Narrowing(source=f"{word} {name}", values=values)
    for name, rows in _named(tables.get("compat", {}), "compat"):
        yield from narrowed(rows, of=name)


def _named(tables: object, where: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(tables, Mapping):
        raise SettingsRefused([f"{where} holds tables, one for each name"])
    for name, rows in tables.items():
        if not isinstance(rows, Mapping):
            raise SettingsRefused([f"{where}.{name} must be a table: [{where}.<name>]"])
        yield name, rows


def _row(key: str, raw: object, where: str) -> tuple[str, Value]:
    try:
        spec = spec_named(f"limits.{key}")
        return spec.name, parsed(spec, raw)
    except InvalidArgument as problem:
        raise SettingsRefused([f"[{where}] {problem.message} {problem.fix}".strip()]) from None


def _names(chosen: object) -> tuple[str, ...]:
    names = (chosen,) if isinstance(chosen, str) else chosen
    if not isinstance(names, list | tuple) or not names:
        raise SettingsRefused([f"{PROFILE_KEY} is the name of a profile, or a list of them"])
    return tuple(map(str, names))
