"""The emergency file takes a record or refuses it, finds torn ends, and never mixes generations."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from ordergate.adapters.emergency_file import HEADER, ROOM, EmergencyJournal
from ordergate.ports.emergency import EmergencyUnwritable

BODIES = ('{"n":1}', '{"n":2,"π":"é"}', '{"n":3}')


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "emergency.journal"


@pytest.fixture
def ids() -> Iterator[str]:
    return (f"{n:032x}" for n in itertools.count(1))


def opened(path: Path, ids: Iterator[str]) -> EmergencyJournal:
    return EmergencyJournal(path, new_id=lambda: next(ids))


def with_records(path: Path, ids: Iterator[str]) -> None:
    journal = opened(path, ids)
    for body in BODIES:
        journal.append_now(body)
    journal.close_now()


def held(path: Path, ids: Iterator[str]) -> tuple[tuple[str, ...], bool]:
    journal = opened(path, ids)
    found = journal.held()
    journal.close_now()
    return found.bodies, found.torn


def test_its_room_is_taken_in_advance_and_only_its_owner_reads_it(
    path: Path, ids: Iterator[str]
) -> None:
    with_records(path, ids)
    assert path.stat().st_size == ROOM
    assert path.stat().st_blocks * 512 >= ROOM, "a hole is no room"
    assert path.stat().st_mode & 0o077 == 0


def test_records_come_back_in_order(path: Path, ids: Iterator[str]) -> None:
    with_records(path, ids)
    assert held(path, ids) == (BODIES, False)


def test_a_write_that_never_ended_is_seen_and_left_out_wherever_it_stopped(
    path: Path, ids: Iterator[str]
) -> None:
    with_records(path, ids)
    whole = path.read_bytes()
    start = whole.index(b'{"n":3}') - 36
    for cut in range(start + 1, start + 36 + len(b'{"n":3}')):
        path.write_bytes(whole[:cut] + bytes(ROOM - cut))
        bodies, torn = held(path, ids)
        assert bodies == BODIES[:2]
        assert torn is any(whole[start : min(cut, start + 4)])


def test_behind_a_torn_end_records_go_on(path: Path, ids: Iterator[str]) -> None:
    with_records(path, ids)
    whole = path.read_bytes()
    cut = whole.index(b'{"n":3}') + 2
    path.write_bytes(whole[:cut] + bytes(ROOM - cut))
    journal = opened(path, ids)
    journal.append_now("x")
    journal.close_now()
    assert held(path, ids) == ((*BODIES[:2], "x"), False)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_changed_record_ends_what_is_believed(path: Path, ids: Iterator[str], place: int) -> None:
    with_records(path, ids)
    changed = path.read_bytes().replace(BODIES[place].encode(), BODIES[place].encode().upper(), 1)
    path.write_bytes(changed)
    bodies, torn = held(path, ids)
    assert bodies == BODIES[:place]
    assert torn


def test_renewed_it_holds_nothing_of_before_and_goes_on(path: Path, ids: Iterator[str]) -> None:
    with_records(path, ids)
    journal = opened(path, ids)
    before = journal.held().generation
    journal.renew_now()
    assert journal.held().generation != before
    journal.append_now("first")
    journal.close_now()
    assert held(path, ids) == (("first",), False)


def test_what_is_no_journal_of_ours_is_replaced_and_said(path: Path, ids: Iterator[str]) -> None:
    path.write_bytes(b"\x7fELF" * 1000)
    journal = opened(path, ids)
    assert (journal.held().bodies, journal.held().torn) == ((), True)
    journal.append_now("x")
    journal.close_now()
    assert held(path, ids) == (("x",), False)


def test_it_grows_beyond_its_room(path: Path, ids: Iterator[str]) -> None:
    journal = opened(path, ids)
    for n in range(3):
        journal.append_now(f"{n}" * (ROOM // 2))
    journal.close_now()
    assert len(held(path, ids)[0]) == 3
    assert path.stat().st_size > ROOM + HEADER


def test_a_path_that_cannot_be_used_refuses_records_until_it_can(
    path: Path, ids: Iterator[str]
) -> None:
    path.mkdir()
    journal = opened(path, ids)
    with pytest.raises(EmergencyUnwritable):
        journal.append_now("x")
    path.rmdir()
    journal.append_now("x")
    journal.close_now()
    assert held(path, ids) == (("x",), False)
