"""The plan of an exit, step by step: what rests, what goes first, and when the close is sent."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ordergate.model.market import Quote
from ordergate.model.orders import Side
from ordergate.model.values import Symbol
from ordergate.order.exits.plan import (
    Closed,
    Drop,
    End,
    Put,
    Reduce,
    Rest,
    Scene,
    nearest_stop,
    next_step,
    protected,
    resting_stop,
    trailed,
)
from support.exit_scenes import AT, a_guard, carried_out, leg, scene
from support.manual_market import fx

D = Decimal


def walk(seen: Scene) -> list[object]:
    """Return the steps until the plan rests, sends its close, or ends."""
    taken: list[object] = []
    for number in range(20):
        step = next_step(seen)
        taken.append(step)
        if isinstance(step, Rest | Reduce | Closed | End):
            return taken
        seen = carried_out(step, seen, number)
    raise AssertionError(f"no end: {taken}")


@pytest.mark.parametrize(
    ("seen", "step"),
    [
        (scene(), Put(True, D(1), D(90))),
        (scene(legs=(leg("a", "1", "90"),)), Rest()),
        (scene(legs=(leg("a", "0.4", "90"),)), Put(True, D("0.6"), D(90))),
        (scene(legs=(leg("a", "1", "95"),)), Rest()),  # nearer than wanted protects too
        (scene(most=D("0.3")), Put(True, D("0.3"), D(90))),
        (scene(stop=None), Rest()),
        (scene(held=D(0), stop=None), End()),
        (scene(held=D(0), legs=(leg("a", "1", "90"),)), Drop("a")),
        (scene(nearest=None), Put(True, D(1), D(90))),
        # As near as the venue takes it now, where the market has come nearer than that.
        (scene(stop=D(100)), Put(True, D(1), D(99))),
        (scene(stop=D(100), legs=(leg("a", "1", "99"),)), Rest()),
        (scene(side=Side.SELL, stop=D(110), nearest=D(101)), Put(True, D(1), D(110))),
        (scene(side=Side.SELL, stop=D(100), nearest=D(101)), Put(True, D(1), D(101))),
        (
            scene(legs=(leg("a", "1", "90"),), target=D(110)),
            Put(False, D(1), D(110)),
        ),
        (scene(keep=D(0)), Reduce(D(1))),
        (scene(keep=D("0.4")), Put(True, D("0.4"), D(90))),
        (scene(keep=D("0.4"), held=D("0.4"), legs=(leg("a", "0.4", "90"),)), Closed()),
    ],
)
def test_the_next_step(seen: Scene, step: object) -> None:
    assert next_step(seen) == step


def test_a_nearer_stop_rests_before_the_farther_one_goes() -> None:
    assert walk(scene(stop=D(95), legs=(leg("a", "1", "90"),))) == [
        Put(True, D(1), D(95)),
        Drop("a"),
        Rest(),
    ]


def test_a_smaller_stop_rests_before_the_larger_one_goes() -> None:
    assert walk(scene(held=D("0.6"), legs=(leg("a", "1", "90"),))) == [
        Put(True, D("0.6"), D(90)),
        Drop("a"),
        Rest(),
    ]


def test_of_several_stops_those_that_are_too_much_go() -> None:
    legs = (leg("a", "0.5", "90"), leg("b", "0.3", "90"), leg("c", "0.2", "90"))
    assert walk(scene(held=D("0.7"), legs=legs)) == [Drop("b"), Rest()]


def test_a_close_drops_the_target_first_and_the_stop_last() -> None:
    legs = (leg("s", "1", "90"), leg("t", "1", "110", stop=False))
    assert walk(scene(keep=D(0), target=D(110), legs=legs)) == [
        Drop("t"),
        Drop("s"),
        Reduce(D(1)),
    ]


def test_a_part_to_close_leaves_a_stop_over_the_rest_before_it_is_sent() -> None:
    seen = scene(keep=D("0.4"), legs=(leg("s", "1", "90"),))
    assert walk(seen) == [Put(True, D("0.4"), D(90)), Drop("s"), Reduce(D("0.6"))]


def test_a_close_in_doubt_is_not_sent_again_and_all_that_is_held_is_protected() -> None:
    assert walk(scene(keep=D(0), closing_in_doubt=True)) == [Put(True, D(1), D(90)), Rest()]


def test_a_target_that_was_moved_goes_before_the_new_one_rests() -> None:
    legs = (leg("s", "1", "90"), leg("t", "1", "110", stop=False))
    assert walk(scene(target=D(120), legs=legs)) == [Drop("t"), Put(False, D(1), D(120)), Rest()]


def test_protected_means_a_stop_over_every_lot() -> None:
    assert protected(scene(legs=(leg("a", "1", "90"),)))
    assert protected(scene(stop=None))
    assert not protected(scene(legs=(leg("a", "0.99", "90"),)))
    assert not protected(scene(legs=(leg("a", "1", "110", stop=False),)))


def quote(bid: str, ask: str) -> Quote:
    return Quote(Symbol("EURUSD"), D(bid), D(ask), AT, "manual", True)


def test_a_trail_is_only_ever_brought_nearer_and_not_for_a_trifle() -> None:
    spec, guard = fx("EURUSD"), a_guard(trail_amount=D("0.0020"))
    assert trailed(guard, quote("1.08500", "1.08510"), spec) == D("1.0830")
    guard = a_guard(trail_amount=D("0.0020"), stop=D("1.0830"))
    assert trailed(guard, quote("1.08000", "1.08010"), spec) == D("1.0830")
    assert trailed(guard, quote("1.08519", "1.08529"), spec) == D("1.0830")
    assert trailed(guard, quote("1.08520", "1.08530"), spec) == D("1.0832")
    assert trailed(guard, None, spec) == D("1.0830")
    short = a_guard(side=Side.SELL, trail_percent=D("0.5"), stop=D("1.10"))
    assert trailed(short, quote("1.08500", "1.08510"), spec) == D("1.09053")
    assert trailed(a_guard(), quote("1.2", "1.3"), spec) == D("1.08")


def test_the_nearest_stop_is_the_venue_s_distance_from_the_market_and_wider_when_refused() -> None:
    spec = fx("EURUSD", stops_level_ticks=10)
    assert nearest_stop(Side.BUY, quote("1.08500", "1.08510"), spec) == D("1.08490")
    assert nearest_stop(Side.SELL, quote("1.08500", "1.08510"), spec) == D("1.08520")
    assert nearest_stop(Side.BUY, quote("1.08500", "1.08510"), spec, refused=2) == D("1.08470")
    assert nearest_stop(Side.BUY, quote("1.08500", "1.08510"), fx("EURUSD")) == D("1.08499")
    assert nearest_stop(Side.BUY, None, spec) is None


def test_what_is_put_back_is_the_farthest_of_the_stops() -> None:
    legs = (leg("a", "1", "90"), leg("b", "1", "95"), leg("t", "1", "110", stop=False))
    assert resting_stop(Side.BUY, legs) == D(90)
    assert resting_stop(Side.SELL, legs) == D(95)
    assert resting_stop(Side.BUY, legs[2:]) is None
