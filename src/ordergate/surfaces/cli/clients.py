"""How each AI client is told of us: its own file, its own words; what stands there stays there."""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ordergate.surfaces.cli.private_file import replace_text

SERVER: Final = "ordergate"
FILE_BYTES_MAX: Final = 16 * 2**20

Tables = dict[str, Any]


class Unmergeable(Exception):
    """The client's file is not in the plain form that can be merged without a loss."""


@dataclass(frozen=True, slots=True)
class Door:
    """How a client starts our stdio door."""

    command: Sequence[str]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Places:
    """Where this person's programs keep their files."""

    home: Path
    config: Path  # ~/.config; on macOS ~/Library/Application Support; on Windows %APPDATA%
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Client:
    name: str
    title: str
    file: Callable[[Places], Path]
    merge: Callable[[Tables, Door], Tables]  # what the file says afterwards
    then: str  # what the person does next

    @property
    def is_toml(self) -> bool:
        return self.name == "codex"


def snippet(client: Client, door: Door) -> str:
    """Return what a fresh file of this client would hold."""
    if client.is_toml:
        return _toml(door)
    return json.dumps(client.merge({}, door), indent=2, ensure_ascii=False) + "\n"


def write(client: Client, door: Door, places: Places) -> tuple[Path, Path | None]:
    """Merge us into the client's file; return it and the backup of what it was, if it was there.

    Raises Unmergeable, with nothing changed, when the file is no plain JSON or TOML.
    """
    path = client.file(places)
    before = _read(path)
    after = _merged_toml(before, door) if client.is_toml else _merged_json(client, before, door)
    backup = None
    if before is not None and before != after:
        backup = path.with_name(f"{path.name}.before-ordergate")
        replace_text(backup, before)
    if before != after:
        replace_text(path, after)
    return path, backup


def _merged_json(client: Client, before: str | None, door: Door) -> str:
    try:
        tables = json.loads(before) if before and before.strip() else {}
    except ValueError:
        raise Unmergeable("it has comments or is no JSON") from None
    if not isinstance(tables, dict):
        raise Unmergeable("it is no JSON object")
    return (
        json.dumps(client.merge(copy.deepcopy(tables), door), indent=2, ensure_ascii=False) + "\n"
    )


def _merged_toml(before: str | None, door: Door) -> str:
    """Put our table at the end of the file; a table of ours that stands there is replaced."""
    text = before or ""
    try:
        held = tomllib.loads(text)
        kept = _without_our_table(text)
        after = (kept.rstrip("\n") + "\n\n" if kept.strip() else "") + _toml(door)
        wanted = {**held, "mcp_servers": {**held.get("mcp_servers", {}), SERVER: _entry(door)}}
        if tomllib.loads(after) != wanted:
            raise Unmergeable("its mcp_servers are written in a form that cannot be added to")
    except (tomllib.TOMLDecodeError, TypeError):
        raise Unmergeable("it is no TOML that can be added to") from None
    return after


def _without_our_table(text: str) -> str:
    kept: list[str] = []
    ours = False
    for line in text.splitlines(keepends=True):
        if line.lstrip().startswith("["):
            head = line.strip().strip("[]").replace('"', "").replace(" ", "")
            ours = f"{head}.".startswith(f"mcp_servers.{SERVER}.")
        if not ours:
            kept.append(line)
    return "".join(kept)


def _toml(door: Door) -> str:
    entry = _entry(door)
    lines = [
        f"[mcp_servers.{SERVER}]",
        f"command = {json.dumps(entry['command'])}",
        f"args = {json.dumps(entry['args'])}",
    ]
    if door.environment:
        lines += ["", f"[mcp_servers.{SERVER}.env]"]
        lines += [f"{name} = {json.dumps(value)}" for name, value in door.environment.items()]
    return "\n".join(lines) + "\n"


def _entry(door: Door) -> Tables:
    entry: Tables = {"command": door.command[0], "args": list(door.command[1:])}
    if door.environment:
        entry["env"] = dict(door.environment)
    return entry


def _under(key: str, **fixed: Any) -> Callable[[Tables, Door], Tables]:
    def merge(tables: Tables, door: Door) -> Tables:
        servers = _table(tables, key)
        servers[SERVER] = {**fixed, **_entry(door)}
        return tables

    return merge


def _opencode(tables: Tables, door: Door) -> Tables:
    """Write the form that OpenCode 1 and 2 both read; a file in 2's own form keeps that form."""
    tables.setdefault("$schema", "https://opencode.ai/config.json")
    servers = _table(tables, "mcp")
    native = isinstance(servers.get("servers"), dict) and "type" not in servers["servers"]
    entry: Tables = {"type": "local", "command": list(door.command)}
    if not native:
        entry["enabled"] = True
    if door.environment:
        entry["environment"] = dict(door.environment)
    (servers["servers"] if native else servers)[SERVER] = entry
    return tables


def _table(tables: Tables, key: str) -> Tables:
    held = tables.setdefault(key, {})
    if not isinstance(held, dict):
        raise Unmergeable(f"its {key} is no object")
    return held


def _read(path: Path) -> str | None:
    try:
        with open(path, "rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    if len(raw) > FILE_BYTES_MAX:
        raise Unmergeable("it is larger than 16 MiB")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Unmergeable("it is not UTF-8") from None


def _home_or(variable: str, folder: str, name: str) -> Callable[[Places], Path]:
    return lambda places: Path(places.environ.get(variable) or places.home / folder) / name


CLIENTS: Final = {
    client.name: client
    for client in (
        Client(
            "claude-code",
            "Claude Code",
            lambda places: places.home / ".claude.json",
            _under("mcpServers", type="stdio"),
            "start claude and type /mcp",
        ),
        Client(
            "cursor",
            "Cursor",
            lambda places: places.home / ".cursor" / "mcp.json",
            _under("mcpServers", type="stdio"),
            "turn the server on under Settings, MCP",
        ),
        Client(
            "vscode",
            "VS Code",
            lambda places: places.config / "Code" / "User" / "mcp.json",
            _under("servers", type="stdio"),
            "run the command MCP: List Servers",
        ),
        Client(
            "codex",
            "Codex",
            _home_or("CODEX_HOME", ".codex", "config.toml"),
            _under("mcp_servers"),
            "start codex and type /mcp",
        ),
        Client(
            "desktop",
            "Claude Desktop",
            lambda places: places.config / "Claude" / "claude_desktop_config.json",
            _under("mcpServers"),
            "quit Claude Desktop and start it again",
        ),
        Client(
            "opencode",
            "OpenCode",
            lambda places: places.home / ".config" / "opencode" / "opencode.json",
            _opencode,
            "start opencode",
        ),
        Client(
            "copilot",
            "Copilot CLI",
            _home_or("COPILOT_HOME", ".copilot", "mcp-config.json"),
            _under("mcpServers", type="local", tools=["*"]),
            "start copilot and type /mcp show",
        ),
    )
}
