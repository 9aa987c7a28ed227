"""What `doctor` looks at: settings, directories, gateway, token, ports, audit."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ordergate.model.errors import GateError, NotFound
from ordergate.surfaces.cli.attach import TOKEN_NAME, answers, read_token
from ordergate.surfaces.cli.running import is_held, read_note
from ordergate.surfaces.cli.starts import Finding, Level

PORTS: Final = ("server.rest_port", "server.mcp_port", "server.console_port")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What is looked at; the calls may raise GateError."""

    config_dir: Path
    data_dir: Path
    settings: Callable[[], list[dict[str, str]]]
    verify_audit: Callable[[], Mapping[str, Any]]
    terminal: Callable[[], list[Finding]] = list  # of a venue that has one beside the gateway


def examine(patient: Patient) -> list[Finding]:
    """Return every finding; nothing is changed."""
    found = [_settings(patient)]
    found += [_private(path) for path in (patient.config_dir, patient.data_dir)]
    held = is_held(patient.data_dir)
    found.append(_gateway(patient, held=held))
    if found[0].level is Level.PASS:
        found += [] if held else _ports(patient)
        found.append(_channel(patient))
    found += [_token(patient), _audit(patient)]
    if found[0].level is Level.PASS:
        found += _live(patient)
        found += patient.terminal()
    return found


def _settings(patient: Patient) -> Finding:
    try:
        rows = patient.settings()
    except GateError as error:
        return Finding(Level.FAIL, "settings", error.message, error.fix)
    changed = sum(row["source"] != "default" for row in rows)
    return Finding(Level.PASS, "settings", f"{len(rows)} keys, {changed} of them changed")


def _channel(patient: Patient) -> Finding:
    """Say whether anybody would be told; whether a channel works shows in the gateway's status."""
    rows = {row["key"]: row["value"] for row in patient.settings()}
    if rows.get("notify.urls", "[]") == "[]":
        return Finding(
            Level.WARN,
            "alerts",
            "no channel is set up: a halt is told to nobody",
            "write one address a line into notify.urls of the config directory",
        )
    return Finding(Level.PASS, "alerts", "a channel is set; try it: ordergate alerts test")


def _private(path: Path) -> Finding:
    if not path.is_dir():
        return Finding(Level.WARN, str(path), "is not there yet", "ordergate up makes it")
    if os.name == "posix" and path.stat().st_mode & 0o077:
        return Finding(Level.WARN, str(path), "others may look into it", f"chmod 700 {path}")
    return Finding(Level.PASS, str(path), "private")


def _gateway(patient: Patient, *, held: bool) -> Finding:
    note = read_note(patient.data_dir) if held else None
    if note is None:
        return Finding(Level.WARN, "gateway", "is not running", "ordergate up")
    if not note.ready or not answers(note.rest_url):
        action = f"wait, or look at what pid {note.pid} says"
        return Finding(Level.FAIL, "gateway", f"pid {note.pid} does not answer ready", action)
    return Finding(Level.PASS, "gateway", f"pid {note.pid} is ready at {note.rest_url}")


def _ports(patient: Patient) -> Iterator[Finding]:
    rows = {row["key"]: row["value"] for row in patient.settings()}
    host = rows["server.host"].strip('"')
    for key in PORTS:
        port = int(rows[key])
        if port and not _free(host, port):
            action = f"stop what listens there, or set {key}"
            yield Finding(Level.FAIL, f"port {port}", "is taken by another program", action)
        else:
            yield Finding(Level.PASS, f"port {port}" if port else key, "is free")


def _live(patient: Patient) -> Iterator[Finding]:
    rows = {row["key"]: row["value"] for row in patient.settings()}
    if rows.get("live") == "on":
        action = "run `ordergate doctor --as-agent` as the agent's user: it fails where one exists"
        yield Finding(Level.WARN, "live trading", "is on; no way may lead past the gate", action)


def _free(host: str, port: int) -> bool:
    try:
        with socket.create_server((host, port)):
            return True
    except OSError:
        return False


def _token(patient: Patient) -> Finding:
    path = patient.data_dir / TOKEN_NAME
    if not path.exists():
        return Finding(Level.WARN, "agent token", "was not made yet", "the first ordergate up does")
    try:
        read_token(path)
    except GateError as error:
        return Finding(Level.FAIL, "agent token", error.message, error.fix)
    return Finding(Level.PASS, "agent token", "is there and private")


def _audit(patient: Patient) -> Finding:
    try:
        proof = patient.verify_audit()
    except NotFound as error:
        return Finding(Level.WARN, "audit", error.message, error.fix)
    except GateError as error:
        action = error.fix or "keep the files as they are and read docs on the audit"
        return Finding(Level.FAIL, "audit", error.message, action)
    return Finding(
        Level.PASS, "audit", ", ".join(f"{name} {value}" for name, value in proof.items())
    )
