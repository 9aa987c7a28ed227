from __future__ import annotations

from decimal import Decimal

from ordergate.model.market import Timeframe
from ordergate.model.values import Symbol
from ordergate.research.backtest.spec import BacktestSpec, CostSpec, StrategyRef
from ordergate.research.stress import SETTINGS, survives, under
from ordergate.research.validation.verdict import Stressed


def line(scale: float, delay: int, net: float, spread: float = 1.0) -> Stressed:
    return Stressed(
        name="x", cost_scale=scale, spread_factor=spread, delay_bars=delay, net=net, trades=1
    )


def test_every_setting_is_on_top_of_what_the_spec_has() -> None:
    spec = BacktestSpec(
        symbols=(Symbol("EURUSD"),),
        timeframe=Timeframe.H1,
        strategy=StrategyRef(name="ma_crossover"),
        costs=CostSpec(
            scale=Decimal(2), spread_factor=Decimal("1.5"), spread_floor_points=Decimal(4)
        ),
        delay_bars=1,
    )
    made = {setting.name: under(spec, setting) for setting in SETTINGS}
    assert made["as given"] == spec
    assert made["no costs"].costs.scale == 0
    assert made["no costs"].costs.spread_floor_points == 0
    assert made["costs x1.5"].costs.scale == 3
    assert made["costs x1.5"].costs.spread_floor_points == 6
    assert made["spread x3"].costs.spread_factor == Decimal("4.5")
    assert made["spread x3"].costs.spread_floor_points == 12
    assert made["spread x3"].costs.scale == 2
    assert made["2 bars later"].delay_bars == 3
    assert made["costs x1.5, 1 bar later"].delay_bars == 2


def test_the_settings_asked_of_every_report_are_there() -> None:
    asked = {(s.scale, s.spread, s.delay) for s in SETTINGS}
    for scale in ("0", "1", "1.5", "2"):
        assert (Decimal(scale), Decimal(1), 0) in asked
    for spread in (1, 2, 3):
        assert (Decimal(1), Decimal(spread), 0) in asked
    for delay in (0, 1, 2):
        assert (Decimal(1), Decimal(1), delay) in asked


def test_surviving_is_earning_at_half_more_costs_and_a_bar_later() -> None:
    good = [line(1, 0, 0.1), line(1.5, 0, 0.05), line(1, 1, 0.02), line(1.5, 1, 0.01)]
    assert survives([*good, line(2, 0, -0.1), line(1, 2, -0.1), line(1, 0, -0.1, spread=3)])
    assert not survives([*good[:3], line(1.5, 1, -0.01)])
    assert not survives([])
