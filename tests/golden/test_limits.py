"""The table of limits is reviewed as a text: a default, a bound or a direction shows in the diff.

After a wanted change: ORDERGATE_UPDATE_GOLDEN=1 pytest tests/golden/test_limits.py
"""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

from ordergate.model.canonical import plain_data
from ordergate.order.policy.limits import SPECS

GOLDEN = Path(__file__).parent / "limits.json"


def test_the_table_of_limits_is_the_reviewed_one() -> None:
    rows = [plain_data(dataclasses.asdict(spec)) for spec in SPECS]
    text = json.dumps(rows, indent=1, sort_keys=True) + "\n"
    if os.environ.get("ORDERGATE_UPDATE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()
