"""Run the official conformance suite.

    run.py fixture                              our layer with the suite's fixtures: all must pass
    run.py gate --url URL --token-file PATH     a running gate, against the reviewed baselines

Needs the suite below `.fixture-node` (or FIXTURE_NODE), with Node 22:
npm i node@22 @modelcontextprotocol/conformance@0.2.0-alpha.12
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from lending_proxy import LendingProxy  # noqa: E402 - found by the path above

from support.serving import serving  # noqa: E402

HERE = Path(__file__).parent
NODE = Path(os.environ.get("FIXTURE_NODE", HERE.parents[1] / ".fixture-node")) / "node_modules"
REVISIONS = ("2025-11-25", "2026-07-28")
START_S = 20.0
SUITE_S = 300.0


async def suite(url: str, revision: str, *, baseline: bool) -> int:
    """Run one revision's required scenarios; return the suite's own verdict."""
    command = [
        str(NODE / "node" / "bin" / "node"),
        str(NODE / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"),
        "server",
        "--url",
        url,
        "--requirements",
        revision,
        "--timeout",
        "8000",
    ]
    if baseline:
        command += ["--expected-failures", str(HERE / f"gate-{revision}.yml")]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(SUITE_S):
        output, _ = await process.communicate()
    _, _, summary = output.decode().partition("=== SUMMARY ===")
    print(f"== {revision}\n{summary or output.decode()}")
    return process.returncode or 0


async def fixture() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    app = await asyncio.create_subprocess_exec(
        sys.executable, str(HERE / "fixture_app.py"), str(port)
    )
    try:
        await _listening(port)
        url = f"http://127.0.0.1:{port}/mcp"
        return max([await suite(url, revision, baseline=False) for revision in REVISIONS])
    finally:
        app.terminate()
        await app.wait()


async def gate(url: str, token: str) -> int:
    place = urlsplit(url)
    proxy = LendingProxy(f"{place.scheme}://{place.netloc}", token)
    with serving(proxy, lifespan="off") as lent:
        return max(
            [await suite(lent + place.path, revision, baseline=True) for revision in REVISIONS]
        )


async def _listening(port: int) -> None:
    async with asyncio.timeout(START_S):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    jobs = parser.add_subparsers(dest="job", required=True)
    jobs.add_parser("fixture")
    running = jobs.add_parser("gate")
    running.add_argument("--url", required=True)
    running.add_argument("--token-file", required=True, type=Path)
    chosen = parser.parse_args()
    if not NODE.is_dir():
        print("the suite is not installed; see the first lines of this file", file=sys.stderr)
        return 2
    if chosen.job == "fixture":
        return asyncio.run(fixture())
    return asyncio.run(gate(chosen.url, chosen.token_file.read_text().strip()))


if __name__ == "__main__":
    sys.exit(main())
