"""Every indicator once: its arguments, its outputs, and how much history it needs.

`warm_up` is the number of leading bars without a value. `required_history` is how many bars a value
needs until it no longer tells where the history began: to 1e-9 of the price (or of the 0..100
scale), which recursive averages reach long after their warm-up. No numbers are made here.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from ordergate.model.errors import InvalidArgument
from ordergate.model.market import Timeframe

SETTLED: Final = 1e-9
SETTLED_DEEPLY: Final = 1e-12  # averages of averages, and differences of large numbers
PERIOD_MAX: Final = 500
HISTORY_MAX: Final = 5_000  # bars; the most that is ever asked of a source
COLUMNS: Final = ("open", "high", "low", "close", "volume", "hl2", "hlc3")

Arguments = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    default: float
    low: float
    high: float
    whole: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Indicator:
    """`inputs` are columns; ("any",) is one column of the caller's choice, close by default."""

    name: str
    summary: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    warm_up: Callable[[Arguments], int]
    required: Callable[[Arguments], int]
    formula: str  # its source in words, for the reference page
    session_bound: bool = False  # also needs the beginning of a session inside the history

    @property
    def takes_column(self) -> bool:
        return self.inputs == ("any",)


@dataclass(frozen=True, slots=True)
class Call:
    """An indicator with all its arguments: what is computed, cached and streamed."""

    indicator: Indicator
    arguments: Arguments
    column: str = "close"  # where the indicator takes one of the caller's choice

    @property
    def warm_up(self) -> int:
        return self.indicator.warm_up(self.arguments)

    @property
    def required_history(self) -> int:
        return self.indicator.required(self.arguments)

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,) if self.indicator.takes_column else self.indicator.inputs

    @property
    def text(self) -> str:
        """Return how it is written: ema(20), sma(20, volume)."""
        said = [f"{argument:g}" for argument in self.arguments]
        if self.indicator.takes_column and self.column != "close":
            said.append(self.column)
        return f"{self.indicator.name}({', '.join(said)})"


class BadIndicator(InvalidArgument):
    """No such indicator, or arguments it does not take."""


def bars_for(required: int, timeframe: Timeframe, *, session: bool = False, rows: int = 1) -> int:
    """Return how many bars to ask a source for, so that the last `rows` have what they need.

    At most HISTORY_MAX. `session`: the beginning of a session must lie among them.
    """
    day = math.ceil(timedelta(days=1) / timeframe.length) + 1 if session else 0
    return min(max(required, day + 1) + rows - 1, HISTORY_MAX)


def settling(factor: float, to: float = SETTLED) -> int:
    """Return after how many bars a share `factor` kept each bar is below `to`."""
    return 0 if factor <= 0 else math.ceil(math.log(to) / math.log(factor))


def _ema_factor(period: float) -> float:
    return 1 - 2 / (period + 1)


def _wilder_factor(period: float) -> float:
    return 1 - 1 / period


def _ema(arguments: Arguments) -> int:
    period = arguments[0]
    return int(period) + settling(_ema_factor(period))


def _wilder(arguments: Arguments) -> int:
    period = arguments[0]
    return int(period) + 1 + settling(_wilder_factor(period))


def _adx(arguments: Arguments) -> int:
    period = arguments[0]
    return 2 * int(period) + settling(_wilder_factor(period), SETTLED_DEEPLY)


def _macd(arguments: Arguments) -> int:
    fast, slow, signal = arguments
    slowest = max(fast, slow, signal)
    return int(max(fast, slow) + signal) + settling(_ema_factor(slowest), SETTLED_DEEPLY)


def _keltner(arguments: Arguments) -> int:
    return max(_ema(arguments[:1]), _wilder(arguments[1:2]))


def _supertrend(arguments: Arguments) -> int:
    # Its band is a path: two beginnings agree from the first turn both have seen.
    return _wilder(arguments) + 20 * int(arguments[0])


def _stochastic(arguments: Arguments) -> int:
    look_back, smooth, signal = arguments
    return int(look_back + smooth + signal) - 2


def _first(arguments: Arguments) -> int:
    return int(arguments[0])


def _before_first(arguments: Arguments) -> int:
    return int(arguments[0]) - 1


