"""May one believe a backtest? Every number of doubt, and what they come to in plain words."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ordergate.research.validation import sharpe

if TYPE_CHECKING:
    from ordergate.model.trials import Tally
    from ordergate.research.validation.leakage import Verdict as Check
    from ordergate.research.validation.overfit import Overfit
    from ordergate.research.validation.reality import Reality
    from ordergate.research.validation.sharpe import Moments

DEFLATED_LEAST: Final = 0.95
PBO_MOST: Final = 0.2
REALITY_MOST: Final = 0.05
TRADES_LEAST: Final = 30
CONVENTION: Final = "psr_2012: variance at the observed Sharpe ratio, T - 1"


class Weight(enum.StrEnum):
    STOP = "stop"  # the result proves nothing
    DOUBT = "doubt"  # it may be true, and is not shown
    FINE = "fine"


class Sign(enum.StrEnum):
    """What a finding is about: the closed list."""

    AMBIGUOUS = "AMBIGUOUS"
    BACKTEST_TOO_SHORT = "BACKTEST_TOO_SHORT"
    BETTER_THAN_NOTHING = "BETTER_THAN_NOTHING"
    CHOICE_HOLDS = "CHOICE_HOLDS"
    COSTS_BORNE = "COSTS_BORNE"
    COSTS_KILL_IT = "COSTS_KILL_IT"
    COST_BLIND = "COST_BLIND"
    FEW_TRADES = "FEW_TRADES"
    FITTED_TO_NOISE = "FITTED_TO_NOISE"
    LEAKAGE_UNCHECKED = "LEAKAGE_UNCHECKED"
    LEAKS = "LEAKS"
    LOSES = "LOSES"
    LUCK_ALONE = "LUCK_ALONE"
    MORE_THAN_LUCK = "MORE_THAN_LUCK"
    NOT_BETTER_THAN_NOTHING = "NOT_BETTER_THAN_NOTHING"
    NO_LEAK = "NO_LEAK"
    NO_TRADES = "NO_TRADES"
    TOO_SHORT = "TOO_SHORT"


@dataclass(frozen=True, slots=True)
class Finding:
    code: Sign
    weight: Weight
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stressed:
    """The same run under other costs; `net` and `gross` are shares of the starting balance."""

    name: str
    cost_scale: float
    spread_factor: float
    delay_bars: int
    net: float
    trades: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of a result; money in shares of the starting balance.

    `gross` is before every cost, `costs` is what was paid. `band`: net with stops first and with
    targets first where one bar held both. `checked` is False where nothing could be put to the
    leakage checks.
    """

    record: Moments | None
    per_year: float  # bars a year, as they came
    trades: int
    net: float
    gross: float
    costs: float
    ambiguous: int
    band: tuple[float, float]
    stress: Sequence[Stressed]
    tally: Tally
    effective: float | None = None
    overfit: Overfit | None = None
    reality: Reality | None = None
    leaks: Sequence[Check] = ()
    checked: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """`luck` is the annual Sharpe ratio that the best of N worthless trials would show.

    Numbers are None where they cannot be had; `track_needed` is in bars.
    """

    believable: bool
    headline: str
    findings: tuple[Finding, ...]
    annual_sharpe: float | None
    psr_2012: float | None
    psr_2025: float | None
    deflated: float | None  # by the raw number of trials: what is decided on
    deflated_effective: float | None
    luck: float | None
    track: int
    track_needed: float | None
    years: float
    years_needed: float | None  # MinBTL for the annual Sharpe ratio seen


