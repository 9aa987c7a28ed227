"""Plans of exits on any scene: they end, never strip, never loosen, never exceed what is held."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ordergate.model.orders import Side
from ordergate.order.exits.plan import (
    Closed,
    Drop,
    End,
    Leg,
    Put,
    Reduce,
    Rest,
    Scene,
    holds,
    next_step,
    protected,
)
from support.examples import examples
from support.exit_scenes import carried_out

D = Decimal
LOTS = st.integers(1, 20).map(lambda n: D(n) / 10)
STEPS_MAX = 40


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    side = draw(st.sampled_from(Side))
    sign = 1 if side is Side.BUY else -1
    away = st.integers(1, 20).map(lambda n: D(100) - sign * n)
    beyond = st.integers(1, 20).map(lambda n: D(100) + sign * n)
    stops = draw(st.lists(st.tuples(LOTS, away), max_size=4))
    targets = draw(st.lists(st.tuples(LOTS, beyond), max_size=3))
    legs = [Leg(f"s{n}", True, price, lots) for n, (lots, price) in enumerate(stops)]  # type: ignore[arg-type]  # an id
    legs += [Leg(f"t{n}", False, price, lots) for n, (lots, price) in enumerate(targets)]  # type: ignore[arg-type]  # an id
    held = draw(st.one_of(st.just(D(0)), LOTS))
    return Scene(
        side=side,
        held=held,
        legs=tuple(legs),
        stop=draw(st.one_of(st.none(), away)),
        target=draw(st.one_of(st.none(), beyond)),
        keep=draw(st.one_of(st.none(), st.just(D(0)), LOTS)),
        closing_in_doubt=draw(st.booleans()),
        nearest=draw(st.one_of(st.none(), st.just(D(100) - sign * 3))),
        most=draw(st.sampled_from([D(100), D("0.7")])),
    )


def lots(seen: Scene, *, stop: bool) -> Decimal:
    return sum((leg.lots for leg in seen.legs if leg.stop is stop), D(0))


def walked(seen: Scene) -> tuple[list[Scene], object]:
    """Return the scenes of a plan, and how it ended."""
    story = [seen]
    for number in range(STEPS_MAX):
        step = next_step(seen)
        if isinstance(step, Rest | Reduce | Closed | End):
            return story, step
        seen = carried_out(step, seen, number)
        story.append(seen)
    raise AssertionError(f"no end: {story}")


@examples(600)
@given(scenes())
def test_every_plan_ends_and_leaves_exits_that_do_not_exceed_the_position(seen: Scene) -> None:
    story, step = walked(seen)
    last = story[-1]
    closing = last.keep is not None and not last.closing_in_doubt
    cover = min(last.keep or D(0), last.held) if closing else last.held
    assert lots(last, stop=True) <= cover
    assert lots(last, stop=False) <= cover
    if last.stop is not None:
        assert lots(last, stop=True) == cover
    assert isinstance(step, End) == (last.held == 0)
    assert isinstance(step, Reduce) == (closing and last.held > cover)


@examples(600)
@given(scenes())
def test_what_is_protected_stays_so_at_every_step_unless_it_is_being_closed(seen: Scene) -> None:
    if seen.held == 0 or seen.stop is None:
        return
    kept = seen.held if seen.keep is None or seen.closing_in_doubt else min(seen.keep, seen.held)
    story, _ = walked(seen)
    covered = False
    for scene in story:
        covered = covered or lots(scene, stop=True) >= kept
        assert not covered or lots(scene, stop=True) >= kept
    assert covered
    assert protected(replace(story[-1], held=kept))


@examples(600)
@given(scenes())
def test_a_managed_exit_never_loosens(seen: Scene) -> None:
    """No stop goes unless nearer ones, or ones as near as wanted, cover what stays."""
    if seen.stop is None or seen.held == 0:
        return
    kept = seen.held if seen.keep is None or seen.closing_in_doubt else min(seen.keep, seen.held)
    level = seen.stop
    if seen.nearest is not None and not holds(seen.side, seen.nearest, level):
        level = seen.nearest
    for number in range(STEPS_MAX):
        step = next_step(seen)
        match step:
            case Put(stop=True):
                assert holds(seen.side, step.price, level)
            case Drop():
                gone = next(leg for leg in seen.legs if leg.venue_order_id == step.venue_order_id)
                left = [leg for leg in seen.legs if leg.stop and leg is not gone]
                good = sum((leg.lots for leg in left if holds(seen.side, leg.price, level)), D(0))
                assert not gone.stop or good >= kept
            case Rest() | Reduce() | Closed() | End():
                return
            case _:
                pass
        seen = carried_out(step, seen, number)
