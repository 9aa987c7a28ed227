"""The process a person's own strategy runs in: started as a file, alone, with nothing of ours.

usage: strategy_child.py PROGRAM BARS SIGNALS MEMORY_MB CPU_S. Reads the bars (.npz), asks the
program's `Strategy().signals(bars)`, writes its columns (.npz). It gives up memory, CPU time, files
and the network first: by the kernel where it can (Linux), and by an audit hook everywhere. The
hook is a fence against accidents, not against somebody who wants out.
"""

from __future__ import annotations

import contextlib
import ctypes
import runpy
import sys
from types import SimpleNamespace
from typing import Any

import numpy

NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000
COLUMNS = ("direction", "stop", "target")
REFUSED = (
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
)
REFUSED_TOO = ("ctypes.dlopen", "os.startfile", "urllib.", "ftplib.", "smtplib.", "http.")


def confine(memory_mb: int, cpu_s: int) -> None:
    """Give up what a strategy does not need."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        limits = {
            resource.RLIMIT_AS: memory_mb * 2**20,
            resource.RLIMIT_CPU: cpu_s,
            resource.RLIMIT_FSIZE: 2**30,
            resource.RLIMIT_CORE: 0,
        }
        for name, most in limits.items():
            resource.setrlimit(name, (most, most))
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).unshare(NEW_USER | NEW_NETWORK)  # a network without any device

    def watch(event: str, _: tuple[Any, ...]) -> None:
        if event.startswith((*REFUSED, *REFUSED_TOO)):
            raise PermissionError(f"a strategy may not: {event}")

    sys.addaudithook(watch)


def main(program: str, bars: str, signals: str) -> None:
    with numpy.load(bars, allow_pickle=False) as found:
        given = SimpleNamespace(**{name: found[name] for name in found.files})
    made = runpy.run_path(program)["Strategy"]().signals(given)
    columns = {name: numpy.asarray(made[name], dtype=numpy.float64) for name in made}
    kept: dict[str, Any] = {name: columns[name] for name in COLUMNS if name in columns}
    numpy.savez(signals, **kept)


if __name__ == "__main__":
    confine(int(sys.argv[4]), int(sys.argv[5]))
    main(*sys.argv[1:4])
