"""What may be asked of the data line: indicators, signals, comparisons, scans, packets."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from pydantic import Field, StringConstraints

from ordergate.surfaces.catalogue.fields import (
    DecimalText,
    Request,
    SymbolText,
    TimeframeName,
    TimeText,
)
from ordergate.surfaces.catalogue.requests import BarsFrom

StrategyName = Literal[
    "ensemble",
    "rule_baseline",
    "volatility_breakout",
    "ma_crossover",
    "rsi_reversal",
    "macd_trend",
    "volume_breakout",
]
VoteText = Annotated[str, StringConstraints(pattern=r"^[a-z_]+(:[0-9]{1,3}(\.[0-9]{1,3})?)?$")]
RuleText = Annotated[str, StringConstraints(min_length=1, max_length=500)]
SourceText = Annotated[BarsFrom, Field(description="store: imported bars; store:VENUE")]
AsOfText = Annotated[TimeText | None, Field(description="store: as it was known then; UTC")]


class Grounded(Protocol):
    """A request that says what it stands on."""

    @property
    def source(self) -> str: ...

    @property
    def as_of(self) -> str | None: ...


class Signal(Request):
    symbol: SymbolText
    timeframe: TimeframeName = "H1"
    strategy: StrategyName = "ensemble"
    votes: list[VoteText] | None = Field(
        default=None,
        min_length=1,
        max_length=6,
        description="members of the ensemble and their weights: macd_trend:2",
    )
    long_when: RuleText | None = Field(
        default=None, description="own rule instead: ema(20) > ema(50) and rsi(14) < 70"
    )
    short_when: RuleText | None = None
    stop_atr: DecimalText | None = Field(default=None, description="ATRs to the stop; own rules")
    reward: DecimalText | None = Field(default=None, description="target / stop; own rules")
    confidence_min: DecimalText | None = Field(
        default=None, description="raises the operator's, 0.42 by default"
    )
    edge_min: DecimalText | None = Field(
        default=None, description="raises the operator's; in units of the risk"
    )
    before: TimeText | None = Field(default=None, description="bars that start before; UTC")
    source: SourceText = "live"
    as_of: AsOfText = None


class Indicators(Request):
    symbol: SymbolText
    timeframe: TimeframeName = "H1"
    indicators: list[RuleText] = Field(
        min_length=1,
        max_length=12,
        description='values or conditions: ["ema(20)", "macd(12,26,9)", "rsi(14) < 30"]',
    )
    limit: int = Field(default=20, ge=1, le=200)
    before: TimeText | None = Field(default=None, description="bars that start before; UTC")
    running: bool = Field(default=False, description="with the bar that still runs")
    source: SourceText = "live"
    as_of: AsOfText = None


class Context(Request):
    symbol: SymbolText
    timeframe: TimeframeName = "M15"
    higher: list[TimeframeName] | None = Field(
        default=None, min_length=1, max_length=4, description="default: the next two"
    )
    source: SourceText = "live"
    as_of: AsOfText = None


class Packet(Request):
    symbol: SymbolText
    timeframes: list[TimeframeName] = Field(
        default=["M15", "H1", "H4", "D1"], min_length=1, max_length=6
    )
    detail: Literal["brief", "full"] = "brief"
    news: bool = Field(default=False, description="with titles and releases: words of others")
    source: SourceText = "live"
    as_of: AsOfText = None


class Compare(Request):
    symbols: list[SymbolText] = Field(min_length=2, max_length=10)
    timeframe: TimeframeName = "H1"
    source: SourceText = "live"
    as_of: AsOfText = None


class Scan(Request):
    symbols: list[SymbolText] | None = Field(
        default=None, min_length=1, max_length=100, description="default: all"
    )
    timeframes: list[TimeframeName] = Field(default=["H1", "H4"], min_length=1, max_length=4)
    strategy: StrategyName = "ensemble"
    rule: RuleText | None = Field(default=None, description="only where it holds: rsi(14) < 30")
    limit: int = Field(default=10, ge=1, le=50)
    source: SourceText = "live"
    as_of: AsOfText = None
