"""The stdio door's way to a gateway: one comes of it, whoever asks and however many at once."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ordergate.adapters.system import SystemClock
from ordergate.model.errors import NotReady
from ordergate.surfaces.cli.attach import Attachment, Spawn, attach, child_environment, read_token
from ordergate.surfaces.cli.running import DirectoryHeld, hold, is_held, leave_note, running
from support.cli_gateway import CannedGateway, running_gateway

TESTS = Path(__file__).parents[2]


class Nursery:
    """Starts fake gateways and ends them all."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.children: list[subprocess.Popen[bytes]] = []

    def spawner(self, slow: str = "0.1") -> Spawn:
        def spawn() -> subprocess.Popen[bytes]:
            program = str(TESTS / "support" / "fake_gateway.py")
            child = subprocess.Popen(
                [sys.executable, program, str(self.data_dir), slow],
                stdin=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": str(TESTS)},
            )
            self.children.append(child)
            return child

        return spawn

    def started(self) -> list[str]:
        return (self.data_dir / "started").read_text().split()

    def close(self) -> None:
        for child in self.children:
            assert child.stdin is not None
            child.stdin.close()
            child.wait(timeout=10)


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    held = Nursery(tmp_path / "data")
    yield held
    held.close()


def _attach(nursery: Nursery, spawn: Spawn | None = None) -> Attachment:
    return attach(
        nursery.data_dir, spawn=spawn or nursery.spawner(), monotonic=SystemClock().monotonic
    )


def test_the_first_call_starts_a_gateway_and_the_next_finds_it(nursery: Nursery) -> None:
    first = _attach(nursery)
    assert first.token == "og_ag_00000000_test"
    assert _attach(nursery) == first
    assert len(nursery.started()) == len(nursery.children) == 1


def test_many_doors_at_once_end_with_one_gateway(nursery: Nursery) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: _attach(nursery), range(4)))
    assert len(set(found)) == 1
    assert len(nursery.started()) == 1


def test_a_gateway_that_the_operator_starts_meanwhile_is_the_one(nursery: Nursery) -> None:
    """The operator's gateway holds the directory; ours ends at once, and theirs is attached to."""

    def spawn() -> subprocess.Popen[bytes]:
        nursery.spawner("1")()
        while not is_held(nursery.data_dir):
            time.sleep(0.01)
        return nursery.spawner()()

    _attach(nursery, spawn)
    assert len(nursery.started()) == 1
    assert len(nursery.children) == 2


def test_a_gateway_that_dies_at_its_start_is_reported_at_once(nursery: Nursery) -> None:
    with pytest.raises(NotReady, match="no gateway became ready"):
        _attach(nursery, nursery.spawner("never"))


def test_the_wait_for_a_gateway_ends(nursery: Nursery) -> None:
    ticks = itertools.count(step=5)
    with pytest.raises(NotReady):
        attach(nursery.data_dir, spawn=nursery.spawner("30"), monotonic=lambda: next(ticks))
    nursery.children[0].terminate()


def test_what_a_client_puts_into_our_environment_arms_nothing(tmp_path: Path) -> None:
    seen = child_environment(
        tmp_path / "c",
        tmp_path / "d",
        {
            "PATH": "/bin",
            "HOME": "/home/one",
            "TRADING_MODE": "live",
            "ALLOW_LIVE_TRADING": "true",
            "ORDERGATE_LIMITS__DAILY_LOSS_FRACTION": "1",
            "ORDERGATE_CONFIG_DIR": "elsewhere",
            "PYTHONPATH": "/evil",
            "LD_PRELOAD": "/evil.so",
        },
    )
    assert seen == {
        "PATH": "/bin",
        "HOME": "/home/one",
        "ORDERGATE_CONFIG_DIR": str(tmp_path / "c"),
        "ORDERGATE_DATA_DIR": str(tmp_path / "d"),
    }


def test_a_token_of_the_operators_choice_goes_first(tmp_path: Path) -> None:
    with running_gateway(tmp_path, CannedGateway()):
        found = attach(
            tmp_path,
            spawn=lambda: pytest.fail("one runs already"),
            monotonic=SystemClock().monotonic,
            token="chosen",
        )
    assert found.token == "chosen"


@pytest.mark.skipif(os.name != "posix", reason="Windows has no modes")
def test_a_token_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    file = tmp_path / "agent.token"
    file.write_text("og_ag_00000000_test")
    file.chmod(0o640)
    with pytest.raises(NotReady, match="read by others"):
        read_token(file)


def test_a_directory_is_held_by_one_until_it_is_let_go(tmp_path: Path) -> None:
    assert is_held(tmp_path) is False
    with hold(tmp_path):
        assert is_held(tmp_path) is True
        with pytest.raises(DirectoryHeld), hold(tmp_path, wait_s=0):
            pass
    assert is_held(tmp_path) is False
    with hold(tmp_path, wait_s=0):
        pass


def test_a_note_is_believed_only_while_its_writer_holds_the_directory(tmp_path: Path) -> None:
    with running_gateway(tmp_path, CannedGateway()):
        note = running(tmp_path)
        assert note is not None
    assert running(tmp_path) is None
    leave_note(tmp_path, note)
    assert running(tmp_path) is None
    (tmp_path / "gateway.json").write_text('{"pid": "nonsense"}')
    assert running(tmp_path) is None
