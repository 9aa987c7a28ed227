"""A challenge is for one act and one asker, once, for two minutes, and there are never many."""

from __future__ import annotations

from ordergate.identity.factors.challenges import (
    HELD_MAX,
    LIFE_S,
    Asked,
    Challenges,
    Purpose,
    challenge_of,
)

YES = Purpose(act="approve", target="t1", over="f" * 64)


def asked(at: float = 0.0, asker: str = "s1") -> Asked:
    return Asked(purpose=YES, asker=asker, at=at)


def test_a_challenge_is_a_hash_over_all_that_it_is_for() -> None:
    others = [
        Purpose(act="release", target="t1", over="f" * 64),
        Purpose(act="approve", target="t2", over="f" * 64),
        Purpose(act="approve", target="t1", over="e" * 64),
        Purpose(act="approve", target="t1"),
        Purpose(act="approvet1", target="", over="f" * 64),
    ]
    hashes = {challenge_of(one, nonce=b"n") for one in (YES, *others)}
    hashes.add(challenge_of(YES, nonce=b"m"))
    assert len(hashes) == 7
    assert all(len(one) == 32 for one in hashes)


def test_only_who_was_asked_may_answer_and_once() -> None:
    held = Challenges().issued(b"c", asked())
    assert held.asked(b"c", asker="s1", now=1.0) == asked()
    assert held.asked(b"c", asker="s2", now=1.0) is None
    assert held.asked(b"d", asker="s1", now=1.0) is None
    assert held.taken(b"c").asked(b"c", asker="s1", now=1.0) is None


def test_it_ends_after_two_minutes() -> None:
    held = Challenges().issued(b"c", asked(at=10.0))
    assert held.asked(b"c", asker="s1", now=10.0 + LIFE_S - 0.1) is not None
    assert held.asked(b"c", asker="s1", now=10.0 + LIFE_S) is None


def test_the_oldest_makes_room_and_the_old_are_forgotten() -> None:
    held = Challenges()
    for n in range(HELD_MAX + 3):
        held = held.issued(bytes([n]), asked(at=float(n) / 100))
    assert len(held.waiting) == HELD_MAX
    assert held.asked(bytes([2]), asker="s1", now=1.0) is None
    assert held.asked(bytes([3]), asker="s1", now=1.0) is not None
    late = held.issued(b"late", asked(at=LIFE_S + 10))
    assert set(late.waiting) == {b"late"}
