"""One backtest on stored bars, without a gateway: words in, figures out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ordergate.adapters.storage.trial_file import TrialFile
from ordergate.adapters.system import SystemClock
from ordergate.bootstrap.backtest_bars import market_of
from ordergate.bootstrap.bar_sources import bars_at
from ordergate.model.errors import InvalidArgument
from ordergate.model.market import Timeframe
from ordergate.model.trials import Origin
from ordergate.model.values import Symbol
from ordergate.order.policy.tightenings import in_force
from ordergate.settings.load import Settings
from ordergate.surfaces.cli.starts import RunWanted

if TYPE_CHECKING:
    from ordergate.model.series import Numbers, Series
    from ordergate.research.backtest.laying import Laid
    from ordergate.research.backtest.outcome import Outcome
    from ordergate.research.backtest.spec import BacktestSpec
    from ordergate.research.backtest.wording import Word as Wishes

SEEN: Final = "It knows the future, and nothing it earned could be earned"
UNSEEN: Final = "Whether it knows the future was not seen"
PROGRAM_TRIES: Final = 6  # lengths of bars a program is asked about, each in a process
COMMAND_LINE: Final = "command line"
KERNELS: Final = "kernels"  # what numba compiled, in the data directory
COMPILE_FROM: Final = 1_000_000  # events whose plain run lasts about as long as compiling once
PARTS: Final = ("gross", "spread", "slippage", "delay", "commission", "swap", "net")

Word = TypeVar("Word")


def backtest(settings: Settings, wanted: RunWanted) -> Mapping[str, Any]:
    """Run a backtest; raise BadSpec, BadTape, NotFound and the like before any work."""
    from ordergate.research.backtest.compiled import walker
    from ordergate.research.backtest.engine import run_laid
    from ordergate.research.backtest.laying import lay
    from ordergate.research.backtest.wording import word_of

    spec = spec_of(wanted)
    if wanted.gate:
        spec = replace(spec, policy=in_force(settings.limits.current(), ()).limits)
    laid = lay(spec, market_of(bars_at(settings), spec))
    word = word_of(laid) if spec.strategy.program is None else program_word(laid)
    kernels = settings.directories.data / KERNELS
    swift = walker(kernels) if is_worth_compiling(kernels, len(laid)) else None
    outcome = run_laid(laid, word, walker=swift)
    return {
        **told(spec, outcome),
        "trials": _logged(settings, spec, outcome),
        "leakage": [] if spec.strategy.program is None else program_leaks(laid),
    }


def is_worth_compiling(kernels: Path, events: int) -> bool:
    """Say whether the compiled loop is the quicker way through so many events; same bits."""
    from ordergate.research.backtest.compiled import is_ready, is_there

    return is_ready(kernels) or (is_there() and events >= COMPILE_FROM)


def _logged(settings: Settings, spec: BacktestSpec, outcome: Outcome) -> int:
    """Log the trial before it is told of; return how many were made on this data so far."""
    from ordergate.research.sweep.tried import Asked, dataset_named, kept, trial_of

    clock = SystemClock()
    asked = Asked(run=COMMAND_LINE, asker=COMMAND_LINE, at=clock.now(), origin=Origin.SINGLE)
    if spec.strategy.program is not None:  # another text under the same name is another trial
        digest = hashlib.sha256(Path(spec.strategy.program).read_bytes()).hexdigest()
        spec = replace(spec, strategy=replace(spec.strategy, program=digest))
    log = TrialFile(settings.directories.data)
    log.add([trial_of(spec, kept(0, {}, outcome), asked)])
    return log.tally(dataset_named(spec)).trials


def program_word(laid: Laid) -> Wishes:
    """Ask a person's own program for its signals on every symbol; raise BadProgram."""
    from ordergate.adapters.strategy_process import signals_of
    from ordergate.market.signals.strategies import Signals
    from ordergate.research.backtest.wording import laid_out

    program = Path(laid.spec.strategy.program or "")
    said = []
    for tape in laid.tapes:
        made = signals_of(program, tape.series)
        stop, target = made["stop"], made["target"]
        said.append(Signals(made["direction"], tape.series.close, stop, target, stop))
    return laid_out(laid, said)


def program_leaks(laid: Laid) -> list[str]:
    """Say whether the first symbol's signals know the future; a few questions, each a process."""
    from ordergate.adapters.strategy_process import BadProgram, signals_of
    from ordergate.market.features.frame import BadBars
    from ordergate.research.validation.leakage import BARS_LEAST, brief
    from ordergate.research.weighing import LEAKAGE_BARS, newest

    program, series = Path(laid.spec.strategy.program or ""), laid.tapes[0].series
    if len(series) < BARS_LEAST:
        return [f"{UNSEEN}: {len(series)} bars are too few"]

    def subject(part: Series) -> Mapping[str, Numbers]:
        if part.close[-1] != part.close[-1]:
            raise BadBars("a program is not asked about bars without prices")
        return signals_of(program, part)

    bars = newest(series, min(len(series), LEAKAGE_BARS))
    try:
        found = brief(program.name, subject, bars, tries=PROGRAM_TRIES)
    except BadProgram as error:
        return [f"{UNSEEN}: on a part of its bars {error.message}"]
    return [f"{SEEN}: {one.message}" for one in found.verdicts if not one.passed]


