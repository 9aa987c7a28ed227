"""The bar loop compiled: the very functions of `sim/`, rebound bottom-up and handed to numba.

numba cannot compile a function that calls a plain one. So each function of `sim/` is copied with
its own globals, in which every callee is the compiled one already; the modules stay as they are,
and a paper venue in the same process is not touched. numba's disk cache looks at one function's
file alone: the cache lies in a directory named after all of `sim/`, numba and the processor.
"""

from __future__ import annotations

import dis
import hashlib
import platform
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any, Final

from ordergate.sim import (
    carrying,
    costs,
    dealing,
    deciding,
    fills,
    gating,
    gliding,
    layout,
    margin,
    meeting,
    rounding,
    walking,
)

ALL: Final = (
    *(rounding, costs, fills, margin, layout, dealing, carrying, gating, meeting, deciding),
    *(gliding, walking),
)
NAME_DIGITS: Final = 16


def is_there() -> bool:
    """Say whether numba is installed (the extra `research`)."""
    try:
        import numba  # noqa: F401
    except ImportError:
        return False
    return True


def is_ready(where: Path) -> bool:
    """Say whether the loop was compiled here before: what it takes is then only read."""
    return is_there() and any((where / cache_name()).rglob("*.nbc"))


def source_hash() -> str:
    """Return a hash of all of `sim/`: what was compiled of other sources is never used."""
    found = hashlib.sha256()
    for module in ALL:
        found.update(Path(str(module.__file__)).read_bytes())
    return found.hexdigest()


def cache_name() -> str:
    """Return the name of the directory for what is compiled here."""
    import llvmlite.binding
    import numba

    words = (
        source_hash(),
        numba.__version__,
        platform.machine(),
        str(llvmlite.binding.get_host_cpu_name()),
    )
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:NAME_DIGITS]


def functions() -> Mapping[str, FunctionType]:
    """Return every function of `sim/` by module and name."""
    return {
        f"{module.__name__}.{name}": value
        for module in ALL
        for name, value in vars(module).items()
        if isinstance(value, FunctionType) and value.__module__ == module.__name__
    }


def compiled(wanted: Callable[..., Any], make: Callable[[FunctionType], Any]) -> Any:
    """Return `wanted` with everything it calls put through `make`, leaves first."""
    known = set(functions().values())
    done: dict[FunctionType, Any] = {}

    def through(function: FunctionType) -> Any:
        if function in done:
            return done[function]
        names = {name: through(value) for name, value in _named(function) if value in known}
        copy = _rebound(function, names)
        done[function] = make(copy)
        return done[function]

    assert isinstance(wanted, FunctionType)
    return through(wanted)


def _rebound(function: FunctionType, names: Mapping[str, Any]) -> FunctionType:
    """Return a copy of a function in whose globals some names mean something else."""
    copy = FunctionType(
        function.__code__,
        {**function.__globals__, **names},
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__module__ = function.__module__
    copy.__qualname__ = function.__qualname__
    return copy


def _named(function: FunctionType) -> Iterator[tuple[str, FunctionType]]:
    """Yield the plain functions a function names."""
    for step in dis.get_instructions(function):
        value = function.__globals__.get(str(step.argval))
        if step.opname == "LOAD_GLOBAL" and isinstance(value, FunctionType):
            yield step.argval, value


@cache
def walker(where: Path | None = None) -> Callable[..., int]:
    """Return the compiled loop; what is compiled is kept under `where`, None = in memory alone."""
    import numba

    if where is not None:
        numba.config.CACHE_DIR = str(where / cache_name())  # type: ignore[attr-defined]

    def make(function: FunctionType) -> Any:
        inlined = (
            function.__name__ != walking.walk.__name__
        )  # calls cost more than what most of them do
        return numba.njit(nogil=True, fastmath=False, error_model="numpy", forceinline=inlined)(
            function
        )

    names = {"walk": compiled(walking.walk, make), "pointed": _pointed()}
    assert isinstance(_entered, FunctionType)
    top = _rebound(_entered, names)
    made: Callable[..., int] = numba.njit(nogil=True, cache=where is not None)(top)
    return made


def _entered(tables: layout.Run) -> int:
    """Enter the loop; both names are put into the globals of a copy."""
    return walk(pointed(tables))  # type: ignore[name-defined, no-any-return]  # noqa: F821


def _pointed() -> Any:
    """Return what turns tuples of arrays into tuples of their addresses, inside compiled code.

    An array is counted at every call it passes through; an address is a number. The caller holds
    the arrays while the loop runs.
    """
    from numba.core import types
    from numba.extending import intrinsic

    tuples = (types.NamedTuple, types.NamedUniTuple)

    def of(kind: Any) -> Any:
        if isinstance(kind, types.Array):
            return types.CPointer(kind.dtype)  # type: ignore[no-untyped-call]
        if isinstance(kind, tuples):
            parts = [of(part) for part in kind.types]
            return types.NamedTuple(parts, kind.instance_class)  # type: ignore[no-untyped-call]
        return kind

    def lowered(context: Any, builder: Any, kind: Any, value: Any) -> Any:
        if isinstance(kind, types.Array):
            return context.make_array(kind)(context, builder, value).data
        if isinstance(kind, tuples):
            parts = [
                lowered(context, builder, part, builder.extract_value(value, place))
                for place, part in enumerate(kind.types)
            ]
            return context.make_tuple(builder, of(kind), parts)
        return value

    @intrinsic
    def pointed(_: Any, kind: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            return lowered(context, builder, signature.args[0], given[0])

        return of(kind)(kind), code

    return pointed