def _period(default: int, *, low: int = 2) -> Parameter:
    return Parameter("period", default, low, PERIOD_MAX)


_BARS: Final = ("high", "low", "close")

INDICATORS: Final = (
    Indicator(
        "sma",
        "Simple moving average.",
        ("any",),
        ("value",),
        (_period(20),),
        _before_first,
        _first,
        "TA-Lib SMA: mean of the last `period` values.",
    ),
    Indicator(
        "ema",
        "Exponential moving average.",
        ("any",),
        ("value",),
        (_period(20),),
        _before_first,
        _ema,
        "TA-Lib EMA: weight 2 / (period + 1), seeded with the first SMA.",
    ),
    Indicator(
        "wma",
        "Linearly weighted moving average.",
        ("any",),
        ("value",),
        (_period(20),),
        _before_first,
        _first,
        "TA-Lib WMA: weights 1 .. period, the newest heaviest.",
    ),
    Indicator(
        "rsi",
        "Relative strength index, 0 to 100.",
        ("any",),
        ("value",),
        (_period(14),),
        _first,
        _wilder,
        "TA-Lib RSI: Wilder's average gain and loss, seeded with their first mean.",
    ),
    Indicator(
        "macd",
        "Difference of two EMAs, its signal line and their difference.",
        ("any",),
        ("line", "signal", "histogram"),
        (
            Parameter("fast", 12, 2, PERIOD_MAX),
            Parameter("slow", 26, 2, PERIOD_MAX),
            Parameter("signal", 9, 1, PERIOD_MAX),
        ),
        lambda a: int(max(a[0], a[1]) + a[2]) - 2,
        _macd,
        "TA-Lib MACD: EMA(fast) - EMA(slow), both seeded at the slow one's first bar;"
        " signal = EMA(signal) of it.",
    ),
    Indicator(
        "bollinger",
        "Bands of standard deviations around the SMA.",
        ("any",),
        ("upper", "middle", "lower"),
        (_period(20), Parameter("deviations", 2, 0.1, 10, whole=False)),
        _before_first,
        _first,
        "TA-Lib BBANDS: SMA +- deviations x population standard deviation.",
    ),
    Indicator(
        "atr",
        "Average true range, in price.",
        _BARS,
        ("value",),
        (_period(14),),
        _first,
        _wilder,
        "TA-Lib ATR: Wilder's average of the true range.",
    ),
    Indicator(
        "adx",
        "Average directional index, 0 to 100: strength of a trend, not its direction.",
        _BARS,
        ("value",),
        (_period(14),),
        lambda a: 2 * int(a[0]) - 1,
        _adx,
        "TA-Lib ADX: Wilder's average of abs(+DI - -DI) / (+DI + -DI).",
    ),
    Indicator(
        "stochastic",
        "Close within the range of the last bars, 0 to 100, smoothed, and its average.",
        _BARS,
        ("k", "d"),
        (
            Parameter("k", 14, 1, PERIOD_MAX),
            Parameter("smooth", 3, 1, PERIOD_MAX),
            Parameter("d", 3, 1, PERIOD_MAX),
        ),
        lambda a: _stochastic(a) - 1,
        _stochastic,
        "TA-Lib STOCH with simple averages: %K smoothed over `smooth`, %D over `d`.",
    ),
    Indicator(
        "cci",
        "Commodity channel index.",
        _BARS,
        ("value",),
        (_period(20),),
        _before_first,
        _first,
        "TA-Lib CCI: (typical - SMA) / (0.015 x mean deviation).",
    ),
    Indicator(
        "obv",
        "On-balance volume; its level depends on the first bar, only its changes say something.",
        ("close", "volume"),
        ("value",),
        (),
        lambda _: 0,
        lambda _: 1,
        "TA-Lib OBV: running sum of volume, signed by the change of the close.",
    ),
    Indicator(
        "vwap",
        "Volume-weighted average price since the session began.",
        (*_BARS, "volume"),
        ("value",),
        (),
        lambda _: 0,
        lambda _: 2,
        "Sum of typical price x volume / sum of volume since the venue's day began (17:00 New"
        " York); no value in the first, perhaps cut, session of a history, nor before any volume.",
        session_bound=True,
    ),
    Indicator(
        "donchian",
        "Highest high, lowest low and their middle.",
        ("high", "low"),
        ("upper", "middle", "lower"),
        (_period(20),),
        _before_first,
        _first,
        "TA-Lib DONCHIAN: extremes of the last `period` bars, this one included.",
    ),
    Indicator(
        "keltner",
        "Bands of average true ranges around the EMA.",
        _BARS,
        ("upper", "middle", "lower"),
        (
            _period(20),
            Parameter("atr_period", 10, 2, PERIOD_MAX),
            Parameter("multiplier", 2, 0.1, 20, whole=False),
        ),
        lambda a: max(int(a[0]) - 1, int(a[1])),
        _keltner,
        "EMA(period) of the close +- multiplier x ATR(atr_period).",
    ),
    Indicator(
        "supertrend",
        "Trailing band of average true ranges; direction 1 up, -1 down.",
        _BARS,
        ("value", "direction"),
        (_period(10), Parameter("multiplier", 3, 0.1, 20, whole=False)),
        _first,
        _supertrend,
        "TA-Lib SUPERTREND: (high + low) / 2 +- multiplier x ATR(period), begun as an up trend; the"
        " lower band only rises in an up trend, the upper only falls in a down trend, and a close"
        " beyond the band turns it. A path: histories agree once each has seen it turn.",
    ),
)
BY_NAME: Final[Mapping[str, Indicator]] = {item.name: item for item in INDICATORS}
ALIASES: Final[Mapping[str, str]] = {"bbands": "bollinger", "stoch": "stochastic"}


