"""A report of a sweep over noise, made once."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from ordergate.research.backtest.spec import StrategyRef
from ordergate.research.examine import Plan
from ordergate.research.report.report import Report
from ordergate.research.sweep.space import axis
from support.markets import asked, noise
from support.scrutiny import desk


@cache
def of_noise() -> Report:
    plan = Plan(axes=[axis("fast", [3, 5, 8]), axis("slow", [13, 21])])
    with tempfile.TemporaryDirectory() as place, desk(Path(place)) as examine:
        return examine.sweep(asked(StrategyRef(name="ma_crossover")), noise(700), plan)
