"""Crashes, the size that every change is tried with; `make chaos` kills 2,000 gateways."""

from __future__ import annotations

import ast
import secrets
from pathlib import Path

import pytest

from chaos import crash_oracle, crash_venue
from chaos.crash_broken import BROKEN
from chaos.crash_episode import RANDOM, Tally, make_template
from chaos.crash_steps import STEPS
from chaos.crashes import plans, play
from support import oracle_verify

KILLS = 60
BROKEN_MAX = 16  # gateways within which a broken protocol must be seen

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("template"))


def test_no_crash_makes_a_duplicate_a_loss_or_a_trap(template: Path) -> None:
    first = secrets.randbelow(2**31)
    print(f"seed {first}")
    total = Tally()
    for plan in plans(first, KILLS):
        total.add(play(plan, template))
    assert not total.failures, "\n".join(total.failures)
    assert total.deaths >= KILLS
    assert total.kills[RANDOM] >= KILLS // 3
    assert len(total.kills) >= len(STEPS) // 2


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_protocol_is_caught(template: Path, name: str) -> None:
    for seed in range(BROKEN_MAX):
        found = play((seed, BROKEN[name].deaths), template, name).failures
        if any(f": {shown}" in one for one in found for shown in BROKEN[name].shows):
            return
    pytest.fail(f"{name}: {BROKEN_MAX} gateways did not see it")


def test_who_judges_knows_nothing_of_ours() -> None:
    for witness in (crash_oracle, crash_venue, oracle_verify):
        tree = ast.parse(Path(witness.__file__).read_text("utf-8"))
        names = [
            name
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [one.name for one in node.names]
            )
        ]
        assert not [name for name in names if name.startswith("ordergate")]
