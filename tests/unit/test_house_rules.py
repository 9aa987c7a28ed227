"""The laws of style.md that imports cannot show, checked on the syntax tree of every module."""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "ordergate"
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
ARGUMENTS_MAX = 6
BROAD_EXCEPTS_MAX = 8

# These lists may only shrink: what is on them and no longer offends must be taken off.
LONG_MODULES: frozenset[str] = frozenset()
LONG_FUNCTIONS = frozenset(
    {
        "adapters/storage/migrations/versions/r0001_initial.py:_books",
        "adapters/storage/migrations/versions/r0001_initial.py:_orders",
        "surfaces/mcp/server.py:mcp_server",
    }
)
MANY_ARGUMENTS = frozenset(
    {
        "identity/sign_in.py:__init__",
        "order/journal/record.py:book",
        "order/policy/judge.py:judge",
        "order/policy/rules/control.py:measured",
    }
)
UNTESTED_NOUNS: frozenset[str] = frozenset()
FLOATS = frozenset(  # no money in any of them
    {
        "order/dispatch/send.py: send_by: float = 0.0",
        "order/policy/limits.py: near = difflib.get_close_matches(name, BY_NAME, n=1, cutoff=0.5)",
        "order/reconcile/settle.py: pause = min(pause, max(due - waited, 0.05))",
    }
)

VERBS = frozenset(
    {
        *("accept", "judge", "approve", "record", "send", "settle", "protect", "seal"),
        *("subscribe", "ingest", "scan", "watch", "fetch", "sign_in", "push"),
        *("recognise", "prove", "read"),
    }
)
STAGES = (
    *("order/intent", "order/policy", "order/approval", "order/journal", "order/dispatch"),
    *("order/reconcile", "order/exits", "audit", "identity", "alerts"),
    *("identity/bearers", "identity/factors"),
    *("market/feed", "market/bars", "market/bars/library", "market/hours", "market/alerts"),
    "market/alerts/closed",
    *("market/features", "market/signals", "market/scan", "market/news"),
)
CLOCK_AND_CHANCE = re.compile(
    r"datetime\.(datetime\.)?(now|utcnow|today)|datetime\.date\.today"
    r"|time\.(time|monotonic|perf_counter|process_time)(_ns)?"
    r"|uuid\..*|random\..*|secrets\..*|os\.urandom"
)
FORBIDDEN = re.compile(
    r"importlib\.import_module|__import__|os\.fork|os\.forkpty|multiprocessing\..*|signal\.SIGKILL"
    r"|fcntl\..*|eval|exec|.*\.add_signal_handler|.*\.set_start_method"
)
BANNED_NAMES = frozenset(
    {
        *("utils", "util", "helpers", "helper", "manager", "managers", "handler", "handlers"),
        *("data", "info", "process"),
    }
)
LEFTOVERS = re.compile(r"TODO|FIXME|XXX|\bStep \d|#\s*[=\-]{4,}|NotImplementedError|/work/", re.I)


@cache
def modules() -> tuple[Path, ...]:
    return tuple(sorted(PACKAGE.rglob("*.py")))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@cache
def nouns() -> frozenset[str]:
    """Return every module that .importlinter lists as a noun, packages opened."""
    laws = configparser.ConfigParser()
    laws.read(ROOT / ".importlinter")
    listed = laws["importlinter:contract:nouns"]["source_modules"].split()
    found: set[str] = set()
    for entry in listed:
        pattern = entry.removeprefix("ordergate.").replace(".", "/")
        for place in (*PACKAGE.glob(f"{pattern}.py"), *PACKAGE.glob(f"{pattern}/**/*.py")):
            if place.name != "__init__.py":
                found.add(name_of(place))
    return frozenset(found)


