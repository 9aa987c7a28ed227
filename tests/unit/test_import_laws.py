"""Wrong imports are tried on purpose; the contracts of .importlinter must catch every one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"

WRONG = (
    ("rings", "model.values", "ports.system"),
    ("rings", "sim.fills", "audit.chain"),
    ("rings", "audit.seal", "order.halt"),
    ("rings", "order.gateway", "surfaces.catalogue.fields"),
    ("rings", "identity.sign_in", "order.halt"),
    ("rings", "order.policy.judge", "identity.authority"),
    ("rings", "market.bars.resampling", "order.halt"),
    ("rings", "surfaces.catalogue.requests", "adapters.system"),
    ("rings", "adapters.system", "surfaces.catalogue.fields"),
    ("rings", "surfaces.cli.screen", "settings"),
    ("rings", "settings", "bootstrap"),
    ("rings", "bootstrap", "__main__"),
    ("order-line", "order.policy.judge", "order.dispatch.send"),
    ("order-line", "order.journal.record", "order.halt"),
    ("order-line", "order.gateway", "order.desk"),
    ("order-line", "order.halt", "order.approval.ticket"),
    ("order-line", "order.intent.accept", "order.policy.limits"),
    ("order-line", "order.dispatch.send", "order.reconcile.settle"),
    ("data-line", "market.hours.calendar", "market.bars.resampling"),
    ("nouns", "order.policy.rules.size", "ports.market_facts"),
    ("nouns", "order.policy.limits", "time"),
    ("nouns", "order.policy.facts", "order.policy.judge"),
    ("nouns", "order.journal.lifecycle", "sqlite3"),
    ("nouns", "order.intent.idempotency", "uuid"),
    ("nouns", "order.approval.ticket", "order.halt"),
    ("nouns", "order.reconcile.difference", "httpx"),
    ("nouns", "sim.fills", "random"),
    ("nouns", "model.orders", "asyncio"),
    ("nouns", "audit.chain", "audit.seal"),
    ("nouns", "identity.authority", "os"),
    ("nouns", "market.bars.resampling", "ports.feed"),
    ("write-port", "order.gateway", "ports.venue_trade"),
    ("write-port", "order.reconcile.settle", "ports.venue_trade"),
    ("write-port", "surfaces.catalogue.services", "ports.venue_trade"),
    ("desk", "surfaces.catalogue.orders", "order.desk"),
    ("desk", "surfaces.cli.operating", "order.desk"),
    ("desk", "order.gateway", "order.desk"),
    ("exits-through-the-gateway", "order.exits", "order.dispatch.send"),
    ("exits-through-the-gateway", "order.exits", "order.journal.record"),
    ("seal", "adapters.storage.tables", "audit.seal"),
    ("seal", "surfaces.console.acts", "audit.seal"),
    ("settings-at-the-edge", "surfaces.cli.doors", "settings"),
    ("settings-at-the-edge", "order.gateway", "settings"),
    ("testing-stays-outside", "bootstrap", "testing"),
    ("adapters-know-ports-only", "adapters.storage.tables", "order.gateway"),
    ("adapters-know-ports-only", "adapters.keys", "identity.tokens"),
    ("storage-links-the-chain", "adapters.system", "audit.chain"),
    ("storage-links-the-chain", "adapters.feeds", "audit.chain"),
    ("surfaces-skip-nothing", "surfaces.catalogue.orders", "ports.journal"),
    ("surfaces-skip-nothing", "surfaces.console.acts", "order.approval.approve"),
    ("surfaces-skip-nothing", "surfaces.catalogue.risk", "order.policy.limits"),
    ("doors-know-the-catalogue", "surfaces.cli.trading", "order.gateway"),
    ("doors-know-the-catalogue", "surfaces.mcp", "market"),
    ("research-uses-the-rules-only", "research.packet", "order.gateway"),
    ("data-line", "market.features.levels", "market.signals.rules"),
    ("data-line", "market.signals.proposal", "market.scan.ranking"),
    ("nouns", "market.features.frame", "asyncio"),
    ("nouns", "market.scan.ranking", "market.scan.scan"),
    ("venues-independent", "adapters.venues.paper", "adapters.venues.other"),
    ("feeds-independent", "adapters.feeds.replay", "adapters.feeds.simulated"),
    ("feeds-independent", "adapters.feeds.simulated", "adapters.venues.paper"),
    ("surfaces-independent", "surfaces.mcp", "surfaces.rest"),
    ("surfaces-independent", "surfaces.cli.doors", "surfaces.console.entry"),
    ("surfaces-independent", "surfaces.stream", "surfaces.cli.screen"),
    ("catalogue-under-the-doors", "surfaces.catalogue.operations", "surfaces.mcp"),
    ("sdk-quarantine", "order.dispatch.send", "ccxt"),
    ("sdk-quarantine", "bootstrap", "MetaTrader5"),
    ("acyclic", "surfaces.catalogue.fields", "surfaces.catalogue.requests"),
    ("acyclic", "model.values", "model.orders"),
)


@pytest.fixture(scope="module")
def verdict(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    tree = tmp_path_factory.mktemp("planted") / "ordergate"
    shutil.copytree(
        ROOT / "src" / "ordergate", tree, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
    )
    other = tree / "adapters" / "venues" / "other"
    other.mkdir()
    (other / "__init__.py").touch()
    for _, importer, imported in WRONG:
        _plant(tree, importer, imported)
    asked = {
        "config": str(ROOT / ".importlinter"),
        "cases": [[law, _full(one), _full(two)] for law, one, two in WRONG],
    }
    ran = subprocess.run(
        [sys.executable, str(TESTS / "support" / "import_laws.py")],
        input=json.dumps(asked),
        env={**os.environ, "PYTHONPATH": str(tree.parent)},
        cwd=tree.parent,
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer


def test_the_package_itself_keeps_every_law(verdict: dict[str, Any]) -> None:
    assert verdict["broken_before"] == []


def test_every_wrong_import_was_planted_and_seen(verdict: dict[str, Any]) -> None:
    assert verdict["not_seen"] == []


def test_every_wrong_import_is_caught(verdict: dict[str, Any]) -> None:
    assert verdict["missed"] == []


def test_every_law_was_tried(verdict: dict[str, Any]) -> None:
    assert sorted(verdict["laws"]) == sorted({law for law, _, _ in WRONG})


def test_a_new_top_level_package_needs_a_place_in_the_rings(verdict: dict[str, Any]) -> None:
    assert verdict["stranger_kept"] is False


def _plant(tree: Path, importer: str, imported: str) -> None:
    place = tree.joinpath(*importer.split("."))
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    with open(file, "a", encoding="utf-8") as source:
        source.write(f"\nimport {_full(imported)}\n")


def _full(module: str) -> str:
    ours = module.split(".")[0] in _OURS
    return f"ordergate.{module}" if ours else module


_OURS = {path.stem for path in (ROOT / "src" / "ordergate").iterdir()}
