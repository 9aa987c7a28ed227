"""What is put to the checks shows all its columns, as long as the bars."""

from __future__ import annotations

from ordergate.market.features.indicators import call
from ordergate.market.signals.rules import parse
from ordergate.market.signals.strategies import strategy
from ordergate.research.validation.subjects import of_features, of_indicator, of_rule, of_speaker
from support.series import walk


def test_every_column_is_shown() -> None:
    series = walk(400)
    shown = {
        "speaker": of_speaker(strategy("rule_baseline"))(series),
        "rule": of_rule(parse("close > sma(20)"))(series),
        "indicator": of_indicator(call("macd"))(series),
        "features": of_features(series),
    }
    assert {name: list(columns) for name, columns in shown.items()} == {
        "speaker": ["direction", "entry", "stop", "target", "confidence"],
        "rule": ["direction"],
        "indicator": ["line", "signal", "histogram"],
        "features": ["swing_high", "swing_low", "trend"],
    }
    assert {len(column) for columns in shown.values() for column in columns.values()} == {400}
    assert set(shown["rule"]["direction"].tolist()) == {0.0, 1.0}
