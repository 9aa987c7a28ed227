"""What a backtest is asked: which bars, which strategy, which costs, which account."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from ordergate.model.errors import InvalidArgument
from ordergate.model.market import Timeframe
from ordergate.model.values import Symbol
from ordergate.order.policy.limits import Limits

DELAY_BARS_MAX: Final = 1_000
DELAY_MS_MAX: Final = 7 * 86_400_000
SYMBOLS_MAX: Final = 64


class BadSpec(InvalidArgument):
    """The request cannot be carried out as it stands; `fix` says what would do."""


class Style(enum.StrEnum):
    """How a signal is traded."""

    BRACKET = "bracket"  # enter with the signal's stop and target, which alone end the trade
    REVERSE = "reverse"  # the same, and an opposite signal closes and turns
    TARGET = "target"  # hold what the direction says at each close, flat where it says nothing


class InOneBar(enum.StrEnum):
    """What is filled first where stop and target lie in one bar and no finer bars tell."""

    STOP = "stop"
    TARGET = "target"


class WhenClosed(enum.StrEnum):
    """What becomes of an order decided at a close after which the market is closed."""

    REFUSE = "refuse"  # as the gate and the paper venue do
    WAIT = "wait"  # for the first price


class SizeBy(enum.StrEnum):
    LOTS = "lots"  # `amount` lots
    RISK = "risk"  # `amount` percent of the equity lost at the stop
    NOTIONAL = "notional"  # `amount` of the account currency


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyRef:
    """A built-in strategy by name, or rules of the caller's own (`name` "custom").

    `parameters` are those of the blueprint. `program` is the path of a person's own Python class;
    it runs in a process of its own.
    """

    name: str
    parameters: Mapping[str, float] = field(default_factory=dict)
    long_when: str | None = None
    short_when: str | None = None
    votes: Mapping[str, float] = field(default_factory=dict)  # of an ensemble
    style: Style = Style.BRACKET
    program: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSpec:
    """What trading costs. None = as the instrument's specification says.

    Spread: that of the bars where both sides are known, times `spread_factor`, else
    `spread_points`; never below `spread_floor_points`. Slippage is adverse, in points (ticks):
    fixed + parts of the price + a share of the mean range of the last 14 bars. Commission, per
    side: a lot, a share (one unit of the base) and a rate of the notional add up; then the minimum.
    """

    spread_points: Decimal | None = None  # for bars with one side; None there = BadSpec
    spread_factor: Decimal = Decimal(1)
    spread_floor_points: Decimal = Decimal(0)
    slippage_points: Decimal = Decimal(0)
    slippage_ppm: Decimal = Decimal(0)  # millionths of the price
    slippage_range: Decimal = Decimal(0)  # of the mean true range
    commission_per_lot: Decimal | None = None  # quote currency, per lot and side
    commission_per_share: Decimal = Decimal(0)  # quote currency, per unit and side
    commission_rate: Decimal = Decimal(0)  # of the notional, 0.00002 = 0.2 basis points
    commission_min: Decimal = Decimal(0)  # quote currency, per deal
    swap: bool = True
    swap_long_ticks: Decimal | None = None  # ticks per lot and night, negative = a cost
    swap_short_ticks: Decimal | None = None
    swap_weights: tuple[int, ...] | None = None  # of the rollovers Monday to Sunday, sum 7
    scale: Decimal = Decimal(1)  # of every cost but the recorded spread's floor: x0, x1.5, x2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    by: SizeBy = SizeBy.LOTS
    amount: Decimal = Decimal("0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    currency: str = "USD"
    balance: Decimal = Decimal(100_000)
    money_digits: int = 2  # deals are booked to these, half away from zero
    stop_out_fraction: Decimal = Decimal("0.5")  # of the used margin
    leverage: int | None = None  # None = the instrument's


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """Rules of the simulated venue that are no cost."""

    in_one_bar: InOneBar = InOneBar.STOP
    when_closed: WhenClosed = WhenClosed.REFUSE
    per_symbol: int = 1  # positions of a symbol at a time
    fill_share: Decimal | None = None  # of a bar's volume that one order may take; None = all
    stale_bars: int | None = None  # an order that finds no price for so many bars lapses


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestSpec:
    """One backtest. `begin` and `end` bound the starts of the bars, `end` excluded.

    `venue` is the part of the bar store the bars come from. An order decided at a bar's close fills
    at the open of the first bar that starts `delay_ms` or more later, plus `delay_bars` bars.
    """

    symbols: tuple[Symbol, ...]
    timeframe: Timeframe
    strategy: StrategyRef
    venue: str = "file"
    begin: datetime | None = None
    end: datetime | None = None
    costs: CostSpec = CostSpec()
    sizing: Sizing = Sizing()
    account: Account = Account()
    filling: Filling = Filling()
    delay_bars: int = 0
    delay_ms: int = 0
    seed: int = 1
    policy: Limits | None = None  # the gate's; None = orders meet the venue alone


def checked(spec: BacktestSpec) -> BacktestSpec:
    """Return the spec; raise BadSpec for what no bars could make good."""
    if not 1 <= len(spec.symbols) <= SYMBOLS_MAX or len(set(spec.symbols)) != len(spec.symbols):
        raise BadSpec(
            f"{len(spec.symbols)} symbols cannot be tested together",
            fix=f"Name 1 to {SYMBOLS_MAX} different symbols.",
        )
    if spec.begin is not None and spec.end is not None and spec.begin >= spec.end:
        raise BadSpec("the slice ends before it begins", fix="Give an end after the begin.")
    _within("delay_bars", Decimal(spec.delay_bars), 0, DELAY_BARS_MAX)
    _within("delay_ms", Decimal(spec.delay_ms), 0, DELAY_MS_MAX)
    _check_costs(spec.costs)
    account = spec.account
    _within("balance", account.balance, 1, 10**10)
    _within("money_digits", Decimal(account.money_digits), 0, 8)
    _within("stop_out_fraction", account.stop_out_fraction, 0, 10)
    _within("leverage", Decimal(account.leverage or 1), 1, 5_000)
    _within("per_symbol", Decimal(spec.filling.per_symbol), 1, 64)
    _within("size", spec.sizing.amount, 0, 10**10)
    if spec.sizing.amount == 0 or (spec.sizing.by is SizeBy.RISK and not spec.sizing.amount <= 100):
        raise BadSpec(
            f"a size of {spec.sizing.amount} {spec.sizing.by} is none",
            fix="Lots and notional above 0, risk above 0 and at most 100 percent.",
        )
    if spec.filling.fill_share is not None:
        _within("fill_share", spec.filling.fill_share, Decimal("0.000001"), 1)
    return spec


def _check_costs(costs: CostSpec) -> None:
    for name in (
        *("spread_factor", "spread_floor_points", "slippage_points", "slippage_ppm"),
        *("slippage_range", "commission_per_share", "commission_rate", "commission_min", "scale"),
    ):
        _within(name, getattr(costs, name), 0, 10**6)
    for name in ("spread_points", "commission_per_lot"):
        value = getattr(costs, name)
        if value is not None:
            _within(name, value, 0, 10**6)
    weights = costs.swap_weights
    if weights is not None and (len(weights) != 7 or sum(weights) != 7 or min(weights) < 0):
        raise BadSpec(
            "seven swap weights, Monday to Sunday, must sum to 7",
            fix="FX: 1,1,3,1,1,0,0; many CFDs: 1,1,1,1,3,0,0; always open: 1,1,1,1,1,1,1.",
        )


def _within(name: str, value: Decimal, low: Decimal | int, high: Decimal | int) -> None:
    if not value.is_finite() or not low <= value <= high:
        raise BadSpec(f"{name} {value} is out of range", fix=f"Give {low} to {high}.")
