from __future__ import annotations

import json

from ordergate.research.report.report import Row, facts, named, overfit_facts, row_facts
from support.reports import of_noise


def test_the_facts_are_json_with_what_is_needed_to_run_it_again() -> None:
    report = of_noise()
    told = json.loads(json.dumps(facts(report)))
    again = told["again"]
    assert again["command"] == "ordergate backtest run"
    assert again["data_sha256"] == report.outcome.data_sha256
    assert again["seed"] == 1
    assert json.loads(again["settings"])["strategy"] == "ma_crossover"
    assert again["costs"]["spread_factor"] == "1"
    assert told["figures"]["trades"] == str(report.figures.trades)
    assert len(told["rows"]) == 6
    assert told["stress"][0]["name"] == "as given"


def test_every_number_of_doubt_has_the_name_of_its_convention() -> None:
    report = of_noise()
    found = overfit_facts(report.judgement, report.evidence)
    assert found["convention"].startswith("psr_2012")
    assert "psr" not in found  # never plainly so
    assert (found["trials"], found["trials_of_run"], found["trials_before"]) == (6, 6, 0)
    assert float(found["pbo"]) == round(report.evidence.overfit.pbo, 4)  # type: ignore[union-attr]
    assert 0 <= float(found["deflated_sharpe"]) <= 1


def test_a_row_and_a_name_as_they_are_shown() -> None:
    row = Row("x", 0.12345, 0.2, 0.1, 7, None, "why")
    assert row_facts(row)["net"] == "0.1235" or row_facts(row)["net"] == "0.1234"
    assert row_facts(row)["annual_sharpe"] is None
    assert named({"fast": 5.0, "move": 0.25}) == "fast=5 move=0.25"
