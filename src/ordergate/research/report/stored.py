"""A report as it is kept: what is shown, and what it can be judged by anew when more was tried."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import numpy

from ordergate.research.report.report import Report, facts
from ordergate.research.sweep.tried import coarse, per_bar
from ordergate.research.validation.leakage import Verdict
from ordergate.research.validation.overfit import Overfit
from ordergate.research.validation.reality import Reality, bootstrap_means
from ordergate.research.validation.sharpe import Moments
from ordergate.research.validation.verdict import Evidence, Stressed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordergate.model.series import Numbers
    from ordergate.model.trials import Tally

SURE: Final = (2.5, 97.5)  # percentiles of a difference


def stored(report: Report) -> dict[str, Any]:
    """Return all that is kept of a report as JSON's own types."""
    evidence = asdict(report.evidence)
    del evidence["tally"]
    return {
        "report": facts(report),
        "evidence": evidence,
        "family": report.spec.strategy.name,
        "run": report.run,
        "curve": [float(value) for value in coarse(per_bar(report.outcome))],
        "bars": len(report.outcome.time),
    }


def evidence_of(kept: Mapping[str, Any], tally: Tally) -> Evidence:
    """Return the evidence of a kept report with what has been tried since."""
    found = dict(kept["evidence"])
    record, overfit, reality = found["record"], found["overfit"], found["reality"]
    return Evidence(
        **{
            **found,
            "record": None if record is None else Moments(**record),
            "overfit": None if overfit is None else Overfit(**overfit),
            "reality": None if reality is None else Reality(**reality),
            "stress": tuple(Stressed(**one) for one in found["stress"]),
            "leaks": tuple(Verdict(**one) for one in found["leaks"]),
            "band": tuple(found["band"]),
            "tally": tally,
        }
    )


def difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Return what `other` earns a year more than `one`, and its 95 % bounds; shares of the start.

    Paired over the same stretches of the same bars, resampled in blocks; None on other bars.
    """
    same = one["report"]["again"]["data_sha256"] == other["report"]["again"]["data_sha256"]
    if not same or len(one["curve"]) != len(other["curve"]) or len(one["curve"]) < 20:
        return None
    apart: Numbers = numpy.array(other["curve"]) - numpy.array(one["curve"])
    per_year = float(one["evidence"]["per_year"]) / float(one["bars"]) * len(apart)
    drawn = bootstrap_means(apart.reshape(-1, 1))[:, 0]
    low, high = numpy.percentile(drawn, SURE)
    return tuple(float(value) * per_year for value in (apart.mean(), low, high))