def nearest(name: str, known: Sequence[str]) -> str:
    """Return "Did you mean ...?" where something is near, else what there is."""
    near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    return f"Did you mean {near[0]}?" if near else f"There are {', '.join(known)}."


def call(
    name: str,
    *given: float,
    named: Mapping[str, float] | None = None,
    column: str | None = None,
) -> Call:
    """Return an indicator with its arguments, defaults filled in; raise BadIndicator."""
    indicator = BY_NAME.get(ALIASES.get(name, name))
    if indicator is None:
        raise BadIndicator("no such indicator", fix=nearest(name, tuple(BY_NAME)))
    parameters, named = indicator.parameters, named or {}
    if len(given) > len(parameters):
        raise BadIndicator(
            f"{indicator.name} takes {len(parameters)} numbers, not {len(given)}",
            fix=f"Write {signature(indicator)}.",
        )
    places = [parameter.name for parameter in parameters]
    for word in named:
        if word not in places[len(given) :]:
            raise BadIndicator(
                f"{indicator.name} takes no such named argument, or has it already",
                fix=f"Write {signature(indicator)}.",
            )
    if column is not None and not indicator.takes_column:
        raise BadIndicator(
            f"{indicator.name} has its own columns: {', '.join(indicator.inputs)}",
            fix=f"Write {signature(indicator)}.",
        )
    values = tuple(
        _checked(indicator, parameter, given[place] if place < len(given) else None, named)
        for place, parameter in enumerate(parameters)
    )
    if indicator.name == "macd" and values[0] >= values[1]:
        raise BadIndicator("macd: fast must be below slow", fix="Write macd(12, 26, 9).")
    return Call(indicator, values, column or "close")


def signature(indicator: Indicator) -> str:
    """Return how an indicator is written with its defaults: ema(20[, column])."""
    numbers = ", ".join(f"{parameter.default:g}" for parameter in indicator.parameters)
    return f"{indicator.name}({numbers}{'[, column]' if indicator.takes_column else ''})"


def _checked(
    indicator: Indicator, parameter: Parameter, given: float | None, named: Mapping[str, float]
) -> float:
    value = named.get(parameter.name, parameter.default) if given is None else given
    fits = parameter.low <= value <= parameter.high and math.isfinite(value)
    if not fits or (parameter.whole and value != int(value)):
        kind = "a whole number" if parameter.whole else "a number"
        raise BadIndicator(
            f"{indicator.name}: {parameter.name} must be {kind} from {parameter.low:g} to"
            f" {parameter.high:g}",
            fix=f"Write {signature(indicator)}.",
        )
    return int(value) if parameter.whole else float(value)
