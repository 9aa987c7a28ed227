from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest

from ordergate.model.market import Quote
from ordergate.model.orders import OrderType, PlaceIntent, Side
from ordergate.model.values import Symbol
from ordergate.order.policy.exposure import (
    Book,
    Pending,
    Worth,
    book,
    entry_price,
    larger,
    reached_price,
    seen_at_rest,
    value,
    valued,
    worst_price,
)
from ordergate.order.policy.limits import Limits
from support.judging import D, place, position, resting
from support.manual_market import STANDARD, WEDNESDAY

SPECS = {spec.symbol: spec for spec in STANDARD}
QUOTE = Quote(Symbol("EURUSD"), D("1.08500"), D("1.08510"), WEDNESDAY, "manual", True)
COLLAR = D("0.005")
GOLD = D(2650)
EUR = Worth(underlying="EURUSD", leverage=30, unit=D(100_000), price=D("1.08510"))


def notional(symbol: str, quantity: str, bid: str, ask: str, rate: str = "1") -> Decimal:
    quote = Quote(Symbol(symbol), D(bid), D(ask), WEDNESDAY, "manual", True)
    order = place(symbol=Symbol(symbol), quantity=D(quantity), stop_loss=None)
    found = value(order, quote, instrument=SPECS[Symbol(symbol)], rate=D(rate), limits=Limits())
    return found.notional


def test_a11_a_tenth_of_a_lot_of_eurusd_is_10851_dollars() -> None:
    assert notional("EURUSD", "0.10", "1.0850", "1.0851") == D(10_851)


def test_a11_one_lot_of_gold_is_a_hundred_ounces() -> None:
    assert notional("XAUUSD", "1", "2649.70", "2650.00") == D(265_000)


def test_a11_usdjpy_is_converted_out_of_yen() -> None:
    yen = D(1) / D("157.00")
    converted = value(
        place(symbol=Symbol("USDJPY"), quantity=D("0.10"), stop_loss=None),
        Quote(Symbol("USDJPY"), D("156.99"), D("157.00"), WEDNESDAY, "manual", True),
        instrument=SPECS[Symbol("USDJPY")],
        rate=yen,
        limits=Limits(),
    )
    assert converted.notional.quantize(D("0.01")) == D(10_000)


def test_a11_an_account_in_euro_counts_in_euro() -> None:
    assert notional("AAPL", "10", "189.98", "190.00", rate="0.9") == D(1710)


@pytest.mark.parametrize(
    ("terms", "entry", "worst"),
    [
        ({}, "1.08510", "1.090525500"),
        ({"side": Side.SELL}, "1.08500", "1.08500"),
        ({"order_type": OrderType.LIMIT, "limit_price": D("1.07")}, "1.07", "1.07"),
        (
            {"side": Side.SELL, "order_type": OrderType.LIMIT, "limit_price": D("1.09")},
            "1.09",
            "1.09",
        ),
        # A sell limit below the market fills at the market.
        (
            {"side": Side.SELL, "order_type": OrderType.LIMIT, "limit_price": D("1.08")},
            "1.08",
            "1.08500",
        ),
        # A17: a buy stop is valued at its trigger, never below the market.
        ({"order_type": OrderType.STOP, "stop_price": D("1.09")}, "1.09", "1.09"),
        ({"order_type": OrderType.STOP, "stop_price": D("0.01")}, "0.01", "1.08510"),
        (
            {"side": Side.SELL, "order_type": OrderType.STOP, "stop_price": D("1.08")},
            "1.08",
            "1.08",
        ),
        (
            {
                "order_type": OrderType.STOP_LIMIT,
                "stop_price": D("1.09"),
                "limit_price": D("1.0905"),
            },
            "1.0905",
            "1.0905",
        ),
        (
            {"order_type": OrderType.TRAILING_STOP, "trail_amount": D("0.0049")},
            "1.09000",
            "1.09000",
        ),
        ({"order_type": OrderType.TRAILING_STOP, "trail_percent": D(2)}, "1.1068020", "1.1068020"),
        # A trailing stop that names where it starts, starts there.
        ({"order_type": OrderType.TRAILING_STOP, "stop_price": D("1.09")}, "1.09", "1.09"),
        # A stop-limit whose trigger lies beyond its limit is worth its trigger.
        (
            {"order_type": OrderType.STOP_LIMIT, "stop_price": D("1.10"), "limit_price": D("1.09")},
            "1.09",
            "1.10",
        ),
        (
            {"order_type": OrderType.STOP_LIMIT, "stop_price": None, "limit_price": D("1.09")},
            "1.09",
            "1.09",
        ),
        (
            {
                "side": Side.SELL,
                "order_type": OrderType.TRAILING_STOP,
                "trail_amount": D("0.0050"),
            },
            "1.08000",
            "1.08500",
        ),
    ],
)
def test_the_price_asked_for_and_the_worst_one(
    terms: dict[str, object], entry: str, worst: str
) -> None:
    order: PlaceIntent = place(**terms)
    assert entry_price(order, QUOTE) == D(entry)
    assert worst_price(order, QUOTE, collar_fraction=COLLAR) == D(worst)


