"""What is in force: the strictest of the file, its tables, compat keys and tightenings, and whose.

The base is the operator's: the profile with the file's own numbers over it, which may be looser.
All else only tightens: what an agent, an account, a venue, a compat key or a tightening says.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from ordergate.model.errors import InvalidArgument
from ordergate.model.records import Tightening
from ordergate.model.values import plain
from ordergate.model.views import LimitView
from ordergate.order.policy.limits import (
    BY_NAME,
    EVERY_SYMBOL,
    SPECS,
    Limits,
    LimitSpec,
    Narrowing,
    Stricter,
    Value,
    parsed,
    shown,
    spec_named,
)
from ordergate.order.policy.on_live import on_live

DEFAULT_SOURCE: Final = "profile paper-default"
_SCOPED: Final = ("agent", "account", "venue")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whom limits are asked for; "" = nobody in particular, whom no table of its own covers."""

    venue: str = ""
    account: str = ""
    principal: str = ""
    live: bool = False  # the venue proves that money is real


EVERYONE: Final = Scope()


@dataclass(frozen=True, slots=True)
class InForce:
    """The limits of one scope, and the source of each that is not the default profile's."""

    limits: Limits
    sources: Mapping[str, str]


def in_force(limits: Limits, tightenings: Iterable[Tightening], scope: Scope = EVERYONE) -> InForce:
    """Return the strictest of all that covers the scope, each number with the source that won."""
    held: dict[str, Value] = {}
    sources = {name: word for name, word in limits.origin.items() if word != DEFAULT_SOURCE}
    for source, name, value in _narrower(limits, tightenings, scope):
        spec = BY_NAME.get(name)
        if spec is None:  # a limit of an older version, since renamed: nothing to tighten
            continue
        before = held.get(name, limits.value(spec))
        after = stricter_of(spec, before, value)
        if after != before:
            held[name] = after
            sources[name] = source
    values: dict[str, Any] = {BY_NAME[name].attribute: value for name, value in held.items()}
    strictest = dataclasses.replace(limits, **values, narrowings=(), broken=False)
    if not scope.live:
        return InForce(strictest, sources)
    real = on_live(strictest)
    changed = (spec.name for spec in SPECS if real.value(spec) != strictest.value(spec))
    return InForce(real, sources | dict.fromkeys(changed, "live account"))


def tightened(limits: Limits, tightenings: Iterable[Tightening]) -> Limits:
    """Return the strictest of the file's limits and every tightening."""
    return in_force(limits, tightenings).limits


def covers(narrowing: Narrowing, scope: Scope) -> bool:
    """Say whether a source speaks of this scope; compat keys and profiles speak of everyone."""
    kind, _, target = narrowing.source.partition(" ")
    if kind not in _SCOPED:
        return True
    wanted = {"agent": scope.principal, "account": scope.account, "venue": scope.venue}[kind]
    return target == wanted


def stricter_of(spec: LimitSpec, one: Value, other: Value) -> Value:
    """Return the stricter of two values; of two lists, what both let through or either keeps out.

    A list that already says so is returned as it stands.
    """
    if isinstance(one, tuple) or isinstance(other, tuple):
        assert isinstance(one, tuple)
        assert isinstance(other, tuple)
        return _stricter_list(spec, one, other)
    return min(one, other) if spec.stricter is Stricter.LOWER else max(one, other)


def is_looser(spec: LimitSpec, value: Value, *, than: Value) -> bool:
    """Say whether `value` would let through anything that `than` does not."""
    strictest = stricter_of(spec, than, value)
    if isinstance(strictest, tuple) and isinstance(value, tuple):
        return _meant(spec, strictest) != _meant(spec, value)
    return strictest != value


def accepted_tightening(limits: Limits, name: str, value: Decimal, *, by_agent: bool) -> LimitSpec:
    """Return the row to tighten; raise InvalidArgument unless `value` is in range and stricter."""
    spec = spec_named(name)
    held = limits.value(spec)
    if isinstance(held, tuple) or (by_agent and not spec.agents_may_tighten):
        raise InvalidArgument(
            f"{spec.name} is set in ordergate.toml alone.", fix="Ask the operator to change it."
        )
    typed = _typed(spec, value) if value in (0, 1) else value
    parsed(spec, typed)
    if stricter_of(spec, held, typed) == held:
        raise InvalidArgument(
            f"{spec.name} is {shown(held)}; {plain(value)} is not stricter.",
            fix=f"Stricter means {spec.stricter.value}; only the operator loosens a limit.",
        )
    return spec


def limit_views(
    limits: Limits, tightenings: Iterable[Tightening], scope: Scope = EVERYONE
) -> tuple[LimitView, ...]:
    """Return every effective limit of the scope and the source that made it so."""
    found = in_force(limits, tightenings, scope)
    return tuple(
        LimitView(
            name=spec.name,
            value=shown(found.limits.value(spec)),
            unit=spec.unit,
            source=found.sources.get(spec.name, DEFAULT_SOURCE),
            meaning=spec.meaning,
            agents_may_tighten=spec.agents_may_tighten,
        )
        for spec in SPECS
    )


def _narrower(
    limits: Limits, tightenings: Iterable[Tightening], scope: Scope
) -> Iterable[tuple[str, str, Value]]:
    for narrowing in limits.narrowings:
        if covers(narrowing, scope):
            yield from ((narrowing.source, name, value) for name, value in narrowing.values)
    for row in tightenings:
        spec = BY_NAME.get(row.limit_name)
        if spec is not None and not isinstance(spec.default, tuple):
            yield f"tightened by {row.set_by}", row.limit_name, _typed(spec, row.value)


def _stricter_list(
    spec: LimitSpec, one: tuple[str, ...], other: tuple[str, ...]
) -> tuple[str, ...]:
    if spec.stricter is Stricter.MORE:
        return (*one, *(symbol for symbol in other if symbol not in one))
    if _is_every(spec, other):
        return one
    if _is_every(spec, one):
        return other
    return tuple(symbol for symbol in one if symbol in other)


def _meant(spec: LimitSpec, symbols: tuple[str, ...]) -> set[str]:
    return {EVERY_SYMBOL} if _is_every(spec, symbols) else set(symbols)


def _is_every(spec: LimitSpec, symbols: tuple[str, ...]) -> bool:
    """Say whether a list holds every symbol: "*" means it only where it is so by default."""
    wild = isinstance(spec.default, tuple) and EVERY_SYMBOL in spec.default
    return wild and EVERY_SYMBOL in symbols


def _typed(spec: LimitSpec, value: Decimal) -> Value:
    return bool(value) if isinstance(spec.default, bool) else value
