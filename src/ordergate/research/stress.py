"""The same strategy under other costs and later fills: what a default report always shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ordergate.research.validation.verdict import Stressed

if TYPE_CHECKING:
    from ordergate.research.backtest.outcome import Outcome
    from ordergate.research.backtest.spec import BacktestSpec


@dataclass(frozen=True, slots=True)
class Setting:
    """`spread` multiplies the spread alone, `scale` every cost, `delay` adds bars."""

    name: str
    scale: Decimal = Decimal(1)
    spread: Decimal = Decimal(1)
    delay: int = 0


SETTINGS: Final = (
    Setting("as given"),
    Setting("no costs", scale=Decimal(0)),
    Setting("costs x1.5", scale=Decimal("1.5")),
    Setting("costs x2", scale=Decimal(2)),
    Setting("spread x2", spread=Decimal(2)),
    Setting("spread x3", spread=Decimal(3)),
    Setting("1 bar later", delay=1),
    Setting("2 bars later", delay=2),
    Setting("costs x1.5, 1 bar later", scale=Decimal("1.5"), delay=1),
)


def under(spec: BacktestSpec, setting: Setting) -> BacktestSpec:
    """Return the spec under a setting, on top of the costs and the delay it has."""
    costs = spec.costs
    return replace(
        spec,
        costs=replace(
            costs,
            scale=costs.scale * setting.scale,
            spread_factor=costs.spread_factor * setting.spread,
            # The engine scales all but the floor, and a floor would hide what is asked here.
            spread_floor_points=costs.spread_floor_points * setting.scale * setting.spread,
        ),
        delay_bars=spec.delay_bars + setting.delay,
    )


def stressed(setting: Setting, outcome: Outcome) -> Stressed:
    """Return a line of the table."""
    return Stressed(
        name=setting.name,
        cost_scale=float(setting.scale),
        spread_factor=float(setting.spread),
        delay_bars=setting.delay,
        net=outcome.net / outcome.start,
        trades=len(outcome.trades) - outcome.open_trades,
    )


def survives(table: Sequence[Stressed]) -> bool:
    """Say whether it earns at 1.5 times the costs, and with one bar more delay."""
    asked = [
        one
        for one in table
        if (one.cost_scale, one.spread_factor) in ((1.5, 1.0), (1.0, 1.0)) and one.delay_bars <= 1
    ]
    return bool(asked) and all(one.net > 0 for one in asked)