def judge(evidence: Evidence) -> Judgement:
    """Return the numbers and the words; the same evidence always gives the same ones."""
    record, tally = evidence.record, evidence.tally
    findings = tuple(_findings(evidence))
    trials = max(1, tally.trials)
    root = math.sqrt(evidence.per_year)
    variance = None if record is None else variance_of(tally, record)
    years = 0.0 if record is None else record.count / evidence.per_year
    seen = None if record is None else record.sharpe * root
    needed = None
    if seen is not None and seen > 0:
        needed = sharpe.backtest_needed_years(trials, seen)
    stops = [one for one in findings if one.weight is Weight.STOP]
    doubts = [one for one in findings if one.weight is Weight.DOUBT]
    return Judgement(
        believable=not stops and not doubts,
        headline=_headline(stops, doubts),
        findings=findings,
        annual_sharpe=seen,
        psr_2012=None if record is None else sharpe.psr_2012(record),
        psr_2025=None if record is None else sharpe.psr_2025(record),
        deflated=deflated_of(evidence, trials),
        deflated_effective=(
            None if evidence.effective is None else deflated_of(evidence, evidence.effective)
        ),
        luck=None if variance is None else sharpe.luck(trials, variance) * root,
        track=0 if record is None else record.count,
        track_needed=None if record is None else sharpe.track_record_needed(record),
        years=years,
        years_needed=needed,
    )


def variance_of(tally: Tally, record: Moments) -> float:
    """Return V; where fewer than two trials have a result, that of a worthless one: 1 / T."""
    return 1.0 / record.count if tally.variance is None else tally.variance


def deflated_of(evidence: Evidence, trials: float) -> float | None:
    """Return the deflated Sharpe ratio; a broken number of trials is rounded up."""
    if evidence.record is None:
        return None
    return sharpe.deflated(
        evidence.record,
        trials=max(1, math.ceil(trials)),
        variance=variance_of(evidence.tally, evidence.record),
    )


def _headline(stops: Sequence[Finding], doubts: Sequence[Finding]) -> str:
    if stops:
        return "Do not believe this result."
    if doubts:
        return "Not shown to be more than luck."
    return "Nothing here speaks against this result. That is no promise about the future."


def _findings(evidence: Evidence) -> Iterator[Finding]:
    yield from _leakage(evidence)
    yield from _cost(evidence)
    yield from _luck(evidence)
    yield from _choice(evidence)
    yield from _length(evidence)
    yield from _ambiguity(evidence)


def _leakage(evidence: Evidence) -> Iterator[Finding]:
    for check in evidence.leaks:
        if check.passed:
            continue
        if check.check == "lag":
            words = f"It may know the future: {check.message}."
        else:
            words = f"It knows the future: {check.message}. Nothing it earned could be earned."
        yield Finding(Sign.LEAKS, Weight.STOP, words)
    if not evidence.checked:
        yield Finding(
            Sign.LEAKAGE_UNCHECKED, Weight.DOUBT, "Nobody checked if it knows the future."
        )
    elif evidence.leaks and all(check.passed for check in evidence.leaks):
        yield Finding(Sign.NO_LEAK, Weight.FINE, "It uses nothing from the future (three checks).")


def _cost(evidence: Evidence) -> Iterator[Finding]:
    if evidence.trades == 0:
        yield Finding(Sign.NO_TRADES, Weight.STOP, "It never traded: there is nothing to judge.")
        return
    if evidence.net <= 0:
        if evidence.gross > 0:
            share = evidence.costs / evidence.gross
            yield Finding(
                Sign.COST_BLIND,
                Weight.STOP,
                f"It is blind to its costs: {_percent(evidence.gross)} before costs,"
                f" {_percent(evidence.net)} after them. Costs take {share:.1f} times what the"
                " signals earn.",
            )
        else:
            yield Finding(
                Sign.LOSES,
                Weight.STOP,
                f"It loses: {_percent(evidence.net)} after costs,"
                f" {_percent(evidence.gross)} before them.",
            )
        return
    fallen = [one for one in evidence.stress if one.net <= 0 and one.cost_scale > 0]
    if fallen:
        names = ", ".join(f"{one.name} {_percent(one.net)}" for one in fallen)
        near = any(one.cost_scale <= 1.5 and one.spread_factor <= 2 for one in fallen)
        yield Finding(
            Sign.COSTS_KILL_IT,
            Weight.DOUBT if near else Weight.FINE,
            f"It earns at the costs given and loses under others: {names}.",
        )
    elif evidence.stress:
        yield Finding(Sign.COSTS_BORNE, Weight.FINE, "It still earns under every costlier setting.")


