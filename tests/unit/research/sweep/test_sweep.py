"""A sweep: the same result from any number of workers, honest about what failed, stoppable."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from ordergate.model.trials import Ended
from ordergate.research.backtest.spec import BadSpec, StrategyRef
from ordergate.research.sweep.space import axis, grid, sample
from ordergate.research.sweep.sweep import Stopped, Task, Workers, sweep
from ordergate.research.sweep.tpe import search
from ordergate.research.sweep.tried import Tried
from support.markets import asked, noise

AXES = [axis("fast", [3, 5, 8]), axis("slow", [13, 21, 34])]
TASK = Task(spec=asked(StrategyRef(name="ma_crossover")), data=noise(400))


class Notes:
    def __init__(self, stop_after: int | None = None) -> None:
        self.told_of: list[int] = []
        self.totals: set[int] = set()
        self._stop_after = stop_after

    def told(self, tried: Sequence[Tried], total: int) -> None:
        self.told_of += [one.number for one in tried]
        self.totals.add(total)

    def stopped(self) -> bool:
        return self._stop_after is not None and len(self.told_of) >= self._stop_after


def fingerprint(tried: Sequence[Tried]) -> str:
    digest = hashlib.sha256()
    for one in tried:
        assert one.curve is not None
        digest.update(repr((one.number, one.parameters, one.net, one.sums)).encode())
        digest.update(one.curve.tobytes())
    return digest.hexdigest()


def by(workers: int, notes: Notes | None = None) -> list[Tried]:
    with ThreadPoolExecutor(workers) as pool:
        return sweep(TASK, grid(AXES), Workers(executor=pool, count=workers), notes or Notes())


def test_the_same_bytes_from_one_two_and_four_workers() -> None:
    one = by(1)
    assert [item.parameters for item in one] == list(grid(AXES))
    assert fingerprint(one) == fingerprint(by(2)) == fingerprint(by(4))


def test_every_trial_is_told_of_once() -> None:
    notes = Notes()
    by(2, notes)
    assert sorted(notes.told_of) == list(range(9))
    assert notes.totals == {9}


def test_a_configuration_that_cannot_be_is_a_failed_trial_with_its_reason() -> None:
    todo = [{"fast": 5.0}, {"fast": 1_000.0}]
    with ThreadPoolExecutor(1) as pool:
        found = sweep(TASK, todo, Workers(executor=pool, count=1), Notes())
    assert [one.ended for one in found] == [Ended.DONE, Ended.FAILED]
    assert "fast must be" in found[1].error


def test_what_no_parameters_could_make_good_is_refused() -> None:
    task = Task(spec=asked(StrategyRef(name="ma_crossover"), delay_bars=-1), data=noise(100))
    with ThreadPoolExecutor(1) as pool, pytest.raises(BadSpec, match="delay_bars"):
        sweep(task, [{}], Workers(executor=pool, count=1), Notes())


def test_a_cancelled_sweep_stops_and_has_told_what_it_did() -> None:
    notes = Notes(stop_after=1)
    with ThreadPoolExecutor(1) as pool, pytest.raises(Stopped):
        sweep(TASK, grid(AXES), Workers(executor=pool, count=1), notes)
    assert 1 <= len(notes.told_of) < 9


def net(tried: Tried) -> float | None:
    return tried.net


def test_tpe_is_the_same_for_any_number_of_workers_and_tries_nothing_twice() -> None:
    pytest.importorskip("optuna", reason="the extra `research` is not installed")
    axes = [axis("fast", range(2, 12)), axis("slow", range(13, 40))]

    def searched(workers: int) -> list[Tried]:
        with ThreadPoolExecutor(workers) as pool:
            lent = Workers(executor=pool, count=workers)
            return search(TASK, axes, lent, Notes(), (25, net))

    one = searched(1)
    assert len({tuple(item.parameters.values()) for item in one}) == 25
    assert [item.number for item in one] == list(range(25))
    assert fingerprint(one) == fingerprint(searched(3))


def test_chance_and_grid_meet_in_the_same_configuration() -> None:
    chosen = sample(AXES, 4, seed=2)
    with ThreadPoolExecutor(2) as pool:
        some = sweep(TASK, chosen, Workers(executor=pool, count=2), Notes())
    every = {tuple(item.parameters.values()): item.net for item in by(1)}
    assert all(every[tuple(item.parameters.values())] == item.net for item in some)
