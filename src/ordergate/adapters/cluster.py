"""Sweeps on other machines: a Dask cluster behind the interface of `concurrent.futures`.

Dask comes with the extra `cluster` and is loaded here alone. Whoever reaches a scheduler runs code
on its workers: it must be the operator's own, behind TLS or on a network of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any, Final

from ordergate.model.errors import DataUnavailable, NotSupported

CONNECT_S: Final = 10


@contextmanager
def on_cluster(address: str) -> Iterator[tuple[Executor, int, Callable[[Any], Any]]]:
    """Lend an executor, its number of workers, and what sends a thing to each of them once.

    Raises NotSupported without Dask, DataUnavailable where no scheduler or no worker answers.
    """
    try:
        from distributed import Client
    except ImportError:
        raise NotSupported(
            "a cluster needs Dask, which is not installed",
            fix="pip install 'ordergate[cluster]', or leave research.cluster away.",
        ) from None
    try:
        client: Any = Client(address, timeout=CONNECT_S, set_as_default=False)
    except OSError as error:
        raise DataUnavailable(
            f"no cluster answers at {address}: {error}"[:200],
            fix="Start its scheduler, or leave research.cluster away.",
        ) from None
    with client:
        count = len(client.scheduler_info()["workers"])
        if not count:
            raise DataUnavailable(
                f"the cluster at {address} has no workers", fix="Start some: dask worker ADDRESS."
            )
        yield (
            client.get_executor(pure=False),
            count,
            lambda thing: client.scatter(thing, broadcast=True, hash=False),
        )