def _luck(evidence: Evidence) -> Iterator[Finding]:
    record, tally = evidence.record, evidence.tally
    if record is None or evidence.trades == 0:
        return
    root = math.sqrt(evidence.per_year)
    found = deflated_of(evidence, tally.trials)
    assert found is not None
    best = sharpe.luck(max(1, tally.trials), variance_of(tally, record)) * root
    counted = "1 trial was" if tally.trials == 1 else f"{tally.trials} trials were"
    said = (
        f"{counted} made on this data so far. The best of so many worthless ones would show a"
        f" yearly Sharpe ratio of {best:.2f}; this one shows {record.sharpe * root:.2f}. The chance"
        f" that it is more than luck (deflated Sharpe ratio) is {_percent(found, sign=False)}"
    )
    if found < DEFLATED_LEAST:
        yield Finding(
            Sign.LUCK_ALONE,
            Weight.DOUBT,
            f"{said}, and {_percent(DEFLATED_LEAST, sign=False)} are asked.",
        )
    else:
        yield Finding(Sign.MORE_THAN_LUCK, Weight.FINE, f"{said}.")


def _choice(evidence: Evidence) -> Iterator[Finding]:
    overfit, reality = evidence.overfit, evidence.reality
    if overfit is not None:
        said = (
            f"Of {overfit.configurations} configurations the best of one half of the time is below"
            f" the middle in the other half in {_percent(overfit.pbo, sign=False)} of the splits"
            " (PBO)"
        )
        if overfit.pbo > PBO_MOST:
            yield Finding(
                Sign.FITTED_TO_NOISE,
                Weight.STOP,
                f"It is fitted to noise: {said}. Choosing among them is guessing.",
            )
        else:
            yield Finding(Sign.CHOICE_HOLDS, Weight.FINE, f"{said}.")
    if reality is not None:
        said = (
            "The best of them beats doing nothing with a p-value of"
            f" {reality.white:.3f} (White), {reality.spa:.3f} (SPA)"
        )
        if max(reality.white, reality.spa) > REALITY_MOST:
            yield Finding(Sign.NOT_BETTER_THAN_NOTHING, Weight.DOUBT, f"{said}: not shown.")
        else:
            yield Finding(Sign.BETTER_THAN_NOTHING, Weight.FINE, f"{said}.")


def _length(evidence: Evidence) -> Iterator[Finding]:
    record = evidence.record
    if 0 < evidence.trades < TRADES_LEAST:
        yield Finding(
            Sign.FEW_TRADES,
            Weight.DOUBT,
            f"{evidence.trades} trades are too few: {TRADES_LEAST} are the least that says"
            " something.",
        )
    if record is None or record.sharpe <= 0 or evidence.net <= 0:
        return
    needed = sharpe.track_record_needed(record)
    if needed is not None and needed > record.count:
        yield Finding(
            Sign.TOO_SHORT,
            Weight.DOUBT,
            f"{record.count} bars are too few: a Sharpe ratio as low as this needs {needed:.0f}"
            " to be above zero with 95 % (minimum track record).",
        )
    years = record.count / evidence.per_year
    seen = record.sharpe * math.sqrt(evidence.per_year)
    least = sharpe.backtest_needed_years(max(1, evidence.tally.trials), seen)
    if least > years:
        yield Finding(
            Sign.BACKTEST_TOO_SHORT,
            Weight.DOUBT,
            f"{years:.1f} years are too short for {evidence.tally.trials} trials: worthless ones"
            f" reach this Sharpe ratio in {least:.1f} years (minimum backtest length).",
        )


def _ambiguity(evidence: Evidence) -> Iterator[Finding]:
    low, high = min(evidence.band), max(evidence.band)
    if evidence.ambiguous and low <= 0 < high:
        yield Finding(
            Sign.AMBIGUOUS,
            Weight.DOUBT,
            f"In {evidence.ambiguous} trades one bar held both stop and target. Taken one way the"
            f" result is {_percent(low)}, the other way {_percent(high)}: finer bars must tell.",
        )


def _percent(share: float, *, sign: bool = True) -> str:
    return f"{share * 100:+.2f} %" if sign else f"{share * 100:.1f} %"
