from __future__ import annotations

import csv
import io
from decimal import Decimal

from ordergate.research.report.sheet import COLUMNS, rows, sheet
from support.reports import of_noise


def test_every_trade_is_a_line_that_adds_up() -> None:
    report = of_noise()
    lines = list(csv.DictReader(io.StringIO(sheet(report.outcome, report.instruments))))
    assert len(lines) == len(report.outcome.trades)
    for line in lines:
        parts = {name: Decimal(line[name]) for name in COLUMNS[10:17]}
        paid = parts["spread"] + parts["slippage"] + parts["delay"] + parts["commission"]
        assert abs(parts["gross"] - paid + parts["swap"] - parts["net"]) <= Decimal("0.03")
        assert line["side"] in ("buy", "sell")
        assert line["entry_time"] < line["exit_time"]
        assert Decimal(line["entry_price"]) > 1
    total = sum(Decimal(line["net"]) for line in lines)
    assert abs(total - Decimal(str(round(report.figures.net, 2)))) < 1


def test_the_columns_are_as_many_as_the_cells() -> None:
    report = of_noise()
    assert {len(row) for row in rows(report.outcome, report.instruments)} == {len(COLUMNS)}
