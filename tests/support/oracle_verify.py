"""The stand-alone verifier that we ship, as the suites use it; it imports nothing of ordergate."""

from __future__ import annotations

import importlib.util
from pathlib import Path

OK = 0
SCRIPT = Path(__file__).parents[2] / "tools" / "ordergate_verify.py"
_spec = importlib.util.spec_from_file_location("ordergate_verify", SCRIPT)
assert _spec is not None
assert _spec.loader is not None
ordergate_verify = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(ordergate_verify)


def verdict(path, public, anchors=()):
    """Return (exit code, first bad or missing record or None)."""
    result, _ = ordergate_verify.verify([path], public, anchors)
    return result.code, result.seq
