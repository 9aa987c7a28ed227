from __future__ import annotations

from ordergate.sim.margin import covers, free, hedged, required, stop_out, worst_first


def test_margin_is_rounded_up() -> None:
    assert required(110_010, 30) == 3667
    assert required(110_011, 30) == 3668


def test_hedged_positions_need_the_larger_leg() -> None:
    assert hedged(300, 200) == 300
    assert hedged(0, 200) == 200


def test_equity_covers_margin_up_to_the_last_unit() -> None:
    assert covers(1000, 1000) == 1
    assert covers(999, 1000) == 0
    assert free(1000, 400) == 600


def test_stop_out_at_half_the_margin_and_never_without_margin() -> None:
    assert stop_out(501, 1000, 50, 100) == 0
    assert stop_out(500, 1000, 50, 100) == 1
    assert stop_out(-10, 0, 50, 100) == 0
    assert stop_out(-10, 1000, 50, 100) == 1


def test_the_worst_position_goes_first() -> None:
    assert worst_first((10, -5, -20, 3)) == 2
    assert worst_first((-5, -5)) == 0
