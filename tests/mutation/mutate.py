"""Mutation testing: every mutant of the deciding modules, tried on the tests that meet its lines.

    python tests/mutation/mutate.py [--only order/policy/rules] [--changed main] [--workers 2]

Each mutant lives in a child of a process that has the libraries loaded and nothing of ordergate;
the child serves the one changed module to its imports and runs pytest until the first failure. A
mutant that outlives every test is told, unless survivors.toml gives the reason why it may.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import resource
import signal
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SRC = ROOT / "src"
OUT = ROOT / "out" / "mutation"
sys.path.insert(0, str(HERE.parent))

from mutation.mutants import Mutant, mutants_of  # noqa: E402

TARGETS = (
    *("order/policy", "order/approval", "order/journal/lifecycle.py"),
    *("identity/authority.py", "audit/chain.py"),
)
# What decides in one process: mutants cannot follow a gateway into a process of its own.
TESTS = (
    *("tests/unit", "tests/property", "tests/golden", "tests/contract/test_store.py"),
    *("tests/integration/order", "tests/integration/test_factors.py"),
    *("tests/integration/test_sealed_files.py", "tests/abuse/test_a02_no_approving_oneself.py"),
    *("tests/abuse/test_a05_one_yes_in_time.py", "tests/abuse/test_a35_price_left_the_band.py"),
    "tests/abuse/test_a11_values_are_the_trades_own.py",
    "tests/abuse/test_a12_the_day_is_the_venues_own.py",
    "tests/abuse/test_a15_nothing_is_turned_round.py",
    "tests/abuse/test_a33_no_stop_is_stripped.py",
)
PYTEST = (
    *("-q", "-p", "no:cacheprovider", "-p", "no:schemathesis", "-p", "no:xdist", "--no-header"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # loaded before: that is the point
)
BUDGET_S = 30.0  # of tests for one mutant, by their own measured time
PATIENCE = 4.0  # times the measured time, and ten seconds
MEMORY = 6 * 2**30
LEAST = 95.0
STRICT = ("ordering",)  # of the limit comparisons and the tables of transitions, none may live
SURVIVED, KILLED = "survived", "killed"


class Served(importlib.abc.MetaPathFinder, importlib.machinery.SourceFileLoader):
    """Imports one module from a tree that is not the file's."""

    def __init__(self, mutant: Mutant) -> None:
        super().__init__(mutant.module, str(file_of(mutant.module)))
        self.tree = mutant.tree()

    def find_spec(self, fullname: str, *_: Any) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.tree, self.path, "exec", dont_inherit=True)


def file_of(module: str) -> Path:
    return SRC / (module.replace(".", "/") + ".py")


def modules(chosen: Sequence[str], changed: str | None) -> list[str]:
    """Return the modules to mutate, by name."""
    found = []
    for target in chosen:
        place = SRC / "ordergate" / target
        files = [place] if place.suffix else sorted(place.rglob("*.py"))
        found += [file for file in files if file.read_text("utf-8").strip()]
    if changed is not None:
        words = ["git", "diff", "--name-only", "--diff-filter=d", changed, "--", "src"]
        told = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        found = [file for file in found if str(file.relative_to(ROOT)) in told.split()]
    return [".".join(file.relative_to(SRC).with_suffix("").parts) for file in found]


# who meets which line


class Trace:
    """A pytest plugin: which lines of the chosen modules each test meets, and how long it takes."""

    def __init__(self, chosen: Sequence[str]) -> None:
        self.files = {str(file_of(module)): module for module in chosen}
        self.lines: dict[str, dict[str, set[int]]] = {}
        self.took: dict[str, float] = {}
        self.failed: list[str] = []
        self.now = ""
        self._here: dict[str, set[int]] = {}

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.now, self._here = nodeid, {}
        self.began = time.monotonic()

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.took[nodeid] = time.monotonic() - self.began
        self.lines[nodeid] = {name: found for name, found in self._here.items() if found}

    def __call__(self, frame: Any, event: str, _: Any) -> Any:
        module = self.files.get(frame.f_code.co_filename)
        if module is None:
            return None
        seen = self._here.setdefault(module, set())
        seen.add(frame.f_lineno)

        def line(inner: Any, event: str, _: Any) -> Any:
            if event == "line":
                self._here.setdefault(module, set()).add(inner.f_lineno)
            return line

        return line


