from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ordergate.research.report.stored import difference, evidence_of, stored
from ordergate.research.validation.verdict import judge
from support.reports import of_noise


def test_a_kept_report_is_judged_like_the_first_time() -> None:
    report = of_noise()
    kept = json.loads(json.dumps(stored(report)))
    evidence = evidence_of(kept, report.evidence.tally)
    assert judge(evidence) == report.judgement
    many = replace(report.evidence.tally, trials=10_000)
    assert judge(evidence_of(kept, many)).deflated < report.judgement.deflated  # type: ignore[operator]


def test_a_difference_is_paired_over_the_same_bars_alone() -> None:
    kept = json.loads(json.dumps(stored(of_noise())))
    better = {**kept, "curve": [value + 0.0001 for value in kept["curve"]]}
    found = difference(kept, better)
    assert found is not None
    mean, low, high = found
    assert low == pytest.approx(mean)
    assert high == pytest.approx(mean)
    years = kept["bars"] / kept["evidence"]["per_year"]
    assert mean == pytest.approx(0.0001 * len(kept["curve"]) / years)
    other = json.loads(json.dumps(kept))
    other["report"]["again"]["data_sha256"] = "another"
    assert difference(kept, other) is None
