"""How many examples a property is tried with: a share in make test, more of them in make slow."""

from __future__ import annotations

import os

from hypothesis import settings

SHARE = float(os.environ.get("ORDERGATE_EXAMPLES", "0.25"))
LEAST = 20


def examples(usual: int) -> settings:
    """Return the settings for a property whose usual number of examples this is."""
    return settings(max_examples=max(LEAST, int(usual * SHARE)), deadline=None)
