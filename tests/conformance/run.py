"""Hold our MCP layer to the official suite and to the official Inspector; `make conformance`.

    fixture      our layer with the suite's fixtures: every required scenario must pass
    gate         a real gateway: exactly the reviewed scenarios of gate-*.yml may fail
    inspector    the Inspector's command line against that gateway, over both doors

The last line of output is `N passed, N failed`; the exit code is 0 when nothing failed.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from lending_proxy import LendingProxy  # noqa: E402 - found by the path above
from node_tools import conformance  # noqa: E402
from through_inspector import inspected  # noqa: E402

from support.gateway_process import ROOMY, GatewayProcess, gateway  # noqa: E402
from support.serving import serving  # noqa: E402

REVISIONS = ("2025-11-25", "2026-07-28")
SCENARIO_MS = 8_000
SUITE_S = 300.0
START_S = 20.0
SCENARIO = re.compile(r"^(?:✓|✗) (\S+): \d+ passed, (\d+) failed$", re.MULTILINE)
NOT_SCORED = re.compile(r"^  [✓✗] (\S+) \([a-z-]+\)$", re.MULTILINE)
EXPECTED = re.compile(r"^  ~ (\S+)$", re.MULTILINE)
STALE_OR_UNEXPECTED = re.compile(r"^  [✓✗] (\S+)$", re.MULTILINE)


@dataclass
class Outcome:
    """What one job found, by the names of scenarios or commands."""

    job: str
    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)  # reviewed: need a fixture
    unscored: list[str] = field(default_factory=list)  # failing, and not required


def suite(job: str, url: str, revision: str, *, baseline: Path | None = None) -> Outcome:
    """Run one revision's scenarios against a server."""
    words = ["server", "--url", url, "--requirements", revision, "--timeout", str(SCENARIO_MS)]
    if baseline is not None:
        words += ["--expected-failures", str(baseline)]
    done = subprocess.run(
        conformance(*words), capture_output=True, text=True, timeout=SUITE_S, check=False
    )
    _, _, summary = done.stdout.partition("=== SUMMARY ===")
    found = Outcome(f"{job} {revision}")
    scenarios = dict(SCENARIO.findall(summary))
    wrong = [name for name, failures in scenarios.items() if failures != "0"]
    if baseline is not None:  # then the suite looks at what is required, and says nothing else
        _, _, verdict = summary.partition("in baseline)")
        found.expected = sorted({one.partition(":")[0] for one in EXPECTED.findall(summary)})
        found.failed = STALE_OR_UNEXPECTED.findall(verdict)
    else:
        found.failed = [name for name in wrong if name not in NOT_SCORED.findall(summary)]
    found.unscored = [name for name in wrong if name not in {*found.failed, *found.expected}]
    besides = {*found.failed, *found.unscored, *found.expected}
    found.passed = [name for name in scenarios if name not in besides]
    if (done.returncode != 0) != bool(found.failed) or not found.passed:
        found.failed.append(f"the suite itself: exit code {done.returncode}")
        print(done.stdout[-2000:], done.stderr[-2000:], file=sys.stderr)
    return found


def with_fixtures() -> list[Outcome]:
    with fixture_server() as url:
        return [suite("fixture", url, revision) for revision in REVISIONS]


def with_gateway(running: GatewayProcess) -> list[Outcome]:
    proxy = LendingProxy(str(running.note["mcp_url"]), running.token)
    with serving(proxy, lifespan="off") as lent:
        return [
            suite("gate", f"{lent}/mcp", revision, baseline=HERE / f"gate-{revision}.yml")
            for revision in REVISIONS
        ]


@contextmanager
def fixture_server() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, str(HERE / "fixture_app.py"), str(port)]
    with tempfile.TemporaryFile() as said:  # what is provoked on purpose would fill the screen
        app = subprocess.Popen(command, stdout=said, stderr=said)
        try:
            deadline = time.monotonic() + START_S
            while not _listens(port):
                if app.poll() is not None or time.monotonic() > deadline:
                    said.seek(0)
                    raise RuntimeError(f"no fixture server:\n{said.read().decode()[-2000:]}")
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            app.terminate()
            app.wait(10)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def report(outcomes: list[Outcome]) -> int:
    """Print what failed, one line a job, and the sum; return the exit code."""
    for one in outcomes:
        for name in one.failed:
            print(f"FAILED {one.job}: {name}")
    print(f"\n{'job':<24}{'passed':>8}{'failed':>8}{'expected':>10}{'unscored':>10}")
    for one in outcomes:
        counts = (one.passed, one.failed, one.expected, one.unscored)
        numbers = "".join(f"{len(x):>{w}}" for x, w in zip(counts, (8, 8, 10, 10), strict=True))
        print(f"{one.job:<24}{numbers}")
    failed = sum(len(one.failed) for one in outcomes)
    print("expected: needs a fixture the gate has not (gate-*.yml); unscored: not required")
    print(f"{sum(len(one.passed) for one in outcomes)} passed, {failed} failed")
    return 1 if failed else 0


def main() -> int:
    outcomes = with_fixtures()
    with (
        tempfile.TemporaryDirectory(prefix="ordergate-conformance-") as folder,
        gateway(Path(folder), ROOMY) as running,
    ):
        outcomes += with_gateway(running)
        for door in ("stdio", "http"):
            passed, failed = inspected(running, door)
            outcomes.append(Outcome(f"inspector {door}", passed, failed))
    return report(outcomes)


if __name__ == "__main__":
    sys.exit(main())
