"""The suite's lock names what is installed and its hashes, never a place to fetch it from."""

from __future__ import annotations

import json
from pathlib import Path

HERE = Path(__file__).parents[1] / "conformance"


def test_every_package_is_pinned_by_hash_and_by_no_address() -> None:
    packages = json.loads((HERE / "package-lock.json").read_text("utf-8"))["packages"]
    pinned = {name: one for name, one in packages.items() if name}
    assert len(pinned) > 100
    for name, one in pinned.items():
        assert "resolved" not in one, name
        assert one.get("inBundle") or one["integrity"].startswith("sha512-"), name


def test_nothing_runs_while_it_is_installed() -> None:
    lines = (HERE / ".npmrc").read_text("utf-8").splitlines()
    assert {"omit-lockfile-registry-resolved=true", "ignore-scripts=true"} <= set(lines)
