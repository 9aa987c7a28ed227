"""A small file system of its own for the gate's database, really filled by a test; needs root."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SIZE = "6m"


def can_mount() -> bool:
    return os.name == "posix" and os.geteuid() == 0 and shutil.which("mount") is not None


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """Mount a file system of a few MiB; yield where."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "ordergate-test", str(place)]
    subprocess.run(mount, check=True, timeout=10)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True, timeout=10)


def fill_up(place: Path) -> Path:
    """Take every free byte; return the file to delete for room."""
    stuffing = place / "stuffing"
    with open(stuffing, "wb", buffering=0) as file:
        for size in (65_536, 4_096, 1):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError:
                continue
    return stuffing
