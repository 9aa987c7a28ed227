"""Work goes to its end without its caller, and its answer comes home to one who stays."""

from __future__ import annotations

import asyncio

import pytest

from ordergate.order.errands import Errands


def test_the_answer_comes_home() -> None:
    async def work() -> int:
        return 7

    assert asyncio.run(Errands[int]().run(work())) == 7


def test_a_failure_comes_home() -> None:
    async def work() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        asyncio.run(Errands[int]().run(work()))


def test_a_caller_that_goes_away_leaves_the_work_running_to_its_end() -> None:
    async def run() -> None:
        begun, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def work() -> None:
            begun.set()
            await go_on.wait()
            done.set()
            raise ValueError("nobody hears it, and the loop does not complain")

        errands = Errands[None]()
        caller = asyncio.create_task(errands.run(work()))
        await begun.wait()
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        assert not done.is_set()
        go_on.set()
        await asyncio.wait_for(done.wait(), 1)

    asyncio.run(run())
