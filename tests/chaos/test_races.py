"""The kill race and the limit race, small, each seen to fail; `make chaos` runs thousands."""

from __future__ import annotations

import multiprocessing
import secrets
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from chaos import kill_race, limit_race
from chaos.races import make_template

ROUNDS = 20

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]


@pytest.fixture(scope="module")
def for_kills(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("kills"), kill_race.ROOM)


@pytest.fixture(scope="module")
def for_limits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("limits"), limit_race.ROOM)


def _apart() -> ProcessPoolExecutor:
    """A process of its own: what is broken there stays there."""
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


def test_no_opening_is_claimed_after_the_kill_and_every_exit_goes_out(for_kills: Path) -> None:
    race = kill_race.play(secrets.randbelow(2**31), ROUNDS, for_kills)
    assert not race.wrong, race.wrong
    assert (race.rounds, race.exits, len(race.refused_s)) == (ROUNDS, ROUNDS, ROUNDS)
    assert len(race.cancels_s) >= ROUNDS


@pytest.mark.parametrize("name", ["kill flag read outside the claim", "kill gates exits"])
def test_a_broken_kill_switch_is_seen_in_the_race(for_kills: Path, name: str) -> None:
    with _apart() as pool:
        assert pool.submit(kill_race.play, 1, ROUNDS, for_kills, name).result(240).wrong


def test_no_limit_is_passed_by_a_unit(for_limits: Path) -> None:
    race = limit_race.play(secrets.randbelow(2**31), ROUNDS, for_limits)
    assert not race.wrong, race.wrong
    assert race.full > ROUNDS // 2


def test_a_judge_who_forgets_what_is_reserved_is_seen(for_limits: Path) -> None:
    with _apart() as pool:
        race = pool.submit(limit_race.play, 1, ROUNDS, for_limits, broken=True).result(240)
    assert race.wrong