@pytest.mark.parametrize(
    ("side", "limit", "reached"),
    [
        (Side.BUY, "1.07", "1.08510"),  # waits for a better price: the market's is nearer
        (Side.BUY, "1.09", "1.09"),
        (Side.SELL, "1.10", "1.08500"),
        (Side.SELL, "1.07", "1.07"),
    ],
)
def test_what_waits_for_a_better_price_would_trade_at_the_markets(
    side: Side, limit: str, reached: str
) -> None:
    order = place(side=side, order_type=OrderType.LIMIT, limit_price=D(limit))
    assert reached_price(order, QUOTE) == D(reached)


@pytest.mark.parametrize("missing", ["order", "quote", "instrument", "rate"])
def test_without_one_of_its_facts_an_order_has_no_value(missing: str) -> None:
    facts = {
        "order": place(),
        "quote": QUOTE,
        "instrument": SPECS[Symbol("EURUSD")],
        "rate": D(1),
    }
    assert valued(**facts, limits=Limits()) is not None
    assert valued(**{**facts, missing: None}, limits=Limits()) is None


@pytest.mark.parametrize(
    ("terms", "risk", "reward"),
    [
        ({"stop_loss": D("1.08010")}, "50", None),
        ({"stop_loss": D("1.08010"), "take_profit": D("1.09510")}, "50", "100"),
        ({"side": Side.SELL, "stop_loss": D("1.09"), "take_profit": D("1.08")}, "50", "50"),
        ({"stop_loss": D("1.09510")}, "-100", None),
        ({"stop_loss": None}, None, None),
    ],
)
def test_risk_to_the_stop_and_reward_to_the_target(
    terms: dict[str, object], risk: str | None, reward: str | None
) -> None:
    spec = SPECS[Symbol("EURUSD")]
    found = value(place(**terms), QUOTE, instrument=spec, rate=D(1), limits=Limits())
    assert found.risk == (None if risk is None else D(risk))
    assert found.reward == (None if reward is None else D(reward))


def test_margin_is_the_worst_value_over_the_leverage() -> None:
    spec = SPECS[Symbol("EURUSD")]
    order = place(order_type=OrderType.LIMIT, limit_price=D("1.08"), quantity=D("0.30"))
    found = value(order, QUOTE, instrument=spec, rate=D(1), limits=Limits())
    assert found.margin == D(1080)


def pending(side: Side = Side.BUY, quantity: str = "0.1", notional: str | None = "1") -> Pending:
    amount = None if notional is None else D(notional)
    return Pending(symbol=Symbol("EURUSD"), side=side, quantity=D(quantity), notional=amount)


def test_the_book_counts_what_is_held_and_what_may_fill() -> None:
    gold = Worth(underlying="XAUUSD", leverage=20, unit=D(100), price=D(2650))
    held = book(
        Symbol("EURUSD"),
        positions=[
            position(),
            position(side=Side.SELL, quantity=D("0.20")),
            position(symbol=Symbol("XAUUSD"), quantity=D(1), current_price=D(2650)),
        ],
        pending=[pending(notional="3000"), pending(Side.SELL, "0.3", notional="500")],
        exits={Side.SELL: D("0.05")},
        worths={Symbol("EURUSD"): EUR, Symbol("XAUUSD"): gold},
    )
    assert held.gross == D(10_850) + D(21_700) + D(265_000) + D(3500)
    assert (held.long, held.short) == (D(13_850), D(22_200))
    assert (held.held_long, held.held_short) == (D("0.10"), D("0.20"))
    assert (held.pending_buy, held.pending_sell) == (D("0.1"), D("0.3"))
    assert (held.coming(Side.BUY), held.coming(Side.SELL)) == (D("0.1"), D("0.3"))
    assert (held.positions, held.pending) == (3, 2)
    assert held.margin_pending is not None
    assert held.margin_pending.quantize(D("0.01")) == D("116.67")
    assert held.held_against(Side.SELL) == D("0.10")
    assert held.exits(Side.SELL) == D("0.05")
    assert held.at_side(Side.SELL) == D(22_200)


def test_names_of_one_underlying_are_one_exposure() -> None:
    held = book(
        Symbol("EURUSD"),
        positions=[position(symbol=Symbol("EURUSD.m"))],
        pending=[],
        exits={},
        worths={Symbol("EURUSD"): EUR, Symbol("EURUSD.m"): EUR},
    )
    assert held.long == D(10_850)
    assert held.held_long == 0


def test_what_has_no_price_makes_the_sum_unknown() -> None:
    held = book(
        Symbol("EURUSD"),
        positions=[position(current_price=None)],
        pending=[pending(notional=None)],
        exits={},
        worths={Symbol("EURUSD"): EUR},
    )
    assert (held.gross, held.long, held.margin_pending) == (None, None, None)
    assert held.short == 0
    assert held.unvalued == ("EURUSD",)


