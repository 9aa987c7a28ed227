"""A sweep on a Dask cluster of two workers: the same bytes as on threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from ordergate.adapters.cluster import on_cluster
from ordergate.model.errors import DataUnavailable
from ordergate.research.backtest.spec import StrategyRef
from ordergate.research.sweep.space import axis, grid
from ordergate.research.sweep.sweep import Task, Workers, sweep
from ordergate.research.sweep.tried import Tried
from support.markets import asked, noise
from support.scrutiny import Quiet

pytestmark = [
    pytest.mark.slow,
    # Dask's own, on the way down.
    pytest.mark.filterwarnings("ignore"),
]
TASK = Task(spec=asked(StrategyRef(name="ma_crossover")), data=noise(600))
WANTED = grid([axis("fast", [3, 5, 8]), axis("slow", [13, 21, 34])])


class Told(Quiet):
    def told(self, tried: list[Tried], total: int) -> None:
        self.heard.append((len(tried), total, ""))


def test_a_cluster_of_two_workers_gives_the_bytes_of_two_threads() -> None:
    distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    with ThreadPoolExecutor(2) as pool:
        here = sweep(TASK, WANTED, Workers(executor=pool, count=2), Told())
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, processes=True
        ) as cluster,
        on_cluster(cluster.scheduler_address) as (executor, count, lend),
    ):
        assert count == 2
        there = sweep(TASK, WANTED, Workers(executor=executor, count=count, lend=lend), Told())
    assert [one.sums for one in there] == [one.sums for one in here]
    for one, other in zip(here, there, strict=True):
        assert one.curve is not None
        assert other.curve is not None
        assert one.curve.tobytes() == other.curve.tobytes()


def test_no_cluster_is_said_with_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    monkeypatch.setattr("ordergate.adapters.cluster.CONNECT_S", 1)
    with (
        pytest.raises(DataUnavailable, match=r"127\.0\.0\.1:1"),
        on_cluster("tcp://127.0.0.1:1"),
    ):
        pass
