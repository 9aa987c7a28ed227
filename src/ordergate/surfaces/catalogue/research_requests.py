"""What may be asked of research: backtests, sweeps, walks, and the jobs they become."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from ordergate.surfaces.catalogue.analysis_requests import RuleText, VoteText
from ordergate.surfaces.catalogue.fields import (
    DecimalText,
    IdText,
    Request,
    SymbolText,
    TimeframeName,
    TimeText,
)

TestedName = Literal[
    "ensemble",
    "rule_baseline",
    "volatility_breakout",
    "ma_crossover",
    "rsi_reversal",
    "macd_trend",
    "volume_breakout",
    "custom",
]
AssignText = Annotated[
    str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]*=-?[0-9.]{1,20}$", max_length=64)
]
AxisText = Annotated[
    str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]*=[-0-9.,:]{1,2000}$", max_length=2100)
]
VenueName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.-]+$", max_length=32)]
Bars = Annotated[int, Field(ge=10, le=1_000_000)]


class RunBacktest(Request):
    symbols: list[SymbolText] = Field(min_length=1, max_length=16)
    timeframe: TimeframeName = "H1"
    venue: VenueName = Field(default="file", description="of the imported bars")
    begin: TimeText | None = None
    end: TimeText | None = None
    strategy: TestedName = "custom"
    parameters: list[AssignText] | None = Field(
        default=None, max_length=12, description='["fast=20"]'
    )
    long_when: RuleText | None = Field(
        default=None, description="own rule: ema({fast}) > ema(50); {name} is a parameter"
    )
    short_when: RuleText | None = None
    votes: list[VoteText] | None = Field(default=None, min_length=1, max_length=6)
    style: Literal["bracket", "reverse", "target"] = Field(
        default="bracket", description="target: hold while the rule holds, no stops"
    )
    size_by: Literal["lots", "risk", "notional"] = "lots"
    size: DecimalText = Field(default="0.1", description="lots, percent at the stop, or money")
    balance: DecimalText = "100000"
    spread_points: DecimalText | None = Field(default=None, description="where bars have one side")
    spread_factor: DecimalText = "1"
    slippage_points: DecimalText = "0"
    commission_per_lot: DecimalText | None = None
    swap: bool = True
    delay_bars: int = Field(default=0, ge=0, le=1_000)
    seed: int = Field(default=1, ge=0, lt=2**31)


class RunSweep(RunBacktest):
    axes: list[AxisText] = Field(
        min_length=1, max_length=8, description='["fast=5:25:5", "slow=50,100"]'
    )
    method: Literal["grid", "random", "tpe"] = "grid"
    trials: int = Field(default=200, ge=1, le=10_000, description="of random and tpe")
    by: Literal["sharpe", "net", "drawdown"] = "sharpe"


class WalkForward(RunSweep):
    train_bars: Bars = 4_000
    test_bars: Bars = 1_000
    gap_bars: int = Field(default=24, ge=0, le=100_000, description="purged between the two")
    anchored: bool = False


class GetJob(Request):
    job_id: IdText | None = Field(default=None, description="default: list mine")
    plot: bool = Field(default=False, description="with a picture of the equity")


class OneJob(Request):
    job_id: IdText


class SomeJobs(Request):
    job_ids: list[IdText] = Field(min_length=2, max_length=10)
