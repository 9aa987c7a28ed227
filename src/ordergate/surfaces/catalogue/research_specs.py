"""Requests of research as what the research line runs; and as the command that repeats them."""

from __future__ import annotations

import shlex
from dataclasses import fields
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from ordergate.model.errors import InvalidArgument
from ordergate.model.market import Timeframe
from ordergate.model.trials import Origin
from ordergate.model.values import ZERO, Symbol, parse_decimal
from ordergate.surfaces.catalogue.fields import Request, read_time
from ordergate.surfaces.catalogue.research_requests import RunBacktest, RunSweep, WalkForward

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ordergate.research.backtest.spec import BacktestSpec, StrategyRef
    from ordergate.research.examine import Plan
    from ordergate.research.validation.folds import Walk

OTHER_TERMS: Final = frozenset({"balance", "delay_bars", "seed"})
ONE: Final = Decimal(1)
COMMANDS: Final = {
    "run_backtest": "report",
    "run_sweep": "sweep",
    "walk_forward": "walk-forward",
}


def spec_of(request: RunBacktest) -> BacktestSpec:
    """Return the backtest that is meant; raise BadSpec or InvalidArgument."""
    from ordergate.research.backtest.spec import (
        Account,
        BacktestSpec,
        CostSpec,
        SizeBy,
        Sizing,
        checked,
    )

    size, by = request.size.split(" ")
    costs, others = terms_of(request.terms or ())
    return checked(
        BacktestSpec(
            symbols=tuple(Symbol(symbol.upper()) for symbol in request.symbols),
            timeframe=Timeframe(request.timeframe),
            venue=request.venue,
            begin=None if request.begin is None else read_time(request.begin),
            end=None if request.end is None else read_time(request.end),
            strategy=strategy_of(request),
            costs=CostSpec(**costs),
            sizing=Sizing(by=SizeBy(by), amount=parse_decimal(size)),
            account=Account(balance=others.get("balance", Account().balance)),
            delay_bars=_whole("delay_bars", others.get("delay_bars", ZERO)),
            seed=_whole("seed", others.get("seed", ONE)),
        )
    )


def terms_of(texts: Sequence[str]) -> tuple[dict[str, Any], dict[str, Decimal]]:
    """Return the fields of the costs, and the other terms; raise InvalidArgument."""
    from ordergate.research.backtest.spec import CostSpec

    known = {field.name for field in fields(CostSpec)} - {"swap_weights"}
    costs: dict[str, Any] = {}
    others: dict[str, Decimal] = {}
    for text in texts:
        name, _, number = text.partition("=")
        if name in OTHER_TERMS:
            others[name] = _decimal(number)
        elif name in known:
            costs[name] = number != "0" if name == "swap" else _decimal(number)
        else:
            names = ", ".join(sorted(known | OTHER_TERMS))
            raise InvalidArgument(f"{name} is no term", fix=f"These are: {names}.")
    return costs, others


def _whole(name: str, number: Decimal) -> int:
    if number != int(number):
        raise InvalidArgument(f"{name} is a whole number", fix=f"{name}=1")
    return int(number)


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise InvalidArgument(f"{text[:20]!r} is no number", fix="1.5") from None


def strategy_of(request: RunBacktest) -> StrategyRef:
    """Return the strategy that is meant; own rules make it `custom`."""
    from ordergate.research.backtest.spec import StrategyRef, Style

    own = request.long_when is not None or request.short_when is not None
    if own != (request.strategy == "custom"):
        raise InvalidArgument(
            "a built-in strategy has no rules of your own, and custom needs one",
            fix='Send strategy "custom" with long_when or short_when, or a built-in name alone.',
        )
    numbers, ensemble = _numbers(request.parameters or ()), request.strategy == "ensemble"
    return StrategyRef(
        name=request.strategy,
        parameters={} if ensemble else numbers,
        long_when=request.long_when,
        short_when=request.short_when,
        votes=numbers if ensemble else {},
        style=Style(request.style),
    )


def plan_of(request: RunSweep) -> Plan:
    """Return how the sweep chooses; raise BadSweep before any work where it is too large."""
    from ordergate.research.examine import Plan
    from ordergate.research.sweep.space import combinations, grid, read_axis, require_known

    axes = [read_axis(text) for text in request.axes]
    require_known(strategy_of(request), axes)
    combinations(axes)
    if request.method == "grid":
        grid(axes)
    return Plan(axes=axes, method=Origin(request.method), trials=request.trials, by=request.by)


def walk_of(request: WalkForward) -> Walk:
    """Return the windows of a walk."""
    from ordergate.research.validation.folds import Walk

    return Walk(
        train=request.train_bars,
        test=request.test_bars,
        gap=request.gap_bars,
        anchored=request.anchored,
    )


def command_of(kind: str, request: Request) -> str:
    """Return the command line that asks for the same again."""
    words = ["ordergate", "backtest", COMMANDS[kind]]
    for name, value in request.model_dump(exclude_defaults=True).items():
        words += _words(name, f"--{name.replace('_', '-')}", value)
    return shlex.join(words)


_SINGULAR: Final[Mapping[str, str]] = {
    "parameters": "--parameter",
    "terms": "--term",
    "axes": "--axis",
}


def _words(name: str, option: str, value: Any) -> list[str]:
    if name == "symbols":
        return list(value)
    if isinstance(value, bool):
        return [option if value else option.replace("--", "--no-", 1)]
    if isinstance(value, list):
        return [word for item in value for word in (_SINGULAR[name], str(item))]
    return [option, str(value)]


def _numbers(texts: Sequence[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for text in texts:
        name, _, number = text.partition("=")
        try:
            found[name] = float(number)
        except ValueError:
            raise InvalidArgument(f"{text[:60]!r} has no number", fix="fast=20") from None
    return found
