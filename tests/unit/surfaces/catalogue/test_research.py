"""Research at the doors: what is refused before any work, whose job is whose, and the picture."""

from __future__ import annotations

import asyncio
import json
import shlex
from decimal import Decimal
from typing import Any

import pytest

from ordergate.model.errors import InvalidArgument
from ordergate.model.trials import Origin
from ordergate.surfaces.catalogue.envelope import Envelope
from ordergate.surfaces.catalogue.research_requests import RunBacktest, RunSweep, WalkForward
from ordergate.surfaces.catalogue.research_specs import command_of, plan_of, spec_of
from ordergate.surfaces.mcp.tools import tool_result
from support.doors import AGENT, OTHER, READER, Doors, doors
from support.memory_research import DONE
from support.memory_research import OTHER as OTHER_JOB

CROSSING: dict[str, Any] = {"symbols": ["EURUSD"], "strategy": "ma_crossover"}


def ask(gate: Doors, tool: str, arguments: dict[str, Any], who: Any = AGENT) -> Envelope:
    return asyncio.run(gate.dispatch(who, tool, arguments))


def test_a_job_is_taken_on_and_is_its_askers_alone() -> None:
    gate = doors()
    taken = ask(gate, "run_backtest", CROSSING)
    assert taken.data is not None
    job_id = taken.data["job"]["job_id"]
    assert taken.data["job"]["state"] == "queued"
    assert ask(gate, "get_job", {"job_id": job_id}).ok
    for tool in ("get_job", "cancel_job", "overfit_report"):
        assert ask(gate, tool, {"job_id": job_id}, OTHER).code == "RESOURCE_NOT_FOUND"
    assert ask(gate, "overfit_report", {"job_id": job_id}).code == "ILLEGAL_STATE"


def test_a_reader_starts_nothing() -> None:
    gate = doors()
    assert ask(gate, "run_backtest", CROSSING, READER).code == "FORBIDDEN"
    assert ask(gate, "cancel_job", {"job_id": DONE}, READER).code == "FORBIDDEN"
    assert ask(gate, "get_job", {}, READER).ok


@pytest.mark.parametrize(
    ("tool", "wrong", "word"),
    [
        ("run_sweep", {"axes": ["fast=2:200:0.0001"]}, "Widen"),
        ("run_sweep", {"axes": ["fast=2:200:1", "slow=3:400:1"]}, "random"),
        ("run_sweep", {"axes": ["oversold=20"]}, "fast"),
        ("run_sweep", {"axes": ["fast=5", "fast=6"]}, "different"),
        ("run_backtest", {"parameters": ["fast=1.2.3"]}, "fast=20"),
        ("run_backtest", {"long_when": "close > 1"}, "custom"),
        ("run_backtest", {"terms": ["bribe=3"]}, "spread_factor"),
        ("run_backtest", {"terms": ["delay_bars=0.5"]}, "delay_bars=1"),
        ("run_backtest", {"size": "0 lots"}, "above 0"),
    ],
)
def test_what_cannot_be_done_is_refused_before_any_work(
    tool: str, wrong: dict[str, Any], word: str
) -> None:
    gate = doors()
    refused = ask(gate, tool, {**CROSSING, **wrong})
    assert refused.code == "INVALID_ARGUMENT", refused.line
    assert refused.error is not None
    assert word in refused.error.fix
    listed = ask(gate, "get_job", {}).data
    assert listed is not None
    assert len(listed["jobs"]) == 2  # the two that were there


def test_a_request_becomes_the_spec_that_is_meant() -> None:
    spec = spec_of(
        RunBacktest(
            symbols=["eurusd"],
            strategy="ensemble",
            parameters=["macd_trend=2"],
            size="1 risk",
            terms=["spread_factor=1.5", "swap=0", "delay_bars=2", "balance=5000", "seed=9"],
        )
    )
    assert spec.symbols == ("EURUSD",)
    assert spec.strategy.votes == {"macd_trend": 2.0}
    assert spec.strategy.parameters == {}
    assert (spec.costs.spread_factor, spec.costs.swap) == (Decimal("1.5"), False)
    assert (spec.sizing.by.value, spec.sizing.amount) == ("risk", 1)
    assert (spec.delay_bars, spec.account.balance, spec.seed) == (2, 5_000, 9)


def test_a_sweep_becomes_the_plan_that_is_meant() -> None:
    plan = plan_of(RunSweep(**CROSSING, axes=["fast=5:15:5"], method="tpe", trials=7, by="net"))
    assert plan.axes[0].values == (5, 10, 15)
    assert (plan.method, plan.trials, plan.by) == (Origin.TPE, 7, "net")


def test_the_command_asks_for_the_same_again() -> None:
    request = WalkForward(
        symbols=["EURUSD", "GBPUSD"],
        long_when="ema({n}) > close; rm -rf /",
        axes=["n=5:25:5"],
        train_bars=100,
        anchored=True,
    )
    words = shlex.split(command_of("walk_forward", request))
    assert words[:5] == ["ordergate", "backtest", "walk-forward", "EURUSD", "GBPUSD"]
    assert words[words.index("--long-when") + 1] == "ema({n}) > close; rm -rf /"
    assert words[words.index("--axis") + 1] == "n=5:25:5"
    assert "--anchored" in words
    assert words[words.index("--train-bars") + 1] == "100"


def test_a_judgement_is_made_anew_with_all_that_was_tried_since() -> None:
    found = ask(doors(), "overfit_report", {"job_id": DONE}).data
    assert found is not None
    assert found["overfit"]["trials"] == 500
    assert not found["believable"]
    assert any("500 trials were made" in one["words"] for one in found["findings"])
    stress = ask(doors(), "cost_stress", {"job_id": DONE}).data
    assert stress is not None
    assert stress["survives"] is True
    compared = ask(doors(), "compare_backtests", {"job_ids": [DONE, OTHER_JOB]}).data
    assert compared is not None
    assert compared["backtests"][1]["difference"] == "0.0000"
    twice = ask(doors(), "compare_backtests", {"job_ids": [DONE, DONE]})
    assert twice.code == "INVALID_ARGUMENT"


def test_a_picture_stands_beside_the_words_of_an_mcp_answer() -> None:
    shown = tool_result(ask(doors(), "get_job", {"job_id": DONE, "plot": True}))
    text, picture = shown.content
    assert picture.type == "image"
    assert picture.mime_type == "image/png"
    assert picture.data.startswith("iVBOR")
    assert text.type == "text"
    assert "iVBOR" not in text.text
    assert "iVBOR" not in json.dumps(shown.structured_content)
    plain = tool_result(ask(doors(), "get_job", {"job_id": DONE}))
    assert len(plain.content) == 1


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidArgument):
        spec_of(RunBacktest(**CROSSING, terms=["balance=1.1.1"]))
