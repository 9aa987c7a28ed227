"""A person's own strategy asked for its signals in a process of its own; data comes back."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy

from ordergate.model.errors import InvalidArgument
from ordergate.model.series import Series

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordergate.model.series import Numbers

CHILD: Final = Path(__file__).with_name("strategy_child.py")
PROGRAM_BYTES_MAX: Final = 1_000_000
TOLD_MAX: Final = 400  # characters of what the program said when it failed
NEEDED: Final = ("SYSTEMROOT",)  # Windows finds its libraries by it


class BadProgram(InvalidArgument):
    """The program failed, took too long, or answered what are no signals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    memory_mb: int = 2_048
    cpu_s: int = 60
    wall_s: float = 120.0


def signals_of(
    program: Path,
    series: Series,
    bounds: Bounds = Bounds(),
) -> Mapping[str, Numbers]:
    """Return the columns direction, stop and target of a program on bars, each as long as they.

    The environment is empty and the directory its own. Raises BadProgram.
    """
    if not program.is_file() or program.stat().st_size > PROGRAM_BYTES_MAX:
        raise BadProgram(
            f"{program.name} is no program of at most {PROGRAM_BYTES_MAX} bytes",
            fix="Name a Python file with a class Strategy.",
        )
    with tempfile.TemporaryDirectory() as place:
        bars, signals = Path(place, "bars.npz"), Path(place, "signals.npz")
        names = ("time", "open", "high", "low", "close", "volume")
        numpy.savez(bars, **{name: getattr(series, name) for name in names})
        _run(program, (bars, signals), bounds)
        return _read(signals, len(series))


def _run(program: Path, files: tuple[Path, Path], bounds: Bounds) -> None:
    bars, signals = files
    command = [sys.executable, "-I", str(CHILD), str(program.resolve()), str(bars), str(signals)]
    command += [str(bounds.memory_mb), str(bounds.cpu_s)]
    errors = bars.with_name("errors.txt")
    with errors.open("wb") as said:
        try:
            done = subprocess.run(
                command,
                cwd=bars.parent,
                env={name: os.environ[name] for name in NEEDED if name in os.environ},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                timeout=bounds.wall_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise BadProgram(
                f"the program took longer than {bounds.wall_s:g} s", fix="Use columns, not loops."
            ) from None
    if done.returncode != 0:
        lines = errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        last = lines[-1][:TOLD_MAX] if lines else f"it ended with {done.returncode}"
        raise BadProgram(
            f"the program failed: {last}",
            fix="Run it by itself on a few bars; memory and CPU time are bounded.",
        )


def _read(signals: Path, bars: int) -> Mapping[str, Numbers]:
    try:
        with numpy.load(signals, allow_pickle=False) as found:
            made = {name: found[name] for name in found.files}
    except (OSError, ValueError) as error:
        raise BadProgram(f"the program left no signals: {error}"[:TOLD_MAX]) from None
    none = numpy.full(bars, numpy.nan)
    columns = {name: made.get(name, none) for name in ("direction", "stop", "target")}
    if "direction" not in made or any(column.shape != (bars,) for column in columns.values()):
        raise BadProgram(
            "the program's columns are not as long as its bars",
            fix="Return direction, and stop and target where there are any, one number a bar.",
        )
    if not numpy.isin(numpy.nan_to_num(columns["direction"]), (-1.0, 0.0, 1.0)).all():
        raise BadProgram("a direction is 1, -1 or 0", fix="1 buys, -1 sells, 0 does neither.")
    return columns
