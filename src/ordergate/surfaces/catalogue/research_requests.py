"""What may be asked of research: backtests, sweeps, walks, and the jobs they become."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from ordergate.surfaces.catalogue.analysis_requests import RuleText
from ordergate.surfaces.catalogue.fields import (
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
AssignText = Annotated[str, StringConstraints(pattern=r"^[a-z_]\w*=[-0-9.]+$", max_length=64)]
SizeText = Annotated[
    str, StringConstraints(pattern=r"^[0-9.]+ (lots|risk|notional)$", max_length=30)
]
AxisText = Annotated[str, StringConstraints(pattern=r"^[a-z_]\w*=[-0-9.,:]+$", max_length=2000)]
VenueName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.-]+$", max_length=32)]
Bars = Annotated[int, Field(ge=10)]


class RunBacktest(Request):
    symbols: list[SymbolText] = Field(min_length=1, max_length=16)
    timeframe: TimeframeName = "H1"
    venue: VenueName = Field(default="file", description="of imported bars")
    begin: TimeText | None = None
    end: TimeText | None = None
    strategy: TestedName = "custom"
    parameters: list[AssignText] | None = Field(
        default=None, max_length=12, description='["fast=20"]; weights of an ensemble'
    )
    long_when: RuleText | None = Field(
        default=None, description="own rule: ema({fast}) > ema(50); {name}: parameter"
    )
    short_when: RuleText | None = None
    style: Literal["bracket", "reverse", "target"] = Field(
        default="bracket", description="target: hold while the rule holds, no stops"
    )
    size: SizeText = Field(default="0.1 lots", description="or 1 risk: percent at the stop")
    terms: list[AssignText] | None = Field(
        default=None,
        max_length=16,
        description='costs and more: ["spread_factor=1.5", "delay_bars=1", "balance=50000"]',
    )


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
    gap_bars: int = Field(default=24, ge=0, description="purged")
    anchored: bool = False


class GetJob(Request):
    job_id: IdText | None = Field(default=None, description="default: list mine")
    plot: bool = Field(default=False, description="with a picture of the equity")


class OneJob(Request):
    job_id: IdText


class SomeJobs(Request):
    job_ids: list[IdText] = Field(min_length=2, max_length=10)
