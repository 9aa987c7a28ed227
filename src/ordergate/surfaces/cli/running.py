"""Which gateway runs on a data directory: the lock it holds and the note it leaves.

`<data>/gateway.lock` is held for the gateway's whole life, so two never share a directory.
`<data>/gateway.json` says where it answers; it is believed only while the lock is held.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from ordergate.model.errors import IllegalState

LOCK_NAME: Final = "gateway.lock"
NOTE_NAME: Final = "gateway.json"
NOTE_BYTES_MAX: Final = 16 * 1024
PROBE_WAIT_S: Final = 2.0  # outlasts a passing `is_held` of somebody else


class DirectoryHeld(IllegalState):
    """Another gateway owns this data directory."""

    def __init__(self, holder: Note | None) -> None:
        process = "" if holder is None else f" (process {holder.pid})"
        super().__init__(
            f"a gateway{process} owns this data directory",
            fix="stop it with Ctrl-C, then do this again",
        )
        self.holder = holder


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a gateway says of itself; the addresses are empty until it is ready."""

    pid: int
    started_at: str
    paper_only: bool
    rest_url: str = ""
    mcp_url: str = ""
    console_url: str = ""

    @property
    def ready(self) -> bool:
        return bool(self.rest_url)


@contextmanager
def hold(data_dir: Path, *, wait_s: float = PROBE_WAIT_S) -> Iterator[None]:
    """Own the data directory; raise DirectoryHeld after `wait_s` seconds."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FileLock(data_dir / LOCK_NAME, mode=0o600)
    try:
        lock.acquire(timeout=wait_s)
    except Timeout:
        raise DirectoryHeld(read_note(data_dir)) from None
    try:
        (data_dir / NOTE_NAME).unlink(missing_ok=True)
        yield
    finally:
        (data_dir / NOTE_NAME).unlink(missing_ok=True)
        lock.release()


def is_held(data_dir: Path) -> bool:
    """Say whether a gateway owns the data directory right now."""
    if not (data_dir / LOCK_NAME).exists():
        return False
    lock = FileLock(data_dir / LOCK_NAME, mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def leave_note(data_dir: Path, note: Note) -> None:
    """Replace the note in one step, readable by its owner alone."""
    path = data_dir / NOTE_NAME
    draft = path.with_suffix(f".{note.pid}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(note), file)
    draft.replace(path)


def read_note(data_dir: Path) -> Note | None:
    """Return the note as it stands; None where there is none or it cannot be read."""
    try:
        with open(data_dir / NOTE_NAME, "rb") as file:
            return Note(**json.loads(file.read(NOTE_BYTES_MAX)))
    except (OSError, ValueError, TypeError):
        return None


def running(data_dir: Path) -> Note | None:
    """Return the note of the gateway that owns the directory and is ready; else None."""
    note = read_note(data_dir)
    return note if note is not None and note.ready and is_held(data_dir) else None
