"""What speaks for and against the best of many: the choice, the luck, the leaks, as evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy

from ordergate.market.features.frame import BadBars
from ordergate.market.features.sessions import moment
from ordergate.model.errors import DataUnavailable
from ordergate.model.trials import Ended
from ordergate.research.backtest.wording import speaker_of
from ordergate.research.report.report import Row, named
from ordergate.research.sweep.tried import blocks_of
from ordergate.research.validation import leakage, overfit, reality, sharpe, subjects
from ordergate.research.validation.overfit import Blocks, Overfit
from ordergate.research.walk import jumps

if TYPE_CHECKING:
    from ordergate.model.series import Numbers, Series
    from ordergate.model.trials import Trial
    from ordergate.research.backtest.spec import BacktestSpec
    from ordergate.research.sweep.tried import Tried
    from ordergate.research.validation.leakage import Verdict as Check
    from ordergate.research.validation.reality import Reality
    from ordergate.research.validation.subjects import Subject
    from ordergate.research.walk import Leg

LEAKAGE_BARS: Final = 1_500  # the newest: a leak shows in any stretch
LOGGED_LEAST: Final = 10  # configurations on the same bars, before choosing among them is judged

SCORES: Final[Mapping[str, Callable[[Tried], float | None]]] = {
    "sharpe": lambda tried: tried.sharpe,
    "net": lambda tried: tried.net,
    "drawdown": lambda tried: tried.net / tried.drawdown if tried.drawdown > 0 else None,
}


def ranked(tried: Sequence[Tried], by: str) -> list[Tried]:
    """Return those with a score, the best first; of equals the first tried."""
    scored = [(SCORES[by](one), one) for one in tried if one.ended is Ended.DONE]
    known = [(score, one) for score, one in scored if score is not None]
    return [one for _, one in sorted(known, key=lambda pair: (-pair[0], pair[1].number))]


def best_of(tried: Sequence[Tried], by: str) -> Tried:
    """Return the best; raise DataUnavailable where none has a score."""
    found = ranked(tried, by)
    if found:
        return found[0]
    failed = next((one.error for one in tried if one.error), "none of them ever traded")
    raise DataUnavailable(
        f"none of {len(tried)} configurations came to a result: {failed}"[:300],
        fix="Look at the first error, or try other values.",
    )


def overfit_of(tried: Sequence[Tried]) -> Overfit | None:
    """Return PBO of a sweep; None for fewer than two results."""
    found = blocks_of(tried)
    return None if found is None else overfit.pbo(found)


def overfit_of_logged(logged: Sequence[Trial]) -> Overfit | None:
    """Return PBO of all that was ever tried on the same bars; None below ten of them."""
    found = _blocks_of_logged(logged)
    return None if found is None else overfit.pbo(found)


def worth_of_logged(logged: Sequence[Trial]) -> float | None:
    """Return how many independent trials they are worth, by their sixteen blocks: 15 at most."""
    found = _blocks_of_logged(logged)
    return None if found is None else sharpe.effective_trials(found.sums)


def _blocks_of_logged(logged: Sequence[Trial]) -> Blocks | None:
    rows = sorted((one for one in logged if one.sums is not None), key=lambda one: one.trial_id)
    found = [one.sums for one in rows if one.sums is not None]
    if len(found) < LOGGED_LEAST or len({one.block_length for one in found}) != 1:
        return None
    return Blocks(
        found[0].block_length,
        numpy.array([one.block_sums for one in found]).T,
        numpy.array([one.block_squares for one in found]).T,
    )


def reality_of(curves: Numbers | None) -> Reality | None:
    """Return the reality check of coarse curves; None for too few points."""
    if curves is None or len(curves) < reality.OBSERVATIONS_LEAST:
        return None
    return reality.reality_check(curves)


def worth_of(curves: Numbers | None) -> float | None:
    return None if curves is None else sharpe.effective_trials(curves)


def subject_of(spec: BacktestSpec) -> Subject | None:
    """Return what the leakage checks are put to; None for a program, which runs elsewhere."""
    if spec.strategy.program is not None:
        return None
    return subjects.of_speaker(speaker_of(spec.strategy))


def leaks_of(name: str, subject: Subject | None, series: Series) -> tuple[Check, ...] | None:
    """Put a strategy to the three checks; None where nothing can be put to them."""
    length = min(len(series), LEAKAGE_BARS)
    if subject is None or length < leakage.BARS_LEAST:
        return None
    try:
        return leakage.check(name, subject, newest(series, length)).verdicts
    except BadBars:
        return None


def newest(series: Series, count: int) -> Series:
    """Return the last bars, without the other side of the market."""
    part = slice(len(series) - count, len(series))
    return replace(
        series,
        time=series.time[part],
        open=series.open[part],
        high=series.high[part],
        low=series.low[part],
        close=series.close[part],
        volume=series.volume[part],
        ask=None,
    )


def row_of(name: str, tried: Tried, per_year: float, note: str = "") -> Row:
    """Return a line of the report's table."""
    per_bar = tried.sharpe
    return Row(
        name=name,
        net=tried.net,
        gross=tried.gross,
        drawdown=tried.drawdown,
        trades=tried.trades,
        annual_sharpe=None if per_bar is None else per_bar * float(numpy.sqrt(per_year)),
        note=note,
    )


def row_of_leg(leg: Leg, per_year: float) -> Row:
    """Return a fold as a line: when it was traded, with what, and how it had looked inside."""
    inside = f"inside {leg.inside.net * 100:+.2f} %"
    return row_of(
        f"{moment(leg.begin):%Y-%m-%d} to {moment(leg.end):%Y-%m-%d}:"
        f" {named(leg.inside.parameters)}",
        leg.outside,
        per_year,
        inside,
    )


def notes_of_legs(legs: Sequence[Leg]) -> list[str]:
    """Return what the folds say together."""
    won = sum(leg.outside.net > 0 for leg in legs)
    inside = sum(leg.inside.net for leg in legs)
    outside = sum(leg.outside.net for leg in legs)
    return [
        f"{won} of {len(legs)} folds earned outside; the chosen parameters changed"
        f" {jumps(legs)} times of {len(legs) - 1}.",
        f"What was chosen earned {inside * 100:+.2f} % inside, where it was chosen, and"
        f" {outside * 100:+.2f} % outside.",
        "Every fold begins with the same balance; results add up.",
    ]
