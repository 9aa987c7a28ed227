"""`ordergate demo` from a stranger's shell: half a minute, exit code 0, and the reviewed story.

After a wanted change: ORDERGATE_UPDATE_GOLDEN=1 pytest tests/e2e/test_demo.py
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from support.gateway_process import GatewayProcess, program
from support.recordings import real

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parents[1] / "golden" / "demo.json"
WITHIN_S = 30.0
_MASKS = (
    (re.compile(r"\b\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{16,}"), "<id>"),
    (re.compile(r"(?<![\w.])\d[\d,]*(\.\d+)?"), "<n>"),
)


def masked(text: str) -> str:
    """Return a line without what differs from run to run: times, ids and numbers."""
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text


@pytest.mark.parametrize(
    ("prices", "recording"),
    [
        ("simulated", None),
        pytest.param("replay", "eurusd_oanda_ticks.csv.gz", marks=pytest.mark.slow),
    ],
)
def test_the_tour_tells_the_reviewed_story(
    prices: str, recording: str | None, tmp_path: Path
) -> None:
    words = [] if recording is None else ["--replay", str(real(recording))]
    began = time.monotonic()
    done = subprocess.run(
        program("demo", "--json", *words),
        cwd=tmp_path,
        env=GatewayProcess(tmp_path).environment | {"TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )
    took = time.monotonic() - began
    assert done.returncode == 0, done.stderr
    assert took < WITHIN_S
    told = [
        {"title": scene["title"], "facts": [masked(fact) for fact in scene["facts"]]}
        for scene in json.loads(done.stdout)["data"]["scenes"]
    ]
    golden = json.loads(GOLDEN.read_text("utf-8")) if GOLDEN.exists() else {}
    if os.environ.get("ORDERGATE_UPDATE_GOLDEN"):
        golden[prices] = told
        text = json.dumps(golden, indent=2, ensure_ascii=False, sort_keys=True)
        GOLDEN.write_text(text + "\n", "utf-8")
    assert told == golden[prices]
    assert list(tmp_path.iterdir()) == [], "the demo cleans up, and uses no directory but its own"
