"""Check the models with Spin: ours holds, every broken variant fails, and a zero is not empty.

    python3 formal/run.py [--deep] [--model NAME] [--jobs N]

Exits with 1 when a run does not end as it must, with 2 when nothing could be proven.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runs import DEEP, EVERY_CHANGE, Run

HERE: Final = Path(__file__).resolve().parent
NEEDS: Final = ("spin", "gcc")
STEP_S: Final = 600.0  # of one search; the largest of every change takes a few seconds
DEEP_STEP_S: Final = 3_600.0
DEPTH: Final = 100_000
MEMORY_MB: Final = 3_000
HASH_BITS: Final = 30  # of a bitstate search: 128 MB

_STATES: Final = re.compile(r"^\s*([\d.e+]+) states, stored", re.MULTILINE)
_ERRORS: Final = re.compile(r"errors: (\d+)")
_VIOLATED: Final = re.compile(r"assertion violated\s+(.*?) \(at depth")
_UNFINISHED: Final = ("max search depth too small", "out of memory", "Search not completed")

# What a violated assertion means, by a part of its text as the compiled model prints it.
_MEANS: Final = {
    "order": (
        ("execs<=1", "executed twice"),
        ("!(replaced)", "executed beside its replacement"),
        ("claimed_killed", "opening claimed after the kill"),
        ("(st!=8)", "exit trapped"),
        ("found", "executed and lost"),
        ("st!=1", "stuck"),
    ),
    "agent": (
        ("execs<=1", "executed twice"),
        ("started_killed", "opening started after the kill"),
        ("job!=6", "exit trapped"),
        ("execs>0", "executed and lost"),
    ),
    "limits": (("st[me]==1)||", "more claimed than the limit"), ("there", "more at the venue")),
    "exits": (
        ("closes<=", "closes ask for more than was held"),
        ("excused", "position turned round"),
        ("late_cancel", "stop taken away without a plan"),
        ("==held", "unprotected, or a stop left behind"),
    ),
}


class Broke(Exception):
    """The tool itself failed: nothing was proven either way."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a run ended: its outcome in words, whether it had to be so, its size and time."""

    run: Run
    outcome: str
    as_expected: bool
    states: str
    seconds: float


def source(run: Run) -> str:
    """Return the text that Spin is given: the run's definitions, then the model."""
    lines = []
    for define in run.defines.split():
        name, _, value = define.partition("=")
        lines.append(f"#define {name} {value or 1}")
    if run.expected == "is reached":
        lines += [f"#define FIRST ({run.first})", f"#define REACH ({run.then})"]
    lines.append(f'#include "{HERE / run.model}.pml"')
    return "\n".join(lines) + "\n"


def judged(run: Run, output: str, seconds: float) -> Verdict:
    """Return the verdict of a search by what it printed; raise Broke where it is none."""
    stored, errors = _STATES.findall(output), _ERRORS.findall(output)
    if not stored or not errors:
        raise Broke(f"{run.model}, {run.name}: no result\n{output[-2000:]}")
    violated = _VIOLATED.findall(output)
    if int(errors[-1]) and not violated:
        raise Broke(f"{run.model}, {run.name}: an error that is no assertion\n{output[-2000:]}")
    if not violated and any(sign in output for sign in _UNFINISHED):
        raise Broke(f"{run.model}, {run.name}: the search did not end\n{output[-2000:]}")
    if not violated:
        outcome, ended = "no error", "holds"
    elif violated[0].strip() == "0":
        outcome, ended = "reached", "is reached"
    else:
        outcome, ended = meaning(run.model, violated[0]), "fails"
    count = f"{int(float(stored[-1])):,}"
    return Verdict(run, outcome, ended == run.expected, count, seconds)


def meaning(model: str, violated: str) -> str:
    """Return in words what it means that this assertion was violated."""
    for part, words in _MEANS[model]:
        if part in violated:
            return words
    return f"violated: {violated}"


def search(run: Run) -> Verdict:
    """Build and search one run in a folder of its own."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="formal-") as folder:
        place = Path(folder)
        (place / "run.pml").write_text(source(run), encoding="utf-8")
        _tool(["spin", "-a", "run.pml"], place)
        compiler = ["gcc", "-O2", "-DBITSTATE"] if run.bits else [_quick()]
        options = ["-w", "-DSAFETY", f"-DMEMLIM={MEMORY_MB}"]
        _tool([*compiler, *options, "-o", "pan", "pan.c"], place)
        # What must fail fails soon: no large table is cleared for it.
        table = [f"-w{HASH_BITS}", "-k3"] if run.bits else []
        table = table if run.expected == "holds" else ["-w18"]
        within_s = DEEP_STEP_S if run.bits else STEP_S
        output = _tool([str(place / "pan"), f"-m{DEPTH}", *table], place, within_s=within_s)
    return judged(run, output, time.monotonic() - began)


def _quick() -> str:
    """Return the compiler that is done first: for most runs gcc takes longer than the search."""
    return "tcc" if shutil.which("tcc") else "gcc"


def _tool(command: Sequence[str], place: Path, *, within_s: float = STEP_S) -> str:
    try:
        done = subprocess.run(
            command, cwd=place, capture_output=True, text=True, timeout=within_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise Broke(f"{' '.join(command)}: not done after {within_s:g} s") from None
    said = done.stdout + done.stderr
    if "Error:" in said or "error:" in said or (done.returncode and "errors:" not in said):
        raise Broke(f"{' '.join(command)}:\n{said[-2000:]}")
    return said


def reported(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Print each verdict as a row of a table as it comes in; return them all."""
    done = []
    print("| Model | Run | Must | Result | States | s |")
    print("|---|---|---|---|---:|---:|")
    for one in verdicts:
        done.append(one)
        result = one.outcome if one.as_expected else f"WRONG: {one.outcome}"
        print(
            f"| {one.run.model} | {one.run.name} | {one.run.expected} | {result} |"
            f" {one.states} | {one.seconds:.1f} |",
            flush=True,
        )
    return done


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--deep", action="store_true", help="larger searches, minutes of them")
    parser.add_argument("--model", help="one model alone")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args(argv)
    missing = [tool for tool in NEEDS if shutil.which(tool) is None]
    if missing:
        print(f"missing: {', '.join(missing)} (Debian: apt-get install spin gcc)", file=sys.stderr)
        return 2
    runs = [
        one for one in (DEEP if asked.deep else EVERY_CHANGE) if asked.model in (None, one.model)
    ]
    began = time.monotonic()
    with ThreadPoolExecutor(1 if asked.deep else max(1, asked.jobs)) as pool:
        try:
            done = reported(pool.map(search, runs))
        except Broke as error:
            pool.shutdown(cancel_futures=True)
            print(f"\n{error}", file=sys.stderr)
            return 2
    wrong = [one for one in done if not one.as_expected]
    spent = os.times()
    cpu = spent.children_user + spent.children_system
    took = f"{time.monotonic() - began:.0f} s, {cpu:.0f} s of processor time"
    print(f"\n{len(done)} runs, {len(wrong)} wrong, {took}")
    for one in wrong:
        print(f"{one.run.model}.pml, {one.run.defines or 'nothing defined'}: {one.outcome}")
    return 1 if wrong or not done else 0


if __name__ == "__main__":
    raise SystemExit(main())
