"""What is put to the leakage checks: strategies, votes, rules and indicators, as columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy

from ordergate.market.features.frame import Frame
from ordergate.market.features.indicators import Call
from ordergate.market.features.levels import swings
from ordergate.market.features.regime import directions
from ordergate.market.signals.proposal import Speaks
from ordergate.market.signals.rules import Rule

if TYPE_CHECKING:
    from ordergate.model.series import Numbers, Series

Subject = Callable[["Series"], Mapping[str, "Numbers"]]


def of_speaker(speaker: Speaks) -> Subject:
    """Return every column of a strategy's signals."""

    def columns(series: Series) -> dict[str, Numbers]:
        said = speaker.on(Frame(series))
        return {
            "direction": said.direction,
            "entry": said.entry,
            "stop": said.stop,
            "target": said.target,
            "confidence": said.confidence,
        }

    return columns


def of_rule(rule: Rule) -> Subject:
    """Return a rule as a signal to buy where it holds."""

    def columns(series: Series) -> dict[str, Numbers]:
        return {"direction": rule.on(Frame(series)).astype(numpy.float64)}

    return columns


def of_indicator(call: Call) -> Subject:
    """Return every output of an indicator."""

    def columns(series: Series) -> dict[str, Numbers]:
        outputs = Frame(series).outputs(call)
        return dict(zip(call.indicator.outputs, outputs, strict=True))

    return columns


def of_features(series: Series) -> dict[str, Numbers]:
    """Return the features that are no indicators: confirmed swing points and the trend."""
    frame = Frame(series)
    turns = swings(frame)
    return {"swing_high": turns.high, "swing_low": turns.low, "trend": directions(frame)}
