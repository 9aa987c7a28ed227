"""Quotes fanned out to many: 200 WebSocket clients at 50 symbols of 10 quotes a second each.

A real gateway replays a recording made for this; the clients live in a process of their own. How
far a client is behind is the venue's clock (asked over REST again and again, so that both clocks
are laid side by side) at the moment a quote is read, less the quote's own time. Goal: nobody is
ever more than 250 ms behind once all are connected.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
from websockets.asyncio.client import ClientConnection, connect

from ratios import Line, table

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from support.gateway_process import ROOMY, gateway, read_note  # noqa: E402 - found above

GOAL_MS = 250.0
SYMBOLS = 50
EVERY_S = 0.1  # a quote of each symbol
SETTLE_S = 3.0
BEGAN = datetime(2026, 1, 7, 15, 0, tzinfo=UTC)
CONNECTING_MAX = 20
WAIT_S = 60.0


def recording(path: Path, seconds: float) -> Path:
    """Write 50 symbols of 10 quotes a second each, spread evenly over the tenth of a second."""
    with path.open("w") as file:
        file.write("time,symbol,bid,ask\n")
        for tick in range(int(seconds / EVERY_S)):
            for number in range(SYMBOLS):
                at = BEGAN + timedelta(seconds=EVERY_S * (tick + number / SYMBOLS))
                bid = 10_000 + (tick * 7 + number * 13) % 400
                stamp = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
                file.write(f"{stamp},SYM{number:02d},{bid / 100:.2f},{(bid + 2) / 100:.2f}\n")
    return path


def measure(clients: int, seconds: float) -> list[Line]:
    """Return how far the farthest client was behind, in ms."""
    with tempfile.TemporaryDirectory() as root:
        file = recording(Path(root) / "fanout.csv", WAIT_S + SETTLE_S + seconds)
        feed = {"feed": {"kind": "replay"}, "feed.replay": {"files": [str(file)]}}
        with gateway(Path(root) / "gate", {**ROOMY, **feed}) as gate:
            used, began = processor_s(gate.data), time.monotonic()
            watching = subprocess.run(
                [sys.executable, __file__, "--watch", gate.rest, str(clients), str(seconds)],
                capture_output=True,
                text=True,
                env={**os.environ, "FANOUT_TOKEN": gate.token},
                timeout=2 * WAIT_S + seconds,
                check=False,
            )
            share = (processor_s(gate.data) - used) / (time.monotonic() - began)
            if watching.returncode:
                raise RuntimeError(watching.stderr[-2000:])
    found = json.loads(watching.stdout)
    detail = (
        f"{clients} clients, {SYMBOLS} symbols x {1 / EVERY_S:.0f}/s, {found['quotes']:,} quotes"
        f" in {seconds:.0f} s: median {found['median']:.0f}, p99 {found['p99']:.0f},"
        f" slowest's p99 {found['worst_p99']:.0f}, longest silence {found['silence']:.0f} ms,"
        f" least {found['least']:,} a client; of a core, gateway {share:.2f},"
        f" clients {found['share']:.2f}; load {os.getloadavg()[0]:.1f}"
    )
    return [Line("stream: farthest behind, ms", found["most"], GOAL_MS, detail)]


def processor_s(data: Path) -> float:
    """Return the processor time a gateway has used, where the system tells it; else nan."""
    try:
        text = Path(f"/proc/{read_note(data)['pid']}/stat").read_text()
    except OSError:
        return math.nan
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def watch(rest: str, clients: int, seconds: float) -> dict[str, float]:
    """Connect, settle, and read for so long; return the lags in ms."""
    headers = {"Authorization": f"Bearer {os.environ['FANOUT_TOKEN']}"}
    names = ",".join(f"SYM{number:02d}" for number in range(SYMBOLS))
    url = f"{rest.replace('http', 'ws')}/ws?topics=quotes&symbols={names}"
    gate = asyncio.Semaphore(CONNECTING_MAX)

    async def joined() -> ClientConnection:
        async with gate:
            made = await connect(url, additional_headers=headers, max_size=None, open_timeout=30)
            await made.recv()  # the snapshot
            return made

    async with httpx2.AsyncClient(base_url=rest, headers=headers, timeout=20) as http:
        sockets = list(await asyncio.gather(*(joined() for _ in range(clients))))
        lags: list[list[float]] = [[] for _ in sockets]
        silences = [0.0 for _ in sockets]
        begin = time.monotonic() + SETTLE_S
        used = time.process_time()
        tasks = [
            asyncio.create_task(
                read(socket, lags[place], silences, place, (begin, begin + seconds))
            )
            for place, socket in enumerate(sockets)
        ]
        offsets = []
        while time.monotonic() < begin + seconds:
            offsets.append(await offset(http))
            await asyncio.sleep(0.25)
        await asyncio.gather(*tasks)
        share = (time.process_time() - used) / (SETTLE_S + seconds)
    # The venue's clock is read from memory: of the askings the quickest are nearest to the truth.
    known = min(offsets)[1]
    late = [sorted(known + lag for lag in kept) for kept in lags]
    every = sorted(lag for kept in late for lag in kept)
    return {
        "most": every[-1] * 1_000,
        "median": statistics.median(every) * 1_000,
        "p99": every[int(len(every) * 0.99)] * 1_000,
        "worst_p99": max(kept[int(len(kept) * 0.99)] for kept in late) * 1_000,
        "quotes": len(every),
        "least": min(len(kept) for kept in late),
        "silence": max(silences) * 1_000,
        "share": share,
    }


async def offset(http: httpx2.AsyncClient) -> tuple[float, float]:
    """Return how long the asking took, and the venue's clock less ours."""
    began = time.monotonic()
    reply = await http.post("/api/v1/call/get_quotes", json={"symbols": ["SYM00"]})
    took = time.monotonic() - began
    venue = datetime.fromisoformat(reply.json()["data"]["venue_time"]).timestamp()
    return took, venue - (began + took / 2)


async def read(
    socket: ClientConnection,
    kept: list[float],
    silences: list[float],
    place: int,
    span: tuple[float, float],
) -> None:
    """Keep (our clock - the quote's time) of each quote; the venue's offset is added later."""
    begin, end = span
    heard = begin
    while time.monotonic() < end:
        message = json.loads(await socket.recv(decode=False))
        now = time.monotonic()
        if now < begin or message["type"] != "change":
            continue
        silences[place], heard = max(silences[place], now - heard), now
        for quote in message["data"]["quotes"]:
            kept.append(now - datetime.fromisoformat(quote["as_of"]).timestamp())
    await socket.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--watch", nargs=3, metavar=("REST", "CLIENTS", "SECONDS"))
    chosen = parser.parse_args()
    if chosen.watch:
        rest, clients, seconds = chosen.watch
        print(json.dumps(asyncio.run(watch(rest, int(clients), float(seconds)))))
    else:
        print(table(measure(chosen.clients, chosen.seconds)))


if __name__ == "__main__":
    main()
