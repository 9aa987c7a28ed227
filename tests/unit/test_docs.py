"""The documentation says what the code does: generated pages, commands, links, names, tests."""

from __future__ import annotations

import re
import runpy
import shlex
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main

from ordergate.identity.authority import Act
from ordergate.model.errors import Code
from ordergate.research.validation.verdict import Sign
from ordergate.settings.compat import COMPAT
from ordergate.settings.keys import COMPAT_NAMES, FLOOR_NAME, PREFIX
from ordergate.settings.switches import HUMAN_ONLY
from ordergate.settings.template import template
from ordergate.surfaces.cli.app import build
from support.cli_gateway import starts_for

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = tuple(sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")]))
REFERENCE = runpy.run_path(str(DOCS / "generate.py"))
GENERATED: Mapping[str, str] = REFERENCE["pages"]()

LINK = re.compile(r"\[[^\]\[]*\]\(([^)\s]+)\)")
SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)
FENCED = re.compile(r"```.*?```", re.DOTALL)
SPOKEN = re.compile(r"`((?:ordergate|make) [^`]+)`")
TEST = re.compile(r"`(tests/[\w/.]+\.py)(?:::(test_\w+))?`")
SHOUTED = re.compile(r"`([A-Z]+(?:_[A-Z]+)+)`")
KEY = re.compile(r"`((?:limits|approval|server|feed|paper|mcp|log)\.[a-z_.]+)`")
SOURCE = re.compile(
    r"`((?:src/|order/|surfaces/|ports/|identity/|adapters/|bootstrap/)[\w/]+\.py)`"
)
CONTRACT = re.compile(r"contracts? `([a-z-]+)`")
PRIVATE = re.compile(r"/work/|/root/|/home/|/tmp/")
PROJECT = ("ordergate", "make")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def each(pattern: re.Pattern[str]) -> list[tuple[str, Any]]:
    """Return every match in every page with the page's name; groups where there are several."""
    return [(name_of(page), found) for page in PAGES for found in pattern.findall(read(page))]


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def typed(page: Path) -> Iterator[list[str]]:
    """Yield the words of every command of ours that a page tells its reader to type."""
    lines = [line for block in SHELL.findall(read(page)) for line in block.splitlines()]
    for line in [*lines, *SPOKEN.findall(FENCED.sub("", read(page)))]:
        words = shlex.split(line, comments=True)
        while words and "=" in words[0]:
            words = words[1:]
        if words and Path(words[0]).name in PROJECT:
            yield words


@cache
def program() -> Any:
    return typer.main.get_command(build(starts_for(Path("nowhere"))))


def fault(words: list[str]) -> str | None:
    """Return what is wrong with a typed command; None when the program knows it."""
    if words[0] == "make":
        known = re.findall(r"^([a-z]+):", read(ROOT / "Makefile"), re.MULTILINE)
        return None if words[1] in known else f"no target {words[1]}"
    here = program()
    for place, word in enumerate(words[1:], start=1):
        if not hasattr(here, "commands"):
            return _unknown_option(here, words[place:])
        if word.startswith("-"):
            return _unknown_option(here, words[place:])
        if word not in here.commands:
            return f"no command {word}"
        here = here.commands[word]
    return "a group of commands alone" if hasattr(here, "commands") and words[2:] else None


def _unknown_option(command: Any, words: list[str]) -> str | None:
    known = {name for one in command.params for name in [*one.opts, *one.secondary_opts]}
    unknown = [word for word in words if word.startswith("--") and word not in known | {"--help"}]
    return f"no option {unknown[0]}" if unknown else None


@pytest.mark.parametrize("page", sorted(GENERATED))
def test_a_page_from_the_code_is_current(page: str) -> None:
    assert read(DOCS / "reference" / page) == GENERATED[page], "run python docs/generate.py"


def test_every_code_is_explained() -> None:
    assert set(REFERENCE["READ_AS"]) == set(Code)


def test_every_command_that_a_page_names_is_one() -> None:
    assert {"ordergate", "make"} == {words[0] for words in typed(ROOT / "README.md")}
    faults = [
        f"{name_of(page)}: {shlex.join(words)}: {wrong}"
        for page in PAGES
        for words in typed(page)
        if (wrong := fault(words))
    ]
    assert faults == []


def test_a_command_that_is_none_would_be_seen() -> None:
    assert fault(["ordergate", "order", "place", "EURUSD", "--sl", "1"]) is None
    assert fault(["ordergate", "approve"]) == "no command approve"
    assert fault(["ordergate", "order", "buy"]) == "no command buy"
    assert fault(["ordergate", "order", "place", "--stoploss", "1"]) == "no option --stoploss"
    assert fault(["make", "coffee"]) == "no target coffee"


def test_every_relative_link_leads_somewhere() -> None:
    lost = [
        f"{page}: {target}"
        for page, target in each(LINK)
        if "://" not in target
        and not (ROOT / page).parent.joinpath(target.partition("#")[0]).exists()
    ]
    assert lost == []


def test_every_test_that_a_page_names_exists() -> None:
    lost = [
        f"{page}: {path}::{test}"
        for page, (path, test) in each(TEST)
        if not (ROOT / path).exists() or (test and f"def {test}(" not in read(ROOT / path))
    ]
    assert lost == []


def test_every_shouted_name_is_a_code_or_a_variable() -> None:
    variables = {
        *COMPAT_NAMES,
        *COMPAT,
        *HUMAN_ONLY,
        "ORDERGATE_UPDATE_GOLDEN",
        "ORDERGATE_TOKEN",
    } | {FLOOR_NAME}
    variables |= {FLOOR_NAME, *(f"{PREFIX}{name}_DIR" for name in ("CONFIG", "DATA"))}
    variables |= {"ORDERGATE_AUDIT_ROWS", "ORDERGATE_TEST_PATIENCE"}  # of the suites
    placeholders = {"ORDER_ID", "APPROVAL_ID", "ATTEMPT_ID", "TOKEN_ID"}
    known = {code.value for code in (*Code, *Sign)} | variables | placeholders
    assert [f"{page}: {name}" for page, name in each(SHOUTED) if name not in known] == []


def test_every_key_and_file_and_contract_that_a_page_names_exists() -> None:
    section, keys = "", set()
    for line in template().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif found := re.match(r"# (\w+) = ", line):
            keys.add(f"{section}.{found[1]}")
    laws = read(ROOT / ".importlinter")
    lost = [f"{page}: {key}" for page, key in each(KEY) if key not in keys]
    for page, path in each(SOURCE):
        inside = path.removeprefix("src/ordergate/")
        if not (ROOT / "src" / "ordergate" / inside).exists():
            lost.append(f"{page}: {path}")
    lost += [f"{page}: {law}" for page, law in each(CONTRACT) if f"contract:{law}]" not in laws]
    assert lost == []


def test_every_right_in_the_tool_reference_is_one() -> None:
    rights = re.findall(r"\| `([a-z_]+)` \| `(?:GET|POST)", GENERATED["tools.md"])
    assert rights
    assert set(rights) <= {act.value for act in Act}


def test_no_page_knows_a_machine() -> None:
    assert [f"{page}: {found}" for page, found in each(PRIVATE)] == []