def test_a_resting_order_is_valued_at_its_own_price_or_at_the_market() -> None:
    assert seen_at_rest(resting(filled_quantity=D("0.04")), EUR).notional == D(6480)
    assert seen_at_rest(resting(limit_price=None), EUR).notional == D(10_851)
    stop = resting(limit_price=None, stop_price=D("1.09"))
    assert seen_at_rest(stop, EUR).notional == D(10_900)


def test_an_enlarged_resting_order_counts_at_its_new_size() -> None:
    grown = larger(pending(quantity="0.1", notional="100"), pending(quantity="0.3", notional="300"))
    assert (grown.quantity, grown.notional) == (D("0.3"), D(300))
    kept = larger(pending(notional="100"), pending(notional="80"))
    assert kept.notional == D(100)


def test_a_claim_of_unknown_worth_stays_as_it_is_held() -> None:
    held, seen = pending(notional="100"), pending(quantity="0.3", notional=None)
    assert larger(held, seen) == held
    unknown = pending(notional=None)
    assert larger(unknown, pending(quantity="0.3", notional="300")) == unknown


def shocked(*, gold: Decimal | None = GOLD) -> Book:
    """Return: of EURUSD 10,850 long and 21,700 short, of gold 265,000 short; one leap each."""
    worths = {
        Symbol("EURUSD"): dataclasses.replace(EUR, shock=D("0.02")),
        Symbol("XAUUSD"): Worth(
            underlying="XAUUSD", leverage=20, unit=D(100), price=gold, shock=D("0.10")
        ),
    }
    return book(
        Symbol("EURUSD"),
        positions=[
            position(),
            position(side=Side.SELL, quantity=D("0.20")),
            position(symbol=Symbol("XAUUSD"), side=Side.SELL, quantity=D(1), current_price=gold),
        ],
        pending=[],
        exits={},
        worths=worths,
    )


def test_the_stress_is_each_underlying_at_its_worse_side() -> None:
    """A fall costs the long surplus -10,850 x 2 %, a rise 10,850 x 2 %; gold 26,500 either way."""
    held = shocked()
    assert (held.stress_long, held.stress_short, held.stress_others) == (D(-217), D(217), D(26_500))
    assert held.stress() == D(26_717)
    assert held.stress(Side.BUY, D(100)) == D(26_717)  # it sets off what is short
    assert held.stress(Side.BUY, D(500)) == D(26_783)
    assert held.stress(Side.SELL, D(100)) == D(26_817)


def test_the_room_for_stress_is_measured_on_the_orders_side() -> None:
    held = shocked()
    assert held.stress_room(Side.BUY, D(30_000)) == D(3_717)
    assert held.stress_room(Side.SELL, D(30_000)) == D(3_283)
    unknown = shocked(gold=None)
    assert unknown.stress() is None
    assert unknown.stress_room(Side.BUY, D(30_000)) == D(30_217)
    lost = dataclasses.replace(held, stress_long=None)
    assert lost.stress_room(Side.BUY, D(30_000)) == D(3_500)


def test_a_symbol_that_means_something_else_here_counts_with_its_own() -> None:
    """EURUSD is confirmed to be gold's: what is held of gold is the order's own exposure."""
    gold = Worth(underlying="XAUUSD", leverage=20, unit=D(100), price=D(2650))
    held = book(
        Symbol("EURUSD"),
        positions=[position(symbol=Symbol("XAUUSD"), quantity=D(1), current_price=D(2650))],
        pending=[],
        exits={},
        worths={Symbol("EURUSD"): EUR, Symbol("XAUUSD"): gold},
        underlying="XAUUSD",
    )
    assert held.long == D(265_000)


@pytest.mark.parametrize("part", ["stress_long", "stress_short", "stress_others"])
def test_one_unknown_part_leaves_the_stress_unknown(part: str) -> None:
    held = book(
        Symbol("EURUSD"),
        positions=[position()],
        pending=[],
        exits={},
        worths={Symbol("EURUSD"): EUR},
    )
    assert held.stress() is not None
    assert dataclasses.replace(held, **{part: None}).stress() is None


@pytest.mark.parametrize(("side", "rest"), [(Side.BUY, D(26_500)), (Side.SELL, D(26_500))])
def test_another_underlying_is_stressed_on_whichever_side_it_stands(
    side: Side, rest: Decimal
) -> None:
    gold = Worth(underlying="XAUUSD", leverage=20, unit=D(100), price=GOLD, shock=D("0.10"))

    def others(pending: list[Pending]) -> Decimal | None:
        return book(
            Symbol("EURUSD"),
            positions=[
                position(symbol=Symbol("XAUUSD"), side=side, quantity=D(1), current_price=GOLD)
            ],
            pending=pending,
            exits={},
            worths={Symbol("EURUSD"): EUR, Symbol("XAUUSD"): gold},
        ).stress_others

    assert others([]) == rest
    for way in Side:
        unknown = Pending(symbol=Symbol("XAUUSD"), side=way, quantity=D(1), notional=None)
        assert others([unknown]) is None, "one side of it is not known"
