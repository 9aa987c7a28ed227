"""Backtests beside vectorbt, backtesting.py, backtrader and the plainest compiled loop, in one run.

Peers are installed from PyPI into throw-away environments and used by nothing else; one that cannot
be installed is reported as such. Run times hold signals and the run, everything warm; end to end
is a fresh process from its first import. `--peers DIR` keeps the environments.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy

from backtest_rule import laid_on, plain_kernel, walk, word_of
from ordergate.research.backtest.compiled import walker
from ordergate.research.backtest.engine import plain, run_laid, walked
from ratios import Line, table

HERE = Path(__file__).parent
PEERS: Mapping[str, tuple[str, ...]] = {
    "vectorbt": ("vectorbt",),
    "backtesting": ("backtesting",),
    "backtrader": ("backtrader", "numpy", "pandas"),
}
SLOW_BARS = 50_000  # for those that would take minutes; their figures are per bar
INSTALL_S = 900
RUN_S = 600
TURNS = 7
THREADS = 2


@dataclass(frozen=True)
class Said:
    """What a peer said of its runs; seconds per bar where it ran on fewer."""

    seconds: float
    end_to_end: float
    final: float


def measure(bars: int, peers: Path | None = None) -> list[Line]:
    with tempfile.TemporaryDirectory() as place:
        where = Path(place)
        data = walk(bars)
        many, few = where / "many.npz", where / "few.npz"
        numpy.savez(many, **data)
        numpy.savez(few, **{name: column[:SLOW_BARS] for name, column in data.items()})
        sweep = where / "sweep.npz"
        numpy.savez(sweep, **{name: column[:5_000] for name, column in data.items()})
        return _lines(data, where, (many, few, sweep), peers or where / "peers")


def _lines(
    data: Mapping[str, Any], where: Path, files: tuple[Path, Path, Path], peers: Path
) -> list[Line]:
    many, few, sweep = files
    bars = len(data["close"])
    ours, kernel, python = _ours(data, where)
    lines = [
        Line("run, ours / plain kernel", ours / kernel, 2.0, _ms(ours, kernel)),
        Line("run, compiled / plain Python", ours / python, 0.1, _ms(ours, python)),
    ]
    goals = {"vectorbt": (many, 1 / 20), "backtesting": (many, 1 / 400), "backtrader": (few, 1.0)}
    for name, (file, goal) in goals.items():
        found = _peer(name, peers, file, "run", 3)
        if isinstance(found, str):
            print(f"{name}: {found}")
            continue
        theirs = found.seconds * (bars / SLOW_BARS if file is few else 1)
        lines.append(Line(f"run, ours / {name}", ours / theirs, goal, _ms(ours, theirs)))
        print(f"{name}: final equity {found.final:.2f}, end to end {found.end_to_end:.2f} s")
        if name == "vectorbt":
            fresh = _fresh(many, where)
            print(f"ours: import to result {fresh:.2f} s")
            lines.append(Line("fresh process, ours / vectorbt", fresh / found.end_to_end, 0.5, ""))
            swept = _peer(name, peers, sweep, "sweep", 3)
            if isinstance(swept, Said):
                mine = _sweep(data, where)
                lines.append(
                    Line(
                        "1,000 combinations, ours / vectorbt",
                        mine / swept.seconds,
                        1 / 25,
                        _ms(mine, swept.seconds),
                    )
                )
    return lines


def _ms(ours: float, theirs: float) -> str:
    return f"{ours * 1_000:.2f} ms against {theirs * 1_000:.2f} ms, {theirs / ours:.1f} x"


def _ours(data: Mapping[str, Any], where: Path) -> tuple[float, float, float]:
    """Return the seconds of our run, of the plain kernel and of plain Python, run in turns."""
    swift, kernel, laid = walker(where / "kernels"), plain_kernel(), laid_on(data)
    close, opened = data["close"], data["open"]

    def plainest() -> Any:
        return kernel(opened, close, 10, 30, numpy.empty(len(close)))

    def mine() -> Any:
        return walked(laid, word_of(close, 10, 30), swift)

    plainest(), mine()
    seconds: dict[Callable[[], Any], list[float]] = {plainest: [], mine: []}
    for _ in range(TURNS):
        for turn, taken in seconds.items():
            began = time.perf_counter()
            turn()
            taken.append(time.perf_counter() - began)
    began = time.perf_counter()
    slow = run_laid(laid, word_of(close, 10, 30), walker=plain)
    python = time.perf_counter() - began
    print(f"ours: {len(slow.trades)} trades, final equity {slow.equity[-1] / 10**8:.2f}")
    print(f"plain kernel: final equity {plainest()[0]:.2f} (half a spread in parts of the price)")
    return statistics.median(seconds[mine]), statistics.median(seconds[plainest]), python


def _sweep(data: Mapping[str, Any], where: Path) -> float:
    """Return the seconds of 1,000 combinations on 5,000 bars in two threads."""
    short = {name: numpy.ascontiguousarray(column[:5_000]) for name, column in data.items()}
    swift, laid = walker(where / "kernels"), laid_on(short)
    pairs = [(fast, slow) for fast in range(5, 25) for slow in range(26, 76)]

    def one(pair: tuple[int, int]) -> int:
        return int(walked(laid, word_of(short["close"], *pair), swift).equity[-1])

    seconds = []
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(3):
            began = time.perf_counter()
            list(pool.map(one, pairs, chunksize=50))
            seconds.append(time.perf_counter() - began)
    return min(seconds)


def _fresh(file: Path, where: Path) -> float:
    """Return the seconds of a fresh process of ours, its kernel read from the disk."""
    command = [sys.executable, str(HERE / "peers/rule_ours.py"), str(file), str(where / "kernels")]
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=RUN_S, check=True, env=environment
    )
    return float(json.loads(done.stdout)["end_to_end"])


def _peer(name: str, peers: Path, file: Path, mode: str, turns: int) -> Said | str:
    """Run a peer in its own environment; return why it could not, in words."""
    python = peers / name / ("Scripts" if os.name == "nt" else "bin") / "python"
    try:
        if not python.exists():
            venv.create(peers / name, with_pip=True)
            _run([str(python), "-m", "pip", "install", "--quiet", *PEERS[name]], INSTALL_S)
        script = HERE / "peers" / f"rule_{name}.py"
        done = _run([str(python), str(script), str(file), mode, str(turns)], RUN_S)
    except subprocess.TimeoutExpired as error:
        return f"not measured: {error.timeout} s were not enough"
    except subprocess.CalledProcessError as error:
        return f"not measured: {(error.stderr or '').strip().splitlines()[-1:] or error}"
    said = json.loads(done.splitlines()[-1])
    warm = said["seconds"][1:] or said["seconds"]
    return Said(statistics.median(warm), said["end_to_end"], said.get("final", 0.0))


def _run(command: list[str], limit_s: int) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s, check=True)
    return done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", type=int, default=1_000_000)
    parser.add_argument("--peers", type=Path, help="environments of the peers, made where missing")
    chosen = parser.parse_args()
    print(table(measure(chosen.bars, chosen.peers)))


if __name__ == "__main__":
    main()
