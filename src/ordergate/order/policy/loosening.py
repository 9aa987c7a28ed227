"""Loosening waits: what was in force stays in force until the announced delay is over (C30)."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from ordergate.model.canonical import canonical, from_iso, plain_data
from ordergate.model.errors import InvalidArgument
from ordergate.model.records import Loosening
from ordergate.order.policy.limits import (
    BY_NAME,
    SPECS,
    Limits,
    LimitSpec,
    Narrowing,
    Value,
    parsed,
    shown,
)
from ordergate.order.policy.tightenings import is_looser, stricter_of

KEPT_FACT: Final = "limits.kept"
WAITING_FACT: Final = "limits.loosenings"
WAITS: Final = "before the loosening that waits"
TIGHTENING: Final = "tightenings"  # the place of what the operator takes back of the database
NOTHING: Final = "not set"

Place = tuple[str, str]  # source ("" = the file's own [limits]), full name of the limit
Cells = Mapping[Place, Value]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens to a loosening, to be sealed."""

    kind: str  # "announced", "loosened", "withdrawn"
    loosening: Loosening


@dataclass(frozen=True, slots=True)
class Plan:
    """What a look at the file comes to: what counts from now on, what waits, what to seal."""

    kept: Cells
    waiting: tuple[Loosening, ...]
    steps: tuple[Step, ...] = field(default=())


def cells(limits: Limits) -> dict[Place, Value]:
    """Return every number of the file by its place."""
    held: dict[Place, Value] = {("", spec.name): limits.value(spec) for spec in SPECS}
    for narrowing in limits.narrowings:
        for name, value in narrowing.values:
            place = (narrowing.source, name)
            held[place] = stricter_of(BY_NAME[name], held[place], value) if place in held else value
    return held


def held_back(limits: Limits, kept: Cells) -> Limits:
    """Return the file's limits, nothing in them looser than what is kept."""
    values: dict[str, Any] = {}
    origin = dict(limits.origin)
    tables = {narrowing.source: dict(narrowing.values) for narrowing in limits.narrowings}
    for (source, name), old in kept.items():
        spec = BY_NAME.get(name)
        if spec is None:
            continue
        if source:
            table = tables.setdefault(source, {})
            table[name] = stricter_of(spec, table[name], old) if name in table else old
        elif is_looser(spec, limits.value(spec), than=old):
            values[spec.attribute] = stricter_of(spec, limits.value(spec), old)
            origin[name] = WAITS
    narrowings = tuple(
        Narrowing(source=who, values=tuple(row.items())) for who, row in tables.items()
    )
    if not values and narrowings == limits.narrowings:
        return limits
    return dataclasses.replace(limits, **values, origin=origin, narrowings=narrowings)


def plan(
    limits: Limits, kept: Cells, waiting: Iterable[Loosening], *, now: datetime, by: str
) -> Plan:
    """Take tightenings at once, announce loosenings, and let in those whose delay is over."""
    asked, held = cells(limits), dict(kept)
    known = {(row.source, row.limit_name): row for row in waiting}
    after: dict[Place, Value] = {}
    still: list[Loosening] = []
    steps: list[Step] = []
    delay = _delay(held_back(limits, kept))
    for place in dict.fromkeys((*held, *asked)):
        spec = BY_NAME.get(place[1])
        if spec is None:
            continue
        old, new = held.get(place), asked.get(place)
        if old is None or (new is not None and not is_looser(spec, new, than=old)):
            if new is not None:
                after[place] = new
            continue
        if new is not None:
            old = stricter_of(spec, old, new)
        after[place] = old
        row = known.pop(place, None)
        if row is None or row.new != _told(new):
            row = _announced(place, old, new, now=now, delay=delay, by=by)
            steps.append(Step("announced", row))
        if not row.withdrawn and now >= row.effective_at:
            steps.append(Step("loosened", row))
            del after[place]
            if new is not None:
                after[place] = new
        else:
            still.append(row)
    for row in known.values():  # the file no longer asks for it, or it lies in the database
        if row.source != TIGHTENING:
            steps += [] if row.withdrawn else [Step("withdrawn", row)]
        elif now >= row.effective_at:
            steps.append(Step("loosened", row))
        else:
            still.append(row)
    return Plan(after, tuple(still), tuple(steps))


def taken_back(spec: LimitSpec, limits: Limits, new: Value, *, now: datetime, by: str) -> Loosening:
    """Return the loosening of a limit's tightenings, to be announced; `limits` are in force."""
    place, delay = (TIGHTENING, spec.name), _delay(limits)
    return _announced(place, limits.value(spec), new, now=now, delay=delay, by=by)


def kept_text(kept: Cells) -> str:
    """Write the numbers in force by their source, as they are kept in the database."""
    tables: dict[str, dict[str, object]] = {}
    for (source, name), value in kept.items():
        tables.setdefault(source, {})[name] = plain_data(value)
    return canonical(tables)


def read_kept(text: str) -> dict[Place, Value]:
    """Read what `kept_text` wrote; a limit that this version does not know is left out."""
    held: dict[Place, Value] = {}
    for source, table in json.loads(text).items():
        for name, raw in table.items():
            spec = BY_NAME.get(name)
            try:
                if spec is not None:
                    held[source, name] = parsed(spec, raw)
            except InvalidArgument:  # out of the bounds of this version: the file's number counts
                continue
    return held


def waiting_text(waiting: Iterable[Loosening]) -> str:
    return canonical(list(waiting))


def read_waiting(text: str | None) -> tuple[Loosening, ...]:
    """Read what `waiting_text` wrote."""
    return tuple(
        Loosening(
            **{
                **row,
                "announced_at": from_iso(row["announced_at"]),
                "effective_at": from_iso(row["effective_at"]),
            }
        )
        for row in json.loads(text or "[]")
    )


def _announced(
    place: Place, old: Value, new: Value | None, *, now: datetime, delay: timedelta, by: str
) -> Loosening:
    return Loosening(
        source=place[0],
        limit_name=place[1],
        old=shown(old),
        new=_told(new),
        announced_at=now,
        effective_at=now + delay,
        by=by,
    )


def _told(value: Value | None) -> str:
    return NOTHING if value is None else shown(value)


def _delay(limits: Limits) -> timedelta:
    return timedelta(seconds=float(limits.loosening_delay_s))
