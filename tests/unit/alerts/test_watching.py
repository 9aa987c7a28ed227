"""A death is told within a minute, once confirmed, and again; a return is told once."""

from __future__ import annotations

import pytest

from ordergate.adapters.notify import DEADLINE_S
from ordergate.adapters.reach import DEADLINE_S as LOOK_S
from ordergate.alerts.watching import REPEAT_LATER_S, REPEAT_S, Watch, Word, noticed_within
from ordergate.settings.sections import Notify


def test_with_the_defaults_a_death_is_told_within_a_minute() -> None:
    assert noticed_within(15, look_s=LOOK_S, send_s=DEADLINE_S) <= 60
    assert noticed_within(30, look_s=LOOK_S, send_s=DEADLINE_S) <= 60
    assert noticed_within(45, look_s=LOOK_S, send_s=DEADLINE_S) > 60
    # An outside service that waits for two beats has missed the second one within a minute.
    assert 2 * (Notify().heartbeat_s + LOOK_S) <= 60


def test_one_failed_look_is_no_death_and_the_second_comes_soon() -> None:
    watch, word = Watch().seen(alive=False, now=0)
    assert word is None
    assert watch.pause(15) == 5
    assert Watch().pause(15) == 15
    assert watch.seen(alive=True, now=5) == (Watch(), None)
    assert watch.seen(alive=False, now=5)[1] is Word.DOWN


def down() -> Watch:
    watch, _ = Watch().seen(alive=False, now=0)
    return watch.seen(alive=False, now=5)[0]


def test_what_reached_nobody_is_said_again_at_the_next_look() -> None:
    assert down().seen(alive=False, now=10)[1] is Word.DOWN
    told = down().said(Word.DOWN, 10)
    assert told.seen(alive=False, now=25)[1] is None


@pytest.mark.parametrize(("told", "wait"), [(1, REPEAT_S), (2, REPEAT_LATER_S)])
def test_a_death_is_repeated(told: int, wait: float) -> None:
    watch = down()
    for _ in range(told):
        watch = watch.said(Word.DOWN, 100)
    assert watch.seen(alive=False, now=100 + wait - 1)[1] is None
    assert watch.seen(alive=False, now=100 + wait)[1] is Word.DOWN


def test_a_return_is_told_until_it_reached_somebody() -> None:
    watch = down().said(Word.DOWN, 10)
    again, word = watch.seen(alive=True, now=20)
    assert word is Word.UP
    assert again.seen(alive=True, now=35)[1] is Word.UP
    assert again.said(Word.UP, 35) == Watch()
