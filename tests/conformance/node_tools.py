"""The programs of tests/conformance/node_modules, and the Node that runs them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

MODULES = Path(__file__).parent / "node_modules"
NODE_MIN = 22  # the suite for 2026-07-28 crashes on older ones


def node() -> str:
    """Return the Node that was installed with the suite, else one of the machine that will do."""
    installed = sorted(MODULES.glob("node-*/bin/node"))
    if installed:
        return str(installed[0])
    found = shutil.which("node")
    if found is not None:
        said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
        major = said.stdout.lstrip("v").partition(".")[0]
        if major.isdigit() and int(major) >= NODE_MIN:
            return found
    sys.exit(f"no Node {NODE_MIN} or newer: run `make conformance`, which installs one")


def conformance(*words: str) -> list[str]:
    main = MODULES / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
    return [node(), str(main), *words]


def inspector(*words: str) -> list[str]:
    return [node(), str(MODULES / ".bin" / "mcp-inspector"), "--cli", *words]