def trace(chosen: Sequence[str]) -> dict[str, Any]:
    """Run every test once in a child, watched; return {test: {took, lines}}."""
    OUT.mkdir(parents=True, exist_ok=True)
    note = OUT / "met.json"
    child = os.fork()
    if child == 0:
        import threading

        import pytest

        watcher = Trace(chosen)
        threading.settrace(watcher)
        sys.settrace(watcher)
        words = [*PYTEST, "-m", "not slow", "--timeout", "600", *TESTS]
        pytest.main(words, plugins=[watcher])
        sys.settrace(None)
        told = {
            test: {
                "took": watcher.took[test],
                "lines": {name: sorted(found) for name, found in met.items()},
            }
            for test, met in watcher.lines.items()
            if test not in watcher.failed
        }
        note.write_text(json.dumps(told))
        os._exit(0 if told else 1)
    if os.waitpid(child, 0)[1] != 0:
        raise SystemExit("no test ran: see above")
    met: dict[str, Any] = json.loads(note.read_text())
    return met


class Choice:
    """Which tests a mutant meets, the quickest and the nearest first, within a budget of time."""

    def __init__(self, met: dict[str, Any]) -> None:
        self._took = {test: float(row["took"]) for test, row in met.items()}
        self._by_line: dict[tuple[str, int], list[str]] = {}
        self._by_module: dict[str, list[str]] = {}
        for test, row in met.items():
            for module, lines in row["lines"].items():
                self._by_module.setdefault(module, []).append(test)
                for line in lines:
                    self._by_line.setdefault((module, line), []).append(test)

    def of(self, mutant: Mutant) -> tuple[list[str], float]:
        """Return the tests, and the seconds they took when nothing was wrong."""
        lines = range(mutant.line, mutant.last + 1)
        found = {test for n in lines for test in self._by_line.get((mutant.module, n), ())}
        if not mutant.place or not found:  # read at import: whoever uses the module
            found |= set(self._by_module.get(mutant.module, ()))
        own = f"test_{mutant.module.rpartition('.')[2]}.py"
        near = str(Path("tests/unit", *mutant.module.split(".")[1:-1]))
        if not mutant.place:
            found |= {test for test in self._took if test.startswith(near) or "test_docs" in test}

        def distance(test: str) -> tuple[bool, bool, float]:
            return own not in test, not test.startswith(near), self._took[test]

        chosen, total = [], 0.0
        for test in sorted(found, key=distance):
            if total > BUDGET_S:
                break
            chosen.append(test)
            total += self._took[test]
        return chosen, total


# one mutant


def warm_up() -> None:
    """Load what every child needs and no mutant touches."""
    for name in (
        *("pytest", "hypothesis", "pydantic", "sqlalchemy", "httpx", "starlette", "fastapi"),
        *("structlog", "cryptography.hazmat.primitives.asymmetric.ed25519", "webauthn", "mcp"),
    ):
        __import__(name)
    assert not any(name.split(".")[0] == "ordergate" for name in sys.modules)


def tried(mutant: Mutant, tests: Sequence[str], patience_s: float) -> str:
    """Run the tests on a mutant in a child of our own; return what became of it."""
    child = os.fork()
    if child == 0:
        _live(mutant, tests)
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        gone, status = os.waitpid(child, os.WNOHANG)
        if gone:
            return SURVIVED if os.waitstatus_to_exitcode(status) == 0 else KILLED
        time.sleep(0.01)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return KILLED  # it never ended: seen


def _live(mutant: Mutant, tests: Sequence[str]) -> None:
    os.setpgid(0, 0)
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        sys.meta_path.insert(0, Served(mutant))
        import pytest

        code = int(pytest.main([*PYTEST, "-x", "--tb=no", "--hypothesis-seed=0", *tests]))
    finally:
        os._exit(code)


# all of them


@dataclass(frozen=True)
class Take:
    """Which mutants: each `every`-th, of one kind or of all."""

    every: int = 1
    kind: str = ""


@dataclass
class Told:
    mutant: Mutant
    verdict: str
    tests: int


def explained() -> dict[str, str]:
    """Return the reasons of the mutants that may live, by their names."""
    rows = tomllib.loads((HERE / "survivors.toml").read_text("utf-8")).get("survivor", [])
    return {f"{row['where']}: {row['change']}": row["reason"] for row in rows}


def run(chosen: Sequence[str], met: dict[str, Any], workers: int, take: Take) -> Iterator[Told]:
    choice = Choice(met)
    with ThreadPoolExecutor(workers) as pool:
        for module in chosen:
            every = mutants_of(module, file_of(module).read_text("utf-8"))
            mutants = [one for one in every if take.kind in ("", one.kind)][:: take.every]
            if not mutants:
                continue
            _sound(choice, every[0], whole=module == chosen[0])
            waiting = []
            for mutant in mutants:
                tests, took = choice.of(mutant)
                waiting.append(pool.submit(_told, mutant, tests, took * PATIENCE + 20))
            for done in as_completed(waiting):
                yield done.result()


