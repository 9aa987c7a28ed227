"""`ordergate backtest run` from a file to the figures, in a data directory of its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ordergate.bootstrap.backtest import backtest
from ordergate.bootstrap.bar_data import import_bars
from ordergate.model.errors import GateError
from ordergate.settings.load import Settings, load
from ordergate.surfaces.cli.starts import BarsWanted, RunWanted
from support.recordings import write_rows

HEADER = "time,bid_open,bid_high,bid_low,bid_close,ask_open,ask_high,ask_low,ask_close"
MONDAY = datetime(2024, 1, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    place = tmp_path_factory.mktemp("house")
    rows, price = [], 1.10000
    for hour in range(2_000):
        at = MONDAY + timedelta(hours=hour)
        if at.weekday() == 5 or (at.weekday() == 4 and at.hour >= 21) or at.weekday() == 6:
            continue
        close = round(price + (0.0010 if hour // 40 % 2 else -0.0010), 5)
        high, low = max(price, close) + 0.0002, min(price, close) - 0.0002
        bid = [price, high, low, close]
        cells = [f"{value:.5f}" for value in (*bid, *(value + 0.00010 for value in bid))]
        rows.append(",".join([f"{at:%Y-%m-%dT%H:%M:%SZ}", *cells]))
        price = close
    file = write_rows(place / "eurusd.csv", HEADER, rows)
    settings = load({"ORDERGATE_DATA_DIR": str(place), "ORDERGATE_CONFIG_DIR": str(place)})
    import_bars(settings, file, BarsWanted(venue="test"))
    return settings


def ran(house: Settings, **wanted: Any) -> Mapping[str, Any]:
    given: dict[str, Any] = {"symbols": ("EURUSD",), "venue": "test"}
    return backtest(house, RunWanted(**(given | wanted)))


def test_a_rule_on_stored_bars(house: Settings) -> None:
    rule = {"long_when": "close > sma(5)", "style": "target"}
    found = ran(house, **rule, gate=False)
    assert (found["compiled"], found["trades"] > 2) == (False, True)
    parts = {name: float(value) for name, value in found["parts"].items()}
    costs = parts["spread"] + parts["slippage"] + parts["delay"] + parts["commission"]
    assert parts["gross"] - costs + parts["swap"] == pytest.approx(parts["net"], abs=0.05)
    assert float(found["net"]) == pytest.approx(parts["net"], abs=0.01)
    gated = ran(house, **rule)
    assert gated["refused"]["STOP_REQUIRED"] > 0
    assert gated["trades"] == 0


def test_a_program_of_ones_own(house: Settings, tmp_path: Path) -> None:
    program = tmp_path / "mine.py"
    program.write_text(
        "import numpy\nclass Strategy:\n    def signals(self, bars):\n"
        "        d = numpy.where(numpy.arange(len(bars.close)) % 90 == 0, 1.0, 0.0)\n"
        "        return {'direction': d, 'stop': bars.close - 0.003}\n"
    )
    found = ran(house, program=program)
    assert (found["strategy"], found["trades"] > 2) == ("mine", True)
    assert found["leakage"] == []


def test_a_program_that_knows_the_future_is_called_out(house: Settings, tmp_path: Path) -> None:
    program = tmp_path / "seer.py"
    program.write_text(
        "import numpy\nclass Strategy:\n    def signals(self, bars):\n"
        "        d = numpy.append(numpy.sign(numpy.diff(bars.close)), 0.0)\n"
        "        return {'direction': d}\n"
    )
    found = ran(house, program=program, style="target", gate=False)
    assert float(found["net"]) > 0
    assert any("knows the future" in words for words in found["leakage"])
    program.write_text(program.read_text() + "\n# another text is another trial\n")
    again = ran(house, program=program, style="target", gate=False)
    assert again["trials"] == found["trials"] + 1


def test_every_run_is_a_trial_and_a_repeat_is_none(house: Settings) -> None:
    rule = {"long_when": "close > sma(7)", "style": "target", "gate": False}
    first = ran(house, **rule)["trials"]
    assert ran(house, **rule)["trials"] == first
    assert ran(house, **{**rule, "long_when": "close > sma(8)"})["trials"] == first + 1


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"symbols": ("GBPUSD",)}, "RESOURCE_NOT_FOUND"),
        ({"begin": "2030-01-01"}, "DATA_UNAVAILABLE"),
        ({"begin": "next week"}, "INVALID_ARGUMENT"),
        ({"size": "nan"}, "INVALID_ARGUMENT"),
        ({"size": "much"}, "INVALID_ARGUMENT"),
        ({"strategy": "none"}, "INVALID_ARGUMENT"),
        ({"parameters": ("fast=1e9",)}, "INVALID_ARGUMENT"),
        ({"parameters": ("fast",)}, "INVALID_ARGUMENT"),
        ({"style": "x"}, "INVALID_ARGUMENT"),
        ({"timeframe": "H7"}, "INVALID_ARGUMENT"),
        ({"balance": "0"}, "INVALID_ARGUMENT"),
    ],
)
def test_what_cannot_run_says_why_and_what_would_do(
    house: Settings, wanted: dict[str, Any], code: str
) -> None:
    with pytest.raises(GateError) as caught:
        ran(house, **wanted)
    assert (caught.value.code, bool(caught.value.fix)) == (code, True)
