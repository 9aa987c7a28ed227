from __future__ import annotations

from ordergate.model.orders import Side
from ordergate.model.values import PositionId
from support.judging import Court, D, close, modify, place, position


def test_a_yes_is_good_half_a_percent_around_the_price_it_was_asked_at() -> None:
    judged = Court().judge(place())
    assert judged.reference_price == D("1.08510")
    assert (judged.band_low, judged.band_high) == (D("1.07967"), D("1.09053"))
    sold = Court().judge(place(side=Side.SELL, stop_loss=D("1.09")))
    assert sold.reference_price == D("1.08500")


def test_without_a_price_there_is_no_band() -> None:
    court = Court()
    court.market.forget("EURUSD")
    judged = court.judge(place())
    assert (judged.reference_price, judged.band_low, judged.band_high) == (None, None, None)


def test_what_an_opening_adds_and_an_exit_does_not() -> None:
    court = Court(positions=(position(),))
    added = court.judge(place()).exposure
    assert added is not None
    assert added.notional > 10_000
    assert court.judge(close()).exposure is None


def test_a_wider_stop_adds_no_size() -> None:
    court = Court(positions=(position(),))
    judged = court.judge(modify(position_id=PositionId("p1"), stop_loss=None))
    assert judged.exposure is not None
    assert (judged.exposure.notional, judged.exposure.risk) == (0, None)
