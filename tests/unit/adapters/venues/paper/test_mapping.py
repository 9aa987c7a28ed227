from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ordergate.adapters.venues.paper import mapping
from ordergate.adapters.venues.paper.mapping import REFUSALS, TooFine, refusal, spec_of
from ordergate.model.errors import Code
from support.manual_market import STANDARD, coin, fx, share

EURUSD = spec_of(fx("EURUSD"))


def test_a_price_is_a_positive_whole_number_of_ticks() -> None:
    assert EURUSD.ticks(Decimal("1.39111")) == 139_111
    for bad in ("1.391115", "0", "-1", "NaN", "Infinity"):
        assert EURUSD.ticks(Decimal(bad)) is None


def test_a_feed_s_price_between_two_ticks_goes_to_the_safe_side() -> None:
    assert EURUSD.bid_ticks(Decimal("1.391117")) == 139_111
    assert EURUSD.ask_ticks(Decimal("1.391111")) == 139_112


def test_sizes_are_whole_lot_steps() -> None:
    assert EURUSD.steps(Decimal("0.20")) == 20
    assert EURUSD.steps(Decimal("0.205")) is None
    assert EURUSD.quantity(20) == Decimal("0.20")


def test_an_average_price_keeps_a_thousandth_of_a_tick() -> None:
    assert EURUSD.average(3 * 110_000 + 1, 3) == Decimal("1.10000333")
    assert EURUSD.average(330_000, 3) == Decimal("1.1")


@pytest.mark.parametrize(
    ("spec", "want"),
    [
        (EURUSD, 1_000_000),  # 0.01 USD
        (spec_of(fx("USDJPY", tick_size="0.001")), 100_000_000),  # 1 JPY
        (spec_of(share("AAPL")), 1_000_000),
        (spec_of(coin("BTCUSD")), 100),  # 0.000001 USD
    ],
)
def test_what_a_tick_of_a_lot_step_is_worth(spec: mapping.Spec, want: int) -> None:
    assert spec.tick_value == want


def test_an_instrument_too_fine_for_the_venue_s_money_is_refused() -> None:
    with pytest.raises(TooFine):
        spec_of(replace(coin("BTCUSD"), tick_size=Decimal("0.0000001")))


@pytest.mark.parametrize("instrument", STANDARD)
def test_a_specification_survives_the_file(instrument: mapping.Instrument) -> None:
    assert mapping.decode_instrument(mapping.encode_instrument(instrument)) == instrument


def test_units_differ_when_what_a_number_means_differs() -> None:
    one = fx("EURUSD")
    assert mapping.same_units(one, replace(one, leverage=5))
    assert not mapping.same_units(one, replace(one, tick_size=Decimal("0.0001")))


def test_times_and_money_keep_every_digit() -> None:
    at = datetime(2014, 5, 8, 14, 3, 32, 594321, tzinfo=UTC)
    assert mapping.moment(mapping.micros(at)) == at
    assert mapping.amount(mapping.money(Decimal("-12.34567891"))) == Decimal("-12.34567891")


def test_every_refusal_has_a_meaning_in_our_words() -> None:
    for code in REFUSALS:
        no = refusal(code)
        assert no.code == code
        assert no.reason
        assert isinstance(REFUSALS[code].code, Code)
