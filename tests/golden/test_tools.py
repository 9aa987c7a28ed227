"""The tool list is reviewed as a text; a change of it shows in the diff.

After a wanted change: ORDERGATE_UPDATE_GOLDEN=1 pytest tests/golden/test_tools.py
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ordergate.surfaces.catalogue.operation import DEFAULT_TOOLSETS, Toolset
from ordergate.surfaces.catalogue.operations import listed, operations, toolsets_of
from ordergate.surfaces.catalogue.schemas import input_schema, tokens, visible

GOLDEN = Path(__file__).parent / "tools.json"
TOOLS_MAX = 25
TOKENS_MAX = 5_000
TOKENS_A_TOOL_MAX = 600
ALL_TOOLS_MAX = 60
ALL_TOKENS_MAX = 12_000


def tool_list() -> list[dict[str, Any]]:
    return [
        {
            "name": item.name,
            "description": item.summary,
            "toolset": item.toolset.value,
            "act": item.act.value,
            "read_only": item.hints.read_only,
            "destructive": item.hints.destructive,
            "idempotent": item.hints.idempotent,
            "open_world": item.hints.open_world,
            "input_schema": input_schema(item.request),
        }
        for item in operations(data_only=False)
    ]


def test_the_tool_list_is_the_reviewed_one() -> None:
    text = json.dumps(tool_list(), indent=2) + "\n"
    if os.environ.get("ORDERGATE_UPDATE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def test_the_tool_list_fits_its_budget() -> None:
    every = operations(data_only=False)
    tools = listed(every)
    assert len(tools) <= TOOLS_MAX
    assert tokens(tools) <= TOKENS_MAX
    assert len(every) <= ALL_TOOLS_MAX
    assert tokens(every) <= ALL_TOKENS_MAX
    assert max(len(visible(tool)) // 4 for tool in every) <= TOKENS_A_TOOL_MAX


def test_toolsets_are_chosen_by_name() -> None:
    every = operations(data_only=False)
    chosen = toolsets_of(["default", "research"])
    assert listed(every, chosen) == every
    assert toolsets_of(["all"]) == frozenset(Toolset)
    assert toolsets_of(["default"]) == DEFAULT_TOOLSETS
    market = listed(every, toolsets_of(["market"]))
    assert {tool.toolset for tool in market} == {Toolset.MARKET}
    extra = {tool.name for tool in every} - {tool.name for tool in listed(every)}
    assert extra == {
        *("compute_indicators", "generate_signal", "compare_symbols", "htf_context"),
        *("price_alerts", "watchlists", "market_research"),
        *("run_backtest", "run_sweep", "walk_forward", "get_job", "cancel_job"),
        *("overfit_report", "cost_stress", "compare_backtests"),
    }


def test_every_tool_that_changes_something_says_so() -> None:
    for operation in operations(data_only=False):
        assert operation.acts is not operation.hints.read_only, operation.name


def test_no_tool_can_approve_loosen_or_release() -> None:
    for item in tool_list():
        arguments = set(item["input_schema"]["properties"])
        assert not arguments & {"confirm", "approved", "approval_confirmed", "force", "override"}
    names = {item["name"] for item in tool_list()}
    assert not {name for name in names if name.startswith(("approve", "release", "set_", "loosen"))}
