"""The workbench: one calculation at a time, in a thread of its own, and a queue with an end."""

from __future__ import annotations

import asyncio
import threading

import pytest

from ordergate.model.errors import RateLimited
from ordergate.surfaces.catalogue.workbench import WAITING_MAX, Workbench


def test_work_runs_one_at_a_time_in_a_thread_of_its_own() -> None:
    seen: list[str] = []
    running = threading.Lock()

    def work(number: int) -> int:
        assert running.acquire(blocking=False)
        seen.append(threading.current_thread().name)
        running.release()
        return number * 2

    async def all_of_them() -> list[int]:
        bench = Workbench()
        return list(await asyncio.gather(*(bench.run(work, n) for n in range(20))))

    assert asyncio.run(all_of_them()) == [n * 2 for n in range(20)]
    assert {name.partition("_")[0] for name in seen} == {"analysis"}


def test_what_the_work_raises_comes_out_and_the_place_is_free_again() -> None:
    async def scenario() -> None:
        bench = Workbench()
        for _ in range(WAITING_MAX + 5):
            with pytest.raises(ZeroDivisionError):
                await bench.run(lambda: 1 // 0)

    asyncio.run(scenario())


def test_too_much_waiting_is_refused() -> None:
    async def scenario() -> None:
        bench, go = Workbench(), threading.Event()
        waiting = [asyncio.create_task(bench.run(go.wait, 5.0)) for _ in range(WAITING_MAX)]
        await asyncio.sleep(0)
        with pytest.raises(RateLimited):
            await bench.run(int)
        go.set()
        await asyncio.gather(*waiting)
        assert await bench.run(int) == 0

    asyncio.run(scenario())