def spec_of(wanted: RunWanted) -> BacktestSpec:
    """Read a request; raise InvalidArgument for what cannot be read."""
    from ordergate.research.backtest.spec import (
        Account,
        BacktestSpec,
        CostSpec,
        Filling,
        SizeBy,
        Sizing,
        StrategyRef,
        Style,
        WhenClosed,
        checked,
    )

    rules = wanted.long_when is not None or wanted.short_when is not None
    name = wanted.strategy or ("custom" if rules else "rule_baseline")
    name = name if wanted.program is None else wanted.program.stem
    spec = BacktestSpec(
        symbols=tuple(Symbol(symbol.upper()) for symbol in wanted.symbols),
        timeframe=_one("--timeframe", Timeframe, wanted.timeframe.upper()),
        venue=wanted.venue.lower(),
        strategy=StrategyRef(
            name=name,
            parameters=dict(_parameter(text) for text in wanted.parameters),
            program=None if wanted.program is None else str(wanted.program),
            long_when=wanted.long_when,
            short_when=wanted.short_when,
            style=_one("--style", Style, wanted.style.lower()),
        ),
        begin=_moment("--from", wanted.begin),
        end=_moment("--to", wanted.end),
        costs=CostSpec(
            spread_points=None if wanted.spread is None else _number("--spread", wanted.spread),
            slippage_points=_number("--slippage", wanted.slippage),
            commission_per_lot=(
                None if wanted.commission is None else _number("--commission", wanted.commission)
            ),
            commission_rate=_number("--commission-rate", wanted.commission_rate),
            swap=wanted.swap,
            scale=_number("--scale", wanted.scale),
        ),
        sizing=Sizing(
            by=_one("--size-by", SizeBy, wanted.size_by.lower()),
            amount=_number("--size", wanted.size),
        ),
        account=Account(
            currency=wanted.currency.upper(), balance=_number("--balance", wanted.balance)
        ),
        filling=Filling(when_closed=WhenClosed.WAIT if wanted.wait else WhenClosed.REFUSE),
        delay_bars=wanted.delay_bars,
        delay_ms=wanted.delay_ms,
        seed=wanted.seed,
    )
    return checked(spec)


def told(spec: BacktestSpec, outcome: Outcome) -> Mapping[str, Any]:
    """Return an outcome as figures of the account's currency."""
    digits = Decimal(1).scaleb(-spec.account.money_digits)

    def money(amount: int) -> str:
        return str((Decimal(int(amount)) / outcome.money_scale).quantize(digits))

    trades = outcome.trades
    return {
        "symbols": [str(symbol) for symbol in spec.symbols],
        "timeframe": spec.timeframe.value,
        "venue": spec.venue,
        "strategy": spec.strategy.name,
        "style": spec.strategy.style.value,
        "currency": spec.account.currency,
        "bars": len(outcome.time),
        "first": _iso(int(outcome.time[0])),
        "last": _iso(int(outcome.time[-1])),
        "start": money(outcome.start),
        "net": money(outcome.net),
        "closed_net": money(outcome.closed_net),
        "drawdown": money(outcome.drawdown),
        "trades": len(trades) - outcome.open_trades,
        "won": int((trades.net[: len(trades) - outcome.open_trades] > 0).sum()),
        "open_trades": outcome.open_trades,
        "parts": {name: money(int(getattr(trades, name).sum())) for name in PARTS},
        "refused": dict(outcome.refused),
        "ambiguous": outcome.ambiguous,
        "band": [money(end - outcome.start) for end in outcome.band],
        "stop_outs": outcome.stop_outs,
        "engine": outcome.engine,
        "compiled": outcome.compiled,
        "data_sha256": outcome.data_sha256,
        "seed": outcome.seed,
    }


def _iso(nanoseconds: int) -> str:
    return f"{datetime.fromtimestamp(nanoseconds // 10**9, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _one(option: str, kind: Callable[[str], Word], word: str) -> Word:
    try:
        return kind(word)
    except ValueError:
        names = ", ".join(str(item) for item in kind)  # type: ignore[attr-defined]
        raise InvalidArgument(
            f"{option} {word[:40]!r} is not known", fix=f"One of {names}."
        ) from None


def _number(option: str, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise InvalidArgument(f"{option} {text[:40]!r} is no number", fix="1.5") from None
    if not number.is_finite():
        raise InvalidArgument(f"{option} {text[:40]!r} is no number", fix="1.5")
    return number


def _parameter(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    return name, float(_number("--set", value))


def _moment(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidArgument(f"{option} {text[:40]!r} is no date", fix="2024-01-31") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
