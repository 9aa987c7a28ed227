"""The way from the stdio door to a gateway: the running one, or a detached one that we start.

A gateway started here trades on paper only and stops when idle. What an AI client puts into our
environment never reaches it: the child gets a few harmless variables and its two directories.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from ordergate.model.errors import NotReady
from ordergate.surfaces.cli.running import Note, is_held, running

READY_WITHIN_S: Final = 20.0
POLL_S: Final = 0.05
PROBE_TIMEOUT_S: Final = 2.0
REPLY_BYTES_MAX: Final = 65_536
IDLE_EXIT: Final = "15m"
TOKEN_NAME: Final = "agent.token"
LOG_NAME: Final = "gateway.log"
SPAWN_LOCK_NAME: Final = "spawn.lock"
PASSED_ON: Final = frozenset(
    [
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "LANG",
        "LC_ALL",
        "LC_CTYPE",
        "TZ",
        "TMPDIR",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "SYSTEMROOT",
        "SYSTEMDRIVE",
        "WINDIR",
        "TEMP",
        "TMP",
        "APPDATA",
        "LOCALAPPDATA",
        "USERPROFILE",
        "PATHEXT",
        "COMSPEC",
    ]
)

Spawn = Callable[[], subprocess.Popen[bytes]]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A gateway that answers, and the token to call it with."""

    rest_url: str
    mcp_url: str
    token: str


def attach(
    data_dir: Path, *, spawn: Spawn, monotonic: Callable[[], float], token: str | None = None
) -> Attachment:
    """Return the gateway of this data directory, started if need be; raise NotReady after 20 s.

    However many doors call this at once, one gateway comes of it: they start it one at a time, and
    the gateway's own lock refuses a second.
    """
    deadline = monotonic() + READY_WITHIN_S
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    note = _answering(data_dir)
    if note is None:
        try:
            with FileLock(data_dir / SPAWN_LOCK_NAME, timeout=READY_WITHIN_S, mode=0o600):
                note = _answering(data_dir) or _started(data_dir, spawn, monotonic, deadline)
        except Timeout:
            raise _not_ready(data_dir) from None
    return Attachment(note.rest_url, note.mcp_url, token or read_token(data_dir / TOKEN_NAME))


def read_token(path: Path) -> str:
    """Read a token from a file that its owner alone may read; raise NotReady."""
    try:
        with open(path, "rb") as file:
            shared = os.name == "posix" and os.fstat(file.fileno()).st_mode & 0o077
            text = file.read(1024).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotReady(f"no token to call with: {error}", fix="start `ordergate up` once") from None
    if shared:
        raise NotReady(f"{path} can be read by others", fix=f"chmod 600 {path}")
    return text


def spawner(config_dir: Path, data_dir: Path, environ: Mapping[str, str]) -> Spawn:
    """Return what starts a detached paper-only gateway, its words going to <data>/gateway.log."""

    kept: list[subprocess.Popen[bytes]] = []  # a child that is let go of is reported as lost

    def spawn() -> subprocess.Popen[bytes]:
        handle = os.open(data_dir / LOG_NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with open(handle, "ab") as log:
            child = subprocess.Popen(
                _command(),
                env=child_environment(config_dir, data_dir, environ),
                cwd=data_dir,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=os.name == "posix",
                creationflags=_detached_flags(),
            )
        kept.append(child)
        return child

    return spawn


def child_environment(
    config_dir: Path, data_dir: Path, environ: Mapping[str, str]
) -> dict[str, str]:
    """Return the little of our environment that a gateway started here may see."""
    passed = {name: text for name, text in environ.items() if name.upper() in PASSED_ON}
    return {
        **passed,
        "ORDERGATE_CONFIG_DIR": str(config_dir),
        "ORDERGATE_DATA_DIR": str(data_dir),
    }


def answers(rest_url: str) -> bool:
    """Say whether /readyz answers 200, or that exits pass, within two seconds."""
    place = urlsplit(rest_url)
    link = http.client.HTTPConnection(
        place.hostname or "", place.port or 80, timeout=PROBE_TIMEOUT_S
    )
    try:
        link.request("GET", "/readyz")
        reply = link.getresponse()
        return reply.status == 200 or _exits_only(json.loads(reply.read(REPLY_BYTES_MAX)))
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        link.close()


def _exits_only(body: object) -> bool:
    """Say whether a gateway that is not ready lets exits out."""
    error = body.get("error") if isinstance(body, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    return isinstance(details, dict) and details.get("exits_only") is True


def _command() -> list[str]:
    # -P: the directory we are started in is never a place to import from
    words = [sys.executable, "-P", "-m", "ordergate", "up", "--paper-only"]
    return [*words, "--idle-exit", IDLE_EXIT]


def _detached_flags() -> int:
    if sys.platform == "win32":
        return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
    return 0


def _answering(data_dir: Path) -> Note | None:
    note = running(data_dir)
    return note if note is not None and answers(note.rest_url) else None


def _started(data_dir: Path, spawn: Spawn, monotonic: Callable[[], float], deadline: float) -> Note:
    child = spawn()
    while monotonic() < deadline:
        note = _answering(data_dir)
        if note is not None:
            return note
        if child.poll() is not None and not is_held(data_dir):
            break  # ours is gone and nobody else's holds the directory
        time.sleep(POLL_S)
    raise _not_ready(data_dir)


def _not_ready(data_dir: Path) -> NotReady:
    return NotReady(
        "no gateway became ready",
        fix=f"look at {data_dir / LOG_NAME}, or start `ordergate up` and call again",
    )
