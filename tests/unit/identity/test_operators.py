from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordergate.identity.operators import (
    BOOTSTRAP_BYTES,
    FORGET_S,
    TRIES_MAX,
    TRIES_OF_ALL_MAX,
    WAIT_MAX_S,
    Throttle,
    bootstrap_password,
    name_fault,
    session_alive,
)

AT = datetime(2026, 1, 7, 14, tzinfo=UTC)


def tried(times: int, *, now: float = 0.0, throttle: Throttle | None = None) -> Throttle:
    throttle = throttle or Throttle()
    for _ in range(times):
        throttle = throttle.begun("alice", "127.0.0.1", now=now)
    return throttle


def test_five_tries_are_free_and_the_sixth_waits_a_minute() -> None:
    assert tried(TRIES_MAX - 1).wait_s("alice", "127.0.0.1", now=0) == 0
    assert tried(TRIES_MAX).wait_s("alice", "127.0.0.1", now=0) == 60
    assert tried(TRIES_MAX).wait_s("alice", "127.0.0.1", now=59) == 1
    assert tried(TRIES_MAX).wait_s("alice", "127.0.0.1", now=60) == 0


def test_each_further_try_doubles_the_wait_up_to_its_limit() -> None:
    throttle, now, waits = tried(TRIES_MAX), 0.0, []
    for _ in range(7):
        wait = throttle.wait_s("alice", "127.0.0.1", now=now)
        waits.append(wait)
        now += wait
        throttle = tried(1, now=now, throttle=throttle)
    assert waits == [60, 120, 240, 480, WAIT_MAX_S, WAIT_MAX_S, WAIT_MAX_S]


def test_another_account_or_address_does_not_wait() -> None:
    throttle = tried(TRIES_MAX)
    assert throttle.wait_s("bob", "127.0.0.1", now=0) == 0
    assert throttle.wait_s("alice", "::1", now=0) == 0


def test_a_success_and_a_quiet_time_clear_the_count() -> None:
    throttle = tried(TRIES_MAX)
    assert throttle.succeeded("alice", "127.0.0.1").wait_s("alice", "127.0.0.1", now=0) == 0
    assert throttle.wait_s("alice", "127.0.0.1", now=FORGET_S) == 0
    assert tried(1, now=FORGET_S, throttle=throttle).by_account[("alice", "127.0.0.1")].count == 1


def test_twenty_tries_a_minute_are_the_most_whoever_makes_them() -> None:
    throttle = Throttle()
    for n in range(TRIES_OF_ALL_MAX):
        assert throttle.wait_s(f"name{n}", "127.0.0.1", now=n) == 0
        throttle = throttle.begun(f"name{n}", "127.0.0.1", now=n)
    assert throttle.wait_s("alice", "::1", now=20) == 40
    assert throttle.wait_s("alice", "::1", now=60) == 0


def test_those_who_get_in_do_not_use_up_the_common_tries() -> None:
    throttle = Throttle()
    for _ in range(3 * TRIES_OF_ALL_MAX):
        throttle = tried(1, throttle=throttle).succeeded("alice", "127.0.0.1")
    assert throttle.wait_s("alice", "127.0.0.1", now=0) == 0


@given(st.lists(st.tuples(st.text(max_size=3), st.floats(0, 600)), max_size=200))
def test_what_is_remembered_stays_small(tries: list[tuple[str, float]]) -> None:
    throttle, now = Throttle(), 0.0
    for name, pause in tries:
        now += pause
        if throttle.wait_s(name, "::1", now=now) == 0:
            throttle = throttle.begun(name, "::1", now=now)
    assert len(throttle.of_all) <= TRIES_OF_ALL_MAX
    assert all(now - each.last < 2 * FORGET_S for each in throttle.by_account.values())


@pytest.mark.parametrize(
    ("created_min", "seen_min", "alive"),
    [(0, 0, True), (29, 29, True), (30, 30, False), (719, 0, True), (720, 0, False)],
)
def test_a_session_ends_after_idle_30_min_and_after_12_h(
    created_min: int, seen_min: int, alive: bool
) -> None:
    created = AT - timedelta(minutes=created_min)
    seen = AT - timedelta(minutes=seen_min)
    assert session_alive(created_at=created, last_seen_at=seen, now=AT) is alive


def test_the_bootstrap_password_carries_160_bits_in_readable_groups() -> None:
    password = bootstrap_password(bytes(range(BOOTSTRAP_BYTES)))
    assert re.fullmatch(r"(?:[A-Z2-7]{4}-){7}[A-Z2-7]{4}", password)
    assert len({bootstrap_password(bytes([n] * BOOTSTRAP_BYTES)) for n in range(256)}) == 256
    with pytest.raises(ValueError, match="random bytes"):
        bootstrap_password(bytes(15))


@pytest.mark.parametrize(("name", "fine"), [("alice", True), ("a.b-c_1", True), ("Alice", False)])
def test_operator_names_are_plain(name: str, fine: bool) -> None:
    assert (name_fault(name) is None) is fine
