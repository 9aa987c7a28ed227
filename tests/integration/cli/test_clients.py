"""`client add`: each client's own file and words; what stands there stays there."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ordergate.surfaces.cli.clients import CLIENTS, Door, Places, Unmergeable, snippet, write

DOOR = Door(["/opt/bin/ordergate", "mcp"], {})
WITH_PLACES = Door(["/opt/bin/ordergate", "mcp"], {"ORDERGATE_DATA_DIR": '/a "b"'})


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path, tmp_path / ".config", {})


def _json(path: Path) -> Any:
    return json.loads(path.read_text())


@pytest.mark.parametrize(
    ("name", "file", "entry"),
    [
        ("claude-code", ".claude.json", ("mcpServers", {"type": "stdio"})),
        ("cursor", ".cursor/mcp.json", ("mcpServers", {"type": "stdio"})),
        ("vscode", ".config/Code/User/mcp.json", ("servers", {"type": "stdio"})),
        ("desktop", ".config/Claude/claude_desktop_config.json", ("mcpServers", {})),
        ("copilot", ".copilot/mcp-config.json", ("mcpServers", {"type": "local", "tools": ["*"]})),
    ],
)
def test_a_json_client_gets_its_own_form(
    places: Places, name: str, file: str, entry: tuple[str, dict[str, Any]]
) -> None:
    path, backup = write(CLIENTS[name], DOOR, places)
    key, extra = entry
    assert path == places.home / file
    assert backup is None
    wanted = {**extra, "command": "/opt/bin/ordergate", "args": ["mcp"]}
    assert _json(path) == {key: {"ordergate": wanted}} == json.loads(snippet(CLIENTS[name], DOOR))


def test_what_stands_in_the_file_stays_and_is_backed_up(places: Places) -> None:
    path = places.home / ".claude.json"
    before = {"theme": "dark", "mcpServers": {"other": {"command": "x"}}, "ünïcode": "€"}
    path.write_text(json.dumps(before))
    path.chmod(0o640)
    _, backup = write(CLIENTS["claude-code"], WITH_PLACES, places)
    after = _json(path)
    ours = after["mcpServers"].pop("ordergate")
    assert after == before
    assert ours["env"] == dict(WITH_PLACES.environment)
    assert backup is not None
    assert _json(backup) == before
    assert path.stat().st_mode & 0o777 == 0o640


def test_writing_twice_changes_nothing_more(places: Places) -> None:
    for client in CLIENTS.values():
        path, _ = write(client, DOOR, places)
        once = path.read_bytes()
        assert write(client, DOOR, places) == (path, None)
        assert path.read_bytes() == once


@pytest.mark.parametrize("text", ['{"a": 1, // remark\n}', "[1]", '{"mcpServers": []}', "\xff"])
def test_a_file_that_cannot_be_merged_without_loss_is_left_alone(places: Places, text: str) -> None:
    path = places.home / ".cursor" / "mcp.json"
    path.parent.mkdir()
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(Unmergeable):
        write(CLIENTS["cursor"], DOOR, places)
    assert path.read_bytes() == text.encode("latin-1")
    assert [file.name for file in path.parent.iterdir()] == ["mcp.json"]


def test_codex_keeps_its_comments_and_order(places: Places) -> None:
    path = places.home / ".codex" / "config.toml"
    path.parent.mkdir()
    before = '# mine\nmodel = "m"\n\n[mcp_servers.other]  # theirs\ncommand = "x"\n'
    path.write_text(before)
    write(CLIENTS["codex"], WITH_PLACES, places)
    text = path.read_text()
    assert text.startswith(before)
    assert tomllib.loads(text)["mcp_servers"]["ordergate"] == {
        "command": "/opt/bin/ordergate",
        "args": ["mcp"],
        "env": {"ORDERGATE_DATA_DIR": '/a "b"'},
    }


def test_codex_gets_our_table_replaced_not_doubled(places: Places) -> None:
    write(CLIENTS["codex"], WITH_PLACES, places)
    path, backup = write(CLIENTS["codex"], DOOR, places)
    assert tomllib.loads(path.read_text())["mcp_servers"] == {
        "ordergate": {"command": "/opt/bin/ordergate", "args": ["mcp"]}
    }
    assert backup is not None


@pytest.mark.parametrize(
    "text",
    [
        'mcp_servers = { other = { command = "x" } }\n',
        "[mcp_servers\n",
        'mcp_servers.ordergate.command = "old"\n',
    ],
)
def test_a_toml_form_that_cannot_be_added_to_is_left_alone(places: Places, text: str) -> None:
    path = places.home / ".codex" / "config.toml"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(Unmergeable):
        write(CLIENTS["codex"], DOOR, places)
    assert path.read_text() == text


def test_a_moved_home_of_a_client_is_respected(places: Places, tmp_path: Path) -> None:
    moved = Places(places.home, places.config, {"CODEX_HOME": str(tmp_path / "elsewhere")})
    assert write(CLIENTS["codex"], DOOR, moved)[0] == tmp_path / "elsewhere" / "config.toml"


def test_opencode_gets_one_list_of_words(places: Places) -> None:
    path, _ = write(CLIENTS["opencode"], WITH_PLACES, places)
    assert _json(path)["mcp"]["ordergate"] == {
        "type": "local",
        "command": ["/opt/bin/ordergate", "mcp"],
        "enabled": True,
        "environment": {"ORDERGATE_DATA_DIR": '/a "b"'},
    }


def test_opencode_2s_own_form_stays_that_form(places: Places) -> None:
    path = places.home / ".config" / "opencode" / "opencode.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"mcp": {"servers": {"other": {"type": "local", "command": ["x"]}}}}')
    write(CLIENTS["opencode"], DOOR, places)
    assert sorted(_json(path)["mcp"]) == ["servers"]
    assert sorted(_json(path)["mcp"]["servers"]) == ["ordergate", "other"]


def test_a_link_to_the_file_stays_a_link(places: Places, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.json"
    real.write_text("{}")
    link = places.home / ".claude.json"
    link.symlink_to(real)
    write(CLIENTS["claude-code"], DOOR, places)
    assert link.is_symlink()
    assert "ordergate" in _json(real)["mcpServers"]
