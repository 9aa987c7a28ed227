"""What a sweep tries: axes of parameter values, all combinations of them or some by chance."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy

from ordergate.market.signals.strategies import BY_NAME
from ordergate.model.errors import InvalidArgument

if TYPE_CHECKING:
    from ordergate.research.backtest.spec import BacktestSpec, StrategyRef

TRIALS_MAX: Final = 10_000
AXES_MAX: Final = 8
VALUES_MAX: Final = 10_000
NAME_MAX: Final = 40

Parameters = Mapping[str, float]


class BadSweep(InvalidArgument):
    """The sweep cannot be carried out as it stands; `fix` says what would do."""


@dataclass(frozen=True, slots=True)
class Axis:
    name: str
    values: tuple[float, ...]


def axis(name: str, values: Sequence[float]) -> Axis:
    """Return an axis of finite, different values; raise BadSweep."""
    if not name.isidentifier() or len(name) > NAME_MAX:
        raise BadSweep(f"{name[:NAME_MAX]!r} is no parameter", fix="Name one, such as fast.")
    if not 1 <= len(values) <= VALUES_MAX or not all(math.isfinite(one) for one in values):
        raise BadSweep(
            f"{name} has {len(values)} values", fix=f"Give 1 to {VALUES_MAX} finite numbers."
        )
    if len(set(values)) != len(values):
        raise BadSweep(f"{name} has the same value twice", fix="Give each value once.")
    return Axis(name, tuple(float(one) for one in values))


def steps(name: str, first: float, last: float, step: float) -> Axis:
    """Return first, first + step ... up to last, which is included; raise BadSweep."""
    if not all(math.isfinite(one) for one in (first, last, step)) or step <= 0 or last < first:
        raise BadSweep(f"{name}: {first:g} to {last:g} by {step:g}", fix="For example 5:50:5.")
    count = math.floor((last - first) / step + 1e-9) + 1
    if count > VALUES_MAX:
        raise BadSweep(
            f"{name} would have {count} values, at most {VALUES_MAX} are taken",
            fix=f"Widen the step to {(last - first) / 100:g} or more.",
        )
    # Rounded where binary steps would drift: 0.1, 0.2, 0.30000000000000004.
    return axis(name, [round(first + at * step, 10) for at in range(count)])


def read_axis(text: str) -> Axis:
    """Read `fast=5:25:5` or `fast=5,10,20`; raise BadSweep."""
    name, _, values = text.partition("=")
    try:
        if ":" in values:
            first, last, step = (float(part) for part in values.split(":"))
            return steps(name.strip(), first, last, step)
        return axis(name.strip(), [float(part) for part in values.split(",")])
    except ValueError:
        raise BadSweep(
            f"{text[:60]!r} is no axis", fix="For example fast=5:25:5 or fast=5,10,20."
        ) from None


def combinations(axes: Sequence[Axis]) -> int:
    """Return how many there are; raise BadSweep for no axis, too many, or one named twice."""
    names = [one.name for one in axes]
    if not 1 <= len(axes) <= AXES_MAX or len(set(names)) != len(names):
        raise BadSweep(
            f"{len(axes)} axes cannot be swept", fix=f"Give 1 to {AXES_MAX} different ones."
        )
    return math.prod(len(one.values) for one in axes)


def grid(axes: Sequence[Axis], *, most: int = TRIALS_MAX) -> tuple[Parameters, ...]:
    """Return every combination, the last axis fastest; raise BadSweep before making too many."""
    count = combinations(axes)
    if count > most:
        sizes = " x ".join(f"{one.name} {len(one.values)}" for one in axes)
        raise BadSweep(
            f"{count:,} combinations ({sizes}), at most {most:,} are tried at once",
            fix=f"Try `random` or `tpe` with {min(1_000, most):,} trials, widen the steps, or fix"
            " an axis to one value. Every trial also raises what luck alone would reach.",
            details={"combinations": count, "limit": most},
        )
    names = [one.name for one in axes]
    products = itertools.product(*(one.values for one in axes))
    return tuple(dict(zip(names, values, strict=True)) for values in products)


def sample(axes: Sequence[Axis], trials: int, *, seed: int) -> tuple[Parameters, ...]:
    """Return so many different combinations by chance, or all where there are fewer."""
    count = combinations(axes)
    require_trials(trials)
    if count <= trials:
        return grid(axes)
    chance = numpy.random.default_rng(seed)
    chosen: dict[int, None] = {}
    while len(chosen) < trials:
        for number in chance.integers(0, count, trials - len(chosen)):
            chosen[int(number)] = None
    return tuple(_at(axes, number) for number in chosen)


def require_trials(trials: int) -> None:
    """Raise BadSweep unless 1 to 10,000 trials are asked for."""
    if not 1 <= trials <= TRIALS_MAX:
        raise BadSweep(
            f"{trials:,} trials, at most {TRIALS_MAX:,} are tried at once",
            fix="Ask for fewer: every trial also raises what luck alone would reach.",
        )


def _at(axes: Sequence[Axis], number: int) -> Parameters:
    found: dict[str, float] = {}
    for one in reversed(axes):
        number, place = divmod(number, len(one.values))
        found[one.name] = one.values[place]
    return {one.name: found[one.name] for one in axes}


def with_parameters(spec: BacktestSpec, parameters: Parameters) -> BacktestSpec:
    """Return the spec with these parameters in place of its own."""
    return replace(spec, strategy=_strategy(spec.strategy, parameters))


def _strategy(ref: StrategyRef, parameters: Parameters) -> StrategyRef:
    """Give a blueprint its parameters, or put them where `{name}` stands in a rule."""
    open_names = set(_placeholders(ref))
    own = {name: value for name, value in parameters.items() if name not in open_names}
    return replace(
        ref,
        parameters={**ref.parameters, **own},
        long_when=_filled(ref.long_when, parameters),
        short_when=_filled(ref.short_when, parameters),
    )


def require_known(ref: StrategyRef, axes: Sequence[Axis]) -> None:
    """Raise BadSweep for an axis that is no parameter of the strategy, nor `{name}` in a rule."""
    names = set(_placeholders(ref))
    if ref.program is not None:
        return
    if ref.name in BY_NAME:
        names |= {one.name for one in BY_NAME[ref.name].parameters}
    elif ref.long_when is not None or ref.short_when is not None:
        names |= {"stop_atr", "reward"}
    for one in axes:
        if one.name not in names:
            raise BadSweep(
                f"{one.name} is no parameter of {ref.name}",
                fix=f"These are: {', '.join(sorted(names)) or 'none'}.",
            )


def _placeholders(ref: StrategyRef) -> Iterator[str]:
    for text in (ref.long_when, ref.short_when):
        for part in (text or "").split("{")[1:]:
            yield part.partition("}")[0].strip()


def _filled(text: str | None, parameters: Parameters) -> str | None:
    if text is None:
        return None
    for name, value in parameters.items():
        text = text.replace(f"{{{name}}}", f"{value:g}")
    return text
