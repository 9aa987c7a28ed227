"""Strategies: two conditions, a stop, a target and a confidence, all said in the rule language.

A strategy is a pure function of bars: for each bar whether it would buy or sell, and on which
terms, from that bar and older ones. Nothing here knows an account or sends anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy

from ordergate.market.features.frame import Frame
from ordergate.market.features.indicators import Call, Parameter, call, nearest
from ordergate.market.signals.nodes import Column
from ordergate.market.signals.rules import Formula, Rule, parse, parse_value, walk
from ordergate.model.errors import InvalidArgument

if TYPE_CHECKING:
    from ordergate.model.series import Numbers, Series

ATR: Final = call("atr", 14)
CONFIDENCE_LEAST: Final = 0.05
CONFIDENCE_MOST: Final = 0.95
NEVER: Final = "close < 0"
STOP_ATR: Final = Parameter("stop_atr", 1.5, 0.2, 20, whole=False)
REWARD: Final = Parameter("reward", 2, 0.2, 20, whole=False)


class BadStrategy(InvalidArgument):
    """No such strategy, or a parameter it does not take."""


@dataclass(frozen=True, slots=True, eq=False)
class Signals:
    """For each bar: 1 buy, -1 sell, 0 neither; the terms are NaN where it is neither.

    `entry` is the bar's close, the price the terms are measured from; what an order would get
    comes after it.
    """

    direction: Numbers
    entry: Numbers
    stop: Numbers
    target: Numbers
    confidence: Numbers


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A strategy with its parameters still open: {name} stands for one in its texts."""

    name: str
    summary: str
    long: str
    short: str
    confidence: str
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True)
class Strategy:
    """`signals` is its whole meaning. `stop_atr`: ATRs to the stop; `reward`: target / stop."""

    name: str
    long: Rule
    short: Rule
    confidence: Formula
    stop_atr: float
    reward: float
    parameters: Mapping[str, float] = field(default_factory=dict)

    @property
    def calls(self) -> tuple[Call, ...]:
        """Return every indicator it reads, each once."""
        read = (*self.long.calls, *self.short.calls, *self.confidence.calls, ATR)
        return tuple(dict.fromkeys(read))

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns of the bars it reads."""
        found = {name for one in self.calls for name in one.columns}
        for formula in (self.long, self.short, self.confidence):
            found |= {node.name for node in walk(formula.node) if isinstance(node, Column)}
        return tuple(sorted(found | {"close"}))

    @property
    def required_history(self) -> int:
        """Return how many bars a signal needs to be what longer history would give, too."""
        read = (self.long, self.short, self.confidence)
        return max(ATR.required_history, *(formula.required_history for formula in read))

    @property
    def needs_session(self) -> bool:
        return any(one.indicator.session_bound for one in self.calls)

    def signals(self, series: Series) -> Signals:
        """Return its word for every bar; 0 for the first `required_history` - 1. Pure.

        Raises BadBars for a hole in a column it reads.
        """
        return self.on(Frame(series))

    def on(self, frame: Frame) -> Signals:
        """Return the same, of a frame that may hold some of its indicators already."""
        buys, sells = self.long.on(frame), self.short.on(frame)
        direction = numpy.where(buys == sells, 0.0, numpy.where(buys, 1.0, -1.0))
        close = frame.column("close")
        reach = self.stop_atr * frame.value(ATR)
        sure = self.confidence.values(frame)
        known = (direction != 0) & (reach > 0) & ~numpy.isnan(sure)
        known &= close - reach * max(self.reward, 1.0) > 0  # nothing has a price below nought
        known[: self.required_history - 1] = False
        direction[~known] = 0.0

        def where_known(values: Numbers) -> Numbers:
            return numpy.where(known, values, numpy.nan)

        return Signals(
            direction=direction,
            entry=where_known(close),
            stop=where_known(close - direction * reach),
            target=where_known(close + direction * reach * self.reward),
            confidence=where_known(numpy.clip(sure, CONFIDENCE_LEAST, CONFIDENCE_MOST)),
        )

    def reasons(self, frame: Frame, bar: int = -1) -> tuple[str, ...]:
        """Say which condition holds at a bar."""
        said = []
        for word, rule in (("buy", self.long), ("sell", self.short)):
            if bool(rule.on(frame)[bar]):
                said.append(f"{self.name} {word}: {rule.text}")
        return tuple(said)

    def readings(self, frame: Frame, bar: int = -1) -> dict[str, float]:
        """Return what it read at a bar, by name; what has no value there is left out."""
        read = self.long.read_at(frame, bar) | self.short.read_at(frame, bar)
        return read | self.confidence.read_at(frame, bar)


_FAST: Final = Parameter("fast", 20, 2, 200)
_SLOW: Final = Parameter("slow", 50, 3, 400)
_RSI: Final = Parameter("rsi", 14, 2, 100)

BLUEPRINTS: Final = (
    Blueprint(
        "rule_baseline",
        "SMA(20) on the right side of SMA(50), RSI with it but not exhausted.",
        "sma({fast}) > sma({slow}) and rsi({rsi}) > 50 and rsi({rsi}) < {overbought}",
        "sma({fast}) < sma({slow}) and rsi({rsi}) < 50 and rsi({rsi}) > 100 - {overbought}",
        "0.45 + min(abs(sma({fast}) - sma({slow})) / atr(14) / 10, 0.25)",
        (_FAST, _SLOW, _RSI, Parameter("overbought", 70, 51, 99), STOP_ATR, REWARD),
    ),
    Blueprint(
        "volatility_breakout",
        "A close that moved more than an ATR and left the range of the last 20 bars.",
        "change(close, 1) > {move} * atr(14)[1] and close > donchian({look_back}).upper[1]",
        "change(close, 1) < -{move} * atr(14)[1] and close < donchian({look_back}).lower[1]",
        "0.4 + min(abs(change(close, 1)) / atr(14)[1] / 10, 0.35)",
        (
            Parameter("look_back", 20, 2, 400),
            Parameter("move", 1, 0.1, 10, whole=False),
            STOP_ATR,
            REWARD,
        ),
    ),
    Blueprint(
        "ma_crossover",
        "EMA(20) crosses EMA(50).",
        "ema({fast}) crosses above ema({slow})",
        "ema({fast}) crosses below ema({slow})",
        "0.45 + min(abs(change(ema({slow}), 5)) / atr(14) / 4, 0.2)",
        (_FAST, _SLOW, STOP_ATR, REWARD),
    ),
    Blueprint(
        "rsi_reversal",
        "RSI comes back from below 30 or from above 70.",
        "rsi({rsi}) crosses above {oversold}",
        "rsi({rsi}) crosses below 100 - {oversold}",
        "0.42 + min(abs(change(rsi({rsi}), 1)) / 50, 0.2)",
        (_RSI, Parameter("oversold", 30, 1, 49), STOP_ATR, REWARD),
    ),
    Blueprint(
        "macd_trend",
        "MACD crosses its signal on the trend's side of SMA(100).",
        "macd({fast}, {slow}, {signal}).line crosses above macd({fast}, {slow}, {signal}).signal"
        " and close > sma({trend})",
        "macd({fast}, {slow}, {signal}).line crosses below macd({fast}, {slow}, {signal}).signal"
        " and close < sma({trend})",
        "0.45 + min(abs(close - sma({trend})) / atr(14) / 40, 0.2)",
        (
            Parameter("fast", 12, 2, 200),
            Parameter("slow", 26, 3, 400),
            Parameter("signal", 9, 1, 100),
            Parameter("trend", 100, 2, 500),
            STOP_ATR,
            REWARD,
        ),
    ),
    Blueprint(
        "volume_breakout",
        "A close beyond the range of the last 20 bars on half as much volume again.",
        "close > donchian({look_back}).upper[1] and volume > {times} * sma({look_back}, volume)[1]",
        "close < donchian({look_back}).lower[1] and volume > {times} * sma({look_back}, volume)[1]",
        "0.45 + min(volume / sma({look_back}, volume)[1] / 20, 0.3)",
        (
            Parameter("look_back", 20, 2, 400),
            Parameter("times", 1.5, 1, 20, whole=False),
            STOP_ATR,
            REWARD,
        ),
    ),
)
BY_NAME: Final[Mapping[str, Blueprint]] = {blueprint.name: blueprint for blueprint in BLUEPRINTS}


def strategy(name: str, given: Mapping[str, float] | None = None) -> Strategy:
    """Return a built-in strategy with its parameters, defaults filled in; raise BadStrategy."""
    blueprint = BY_NAME.get(name)
    if blueprint is None:
        raise BadStrategy("no such strategy", fix=nearest(name, tuple(BY_NAME)))
    values = _parameters(blueprint, given or {})
    words = {word: f"{value:g}" for word, value in values.items()}
    return Strategy(
        name=name,
        long=parse(blueprint.long.format_map(words)),
        short=parse(blueprint.short.format_map(words)),
        confidence=parse_value(blueprint.confidence.format_map(words)),
        stop_atr=values["stop_atr"],
        reward=values["reward"],
        parameters=values,
    )


def custom(
    *, long: str | None, short: str | None, stop_atr: float = 1.5, reward: float = 2.0
) -> Strategy:
    """Return a strategy of a caller's own rules; raise RuleError or BadStrategy.

    Its confidence is 0.5: nothing is known of it before it has been tested.
    """
    if long is None and short is None:
        raise BadStrategy("a rule to buy or a rule to sell is needed", fix="Send long_when.")
    values = {
        parameter.name: _within("custom", parameter, value)
        for parameter, value in ((STOP_ATR, stop_atr), (REWARD, reward))
    }
    return Strategy(
        name="custom",
        long=parse(long or NEVER),
        short=parse(short or NEVER),
        confidence=parse_value("0.5"),
        stop_atr=values["stop_atr"],
        reward=values["reward"],
        parameters=values,
    )


def _parameters(blueprint: Blueprint, given: Mapping[str, float]) -> dict[str, float]:
    known = {parameter.name: parameter for parameter in blueprint.parameters}
    for word in given:
        if word not in known:
            raise BadStrategy(
                f"{blueprint.name} takes no such parameter", fix=nearest(word, tuple(known))
            )
    return {
        name: _within(blueprint.name, parameter, given.get(name, parameter.default))
        for name, parameter in known.items()
    }


def _within(owner: str, parameter: Parameter, value: float) -> float:
    if not parameter.low <= value <= parameter.high or (parameter.whole and value != int(value)):
        kind = "a whole number" if parameter.whole else "a number"
        raise BadStrategy(
            f"{owner}: {parameter.name} must be {kind} from {parameter.low:g} to"
            f" {parameter.high:g}",
            fix=f"Its default is {parameter.default:g}.",
        )
    return value
