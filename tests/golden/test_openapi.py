"""The OpenAPI text is reviewed as a text; a change of it shows in the diff.

After a wanted change: ORDERGATE_UPDATE_GOLDEN=1 pytest tests/golden/test_openapi.py
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from ordergate.surfaces.edge import by_bearer
from ordergate.surfaces.rest.app import Health, rest_app
from ordergate.surfaces.rest.metrics import Metrics
from support.doors import doors

GOLDEN = Path(__file__).parent / "openapi.json"


def test_the_openapi_text_is_the_reviewed_one() -> None:
    gate = doors()
    app = rest_app(
        gate.dispatch,
        gate.operations,
        authenticate=by_bearer(gate.bearer),
        health=Health(version="0.0.0", ready=lambda: True, mcp=dict),
        metrics=Metrics(),
    )
    text = json.dumps(app.openapi(), indent=1, sort_keys=True) + "\n"
    if os.environ.get("ORDERGATE_UPDATE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()