def called(path: Path) -> Iterator[tuple[int, str]]:
    """Yield what is named in a module, dotted, with imports resolved to where they come from."""
    origin: dict[str, str] = {}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                origin[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            for alias in node.names:
                origin[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                yield node.lineno, f"{node.module}.{alias.name}"
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute | ast.Name):
            dotted = _dotted(node)
            head, _, rest = dotted.partition(".")
            yield node.lineno, ".".join(filter(None, (origin.get(head, head), rest)))


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def functions(path: Path) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{name_of(path)}:{node.name}", node


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_at_most_one_verb_and_its_nouns_are_listed_as_pure(stage: str) -> None:
    here = {path.stem for path in (PACKAGE / stage).glob("*.py")} - {"__init__"}
    here |= {path.parent.name for path in (PACKAGE / stage).glob("*/__init__.py")}
    here -= {name for name in here if f"{stage}/{name}" in STAGES}
    verbs = here & VERBS
    unlisted = {
        noun
        for noun in here - verbs
        if not any(
            f"{name}/".startswith((f"{stage}/{noun}/", f"{stage}/{noun}.py")) for name in nouns()
        )
    }
    assert len(verbs) <= 1
    assert unlisted == set(), "list them in the contract `nouns` of .importlinter"


def test_clock_and_chance_are_read_in_one_place() -> None:
    offences = [
        f"{name_of(path)}:{line} {what}"
        for path in modules()
        if name_of(path) != "adapters/system.py"
        for line, what in called(path)
        if CLOCK_AND_CHANCE.fullmatch(what)
    ]
    assert offences == []


def test_what_windows_or_the_contracts_cannot_bear_is_never_used() -> None:
    offences = [
        f"{name_of(path)}:{line} {what}"
        for path in modules()
        for line, what in called(path)
        if FORBIDDEN.fullmatch(what)
    ]
    assert offences == []


def test_money_never_meets_a_float() -> None:
    """A float may count seconds, which a name on its line must say, and nothing else."""
    floats = set()
    for path in modules():
        if name_of(path).split("/")[0] not in ("model", "order", "sim"):
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in ast.walk(tree(path)):
            literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
            made = isinstance(node, ast.Call) and _dotted(node.func) == "float"
            if literal or made:
                line = lines[node.lineno - 1].strip()
                if not re.search(r"_s\b", line, re.IGNORECASE):
                    floats.add(f"{name_of(path)}: {line}")
    assert floats == FLOATS


def test_modules_are_short() -> None:
    long = {
        name_of(path)
        for path in modules()
        if len(path.read_text(encoding="utf-8").splitlines()) > MODULE_LINES_MAX
    }
    assert long == LONG_MODULES


def test_functions_are_short() -> None:
    long = {
        name
        for path in modules()
        for name, node in functions(path)
        if node.end_lineno is not None and node.end_lineno - node.lineno + 1 > FUNCTION_LINES_MAX
    }
    assert long == LONG_FUNCTIONS


def test_functions_take_few_arguments() -> None:
    """Commands are left out: each of their arguments is an option that a person types."""
    many = {
        name
        for path in modules()
        if not name_of(path).startswith("surfaces/cli/")
        for name, node in functions(path)
        if len([*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]) - _bound(node)
        > ARGUMENTS_MAX
    }
    assert many == MANY_ARGUMENTS


def _bound(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return int(bool(node.args.args) and node.args.args[0].arg in ("self", "cls"))


def test_broad_excepts_are_few_and_give_their_reason() -> None:
    broad, silent = [], []
    for path in modules():
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ExceptHandler) and _is_broad(node) and not _goes_on(node):
                broad.append(f"{name_of(path)}:{node.lineno}")
                if not re.search(r"#.*\w+ \w+ \w+", lines[node.lineno - 1]):
                    silent.append(broad[-1])
    assert silent == []
    assert len(broad) <= BROAD_EXCEPTS_MAX, broad


def _is_broad(node: ast.ExceptHandler) -> bool:
    if node.type is None:
        return True
    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(_dotted(kind) in ("Exception", "BaseException") for kind in kinds)


def _goes_on(node: ast.ExceptHandler) -> bool:
    """Cleaning up and raising the same again hides nothing."""
    last = node.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_every_noun_has_its_test_file() -> None:
    untested = {noun for noun in nouns() if _says_something(PACKAGE / noun) and not _has_test(noun)}
    assert untested == UNTESTED_NOUNS


def _says_something(path: Path) -> bool:
    """A module of bare declarations has nothing that could be tested."""
    return any(True for _ in functions(path))


def _has_test(noun: str) -> bool:
    place = Path(noun)
    return (ROOT / "tests" / "unit" / place.parent / f"test_{place.name}").exists()


def test_packages_export_nothing() -> None:
    speaking = {
        name_of(path)
        for path in modules()
        if path.name == "__init__.py" and path.parent != PACKAGE and path.read_text().strip()
    }
    assert speaking == set()


def test_names_are_the_trades_words() -> None:
    banned = {name_of(path) for path in modules() if path.stem in BANNED_NAMES}
    assert banned == set()


def test_nothing_unfinished_is_left_lying_about() -> None:
    left = [
        f"{name_of(path)}:{number}"
        for path in modules()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if LEFTOVERS.search(line)
    ]
    assert left == []


def test_every_module_says_what_it_is_for() -> None:
    silent = {
        name_of(path)
        for path in modules()
        if path.name != "__init__.py" and not ast.get_docstring(tree(path))
    }
    assert silent == set()


def test_tests_mock_nothing_and_are_no_package() -> None:
    offences = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").rglob("*.py")
        if path.name == "__init__.py"
        or re.search(r"^(from|import) unittest|\bMagicMock\(", path.read_text(), re.M)
    ]
    assert offences == []