def _sound(choice: Choice, one: Mutant, *, whole: bool) -> None:
    """See that the module as it is outlives its tests: else every mutant would seem killed.

    All of them for one module, which shows that tests pass in a child; then the nearest.
    """
    as_it_is = dataclasses.replace(one, place="", other=one.node)
    tests, took = choice.of(as_it_is)
    tests = tests if whole else _nearest(tests)
    if tried(as_it_is, tests, took * PATIENCE + 60) != SURVIVED:
        raise SystemExit(f"{one.module} fails its own tests here: nothing would be proven")


def _told(mutant: Mutant, tests: Sequence[str], patience_s: float) -> Told:
    near = _nearest(tests)
    for chosen in (near, tests):  # the nearest file kills most, and is soon collected
        if chosen and tried(mutant, chosen, patience_s) == KILLED:
            return Told(mutant, KILLED, len(tests))
        if len(near) == len(tests):
            break
    return Told(mutant, SURVIVED, len(tests))


def _nearest(tests: Sequence[str]) -> list[str]:
    return [test for test in tests if _file(test) == _file(tests[0])]


def _file(test: str) -> str:
    return test.partition("::")[0]


def report(rows: Sequence[Told], reasons: dict[str, str]) -> int:
    """Print what lived and the rate a package; return 1 where more lived than may."""
    lived = [row for row in rows if row.verdict == SURVIVED]
    unexplained = [row for row in lived if row.mutant.name not in reasons]
    for row in unexplained:
        one = row.mutant
        print(
            f"LIVES {file_of(one.module).relative_to(ROOT)}:{one.line} [{one.kind}]"
            f" {row.tests} tests\n      {one.name}"
        )
    every, dead = Counter(), Counter()
    for row in rows:
        for group in (row.mutant.module, f"[{row.mutant.kind}]"):
            every[group] += 1
            dead[group] += row.verdict == KILLED
    for group in sorted(every):
        print(
            f"  {group:<58} {dead[group]:>5} of {every[group]:>5} killed"
            f" {100 * dead[group] / every[group]:>6.1f} %"
        )
    killed = len(rows) - len(lived)
    rate = 100 * killed / max(1, len(rows))
    strict = [row for row in unexplained if _strict(row.mutant)]
    print(
        f"{len(rows)} mutants, {killed} killed ({rate:.1f} %), {len(lived)} live:"
        f" {len(lived) - len(unexplained)} with a reason, {len(unexplained)} without;"
        f" {len(strict)} of limit comparisons and transitions"
    )
    return 1 if strict or rate < LEAST else 0


def _strict(mutant: Mutant) -> bool:
    in_table = mutant.module.endswith(".lifecycle") and mutant.kind == "member"
    return in_table or mutant.kind in STRICT


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", action="append", help="a folder or file below src/ordergate")
    parser.add_argument("--changed", help="only modules that differ from this commit")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--every", type=int, default=1, help="try each n-th mutant")
    parser.add_argument("--kind", default="", help="one kind of mutant alone, such as ordering")
    parser.add_argument(
        "--keep-map", action="store_true", help="use the last map of tests and lines"
    )
    given = parser.parse_args()
    os.chdir(ROOT)
    chosen = modules(given.only or TARGETS, given.changed)
    if not chosen:
        print("no module of these has changed")
        return 0
    began = time.monotonic()
    warm_up()
    kept = given.keep_map and (OUT / "met.json").exists()
    met = json.loads((OUT / "met.json").read_text()) if kept else trace(modules(TARGETS, None))
    print(f"{len(chosen)} modules, {len(met)} tests, {time.monotonic() - began:.0f} s", flush=True)
    rows = []
    for row in run(chosen, met, given.workers, Take(given.every, given.kind)):
        rows.append(row)
        if row.verdict == SURVIVED:  # at once: a long run may be cut off
            print(f"lives: line {row.mutant.line}: {row.mutant.name}", flush=True)
        if len(rows) % 50 == 0:
            lives = sum(one.verdict == SURVIVED for one in rows)
            print(f"{len(rows)} tried, {lives} live, {time.monotonic() - began:.0f} s", flush=True)
    rows.sort(key=lambda row: (row.mutant.module, row.mutant.line))
    code = report(rows, explained())
    print(f"{time.monotonic() - began:.0f} s")
    return code


if __name__ == "__main__":
    sys.exit(main())
