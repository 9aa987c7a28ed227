"""Market (C4 to C6, C20): open, fresh, a sane spread, a price near it that nobody chases."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from ordergate.model.errors import Code
from ordergate.model.hours import day_end, day_start
from ordergate.model.instruments import AssetClass, CalendarName, TradeMode
from ordergate.model.market import PriceBasis, Quality, SessionState
from ordergate.model.orders import CloseIntent, Intent, Lane, OrderType, Side
from ordergate.model.records import ScopeKind
from ordergate.model.values import plain, round_ceiling, round_floor
from ordergate.model.verdicts import RuleVerdict
from ordergate.order.policy.exposure import (
    collar,
    entry_price,
    reached_price,
    reference_price,
)
from ordergate.order.policy.facts import Facts, Request, malformed, seconds
from ordergate.order.policy.rules.control import Control, fraction, fraction_left, percent

SESSION: Final = Control(rule="market_open", number="C20")
QUOTE: Final = Control(
    rule="quote_fresh", number="C6", limit_name="limits.quote_age_max_s", unit="seconds"
)
SPREAD: Final = Control(
    rule="spread", number="C6", limit_name="limits.spread_max_fraction", unit="of the price"
)
SPREAD_FX: Final = Control(
    rule="spread", number="C6", limit_name="limits.spread_max_fx_fraction", unit="of the price"
)
COLLAR: Final = Control(
    rule="price_collar",
    number="C4",
    limit_name="limits.price_collar_fraction",
    unit="of the price",
)
COLLAR_FX: Final = Control(
    rule="price_collar",
    number="C4",
    limit_name="limits.price_collar_fx_fraction",
    unit="of the price",
)


DRIFT: Final = Control(
    rule="price_drift",
    number="C5",
    limit_name="limits.drift_max_fraction",
    unit="of the price",
    halts=ScopeKind.SYMBOL,
)
ROLLOVER: Final = Control(
    rule="rollover", number="C20", limit_name="limits.rollover_blackout_s", unit="seconds"
)
NEWS: Final = Control(
    rule="news_window", number="C20", limit_name="limits.news_blackout_s", unit="seconds"
)
TRADE_MODE: Final = Control(rule="trade_mode", number="C20")

_ROLLED: Final = frozenset({CalendarName.FX, CalendarName.METAL})
_SIDES: Final = {
    TradeMode.FULL: frozenset(Side),
    TradeMode.LONG_ONLY: frozenset({Side.BUY}),
    TradeMode.SHORT_ONLY: frozenset({Side.SELL}),
    TradeMode.CLOSE_ONLY: frozenset[Side](),
    TradeMode.DISABLED: frozenset[Side](),
}


def market_open(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse new risk unless the calendar says that the market is open."""
    session = facts.session
    if session.state is SessionState.OPEN:
        return SESSION.passes()
    opens = "" if session.next_change is None else f"; it changes {session.next_change:%a %H:%MZ}"
    return SESSION.refuses(
        Code.MARKET_CLOSED,
        f"{facts.symbol[:64]} is not open now: {session.reason}{opens}",
        fix="wait for the session; draft the order meanwhile",
    )


def rollover(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse new risk around 17:00 New York, where FX and metals roll over at wide spreads."""
    spec = facts.instrument
    if spec is None:
        return ROLLOVER.lacks(f"when {facts.symbol[:64]} rolls over")
    if spec.calendar not in _ROLLED:
        return ROLLOVER.silent("it does not roll over")
    now, limit = facts.venue_now, facts.limits.rollover_blackout_s
    away = seconds(min(now - day_start(now), day_end(now) - now))
    return ROLLOVER.measured(
        value=away,
        limit=limit,
        room=away - limit,
        broken=away < limit,
        message=f"the rollover is {plain(away)} s away, at least {plain(limit)}",
        fix=lambda: f"send it {plain(limit)} s after 17:00 New York",
        code=Code.MARKET_CLOSED,
    )


def news_window(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse new risk near a release of high impact in one of the symbol's currencies.

    Off unless the operator sets it; then a calendar that cannot be read refuses, too.
    """
    limit, away = facts.limits.news_blackout_s, facts.release_away_s
    if limit <= 0:
        return NEWS.silent("no window around releases is set")
    if away is None:
        return NEWS.lacks(f"when the next release for {facts.symbol[:64]} is")
    return NEWS.measured(
        value=away,
        limit=limit,
        room=away - limit,
        broken=away < limit,
        message=f"a release of high impact is {plain(away)} s away, at least {plain(limit)}",
        fix=lambda: f"send it {plain(limit)} s after the release; market_research names it",
        code=Code.MARKET_CLOSED,
    )


def trade_mode(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse new risk where the venue takes none: its trading is off, or the symbol is shut."""
    if facts.identity is None or facts.instrument is None:
        return TRADE_MODE.lacks("what the venue lets be traded")
    if not facts.identity.trade_allowed:
        return TRADE_MODE.refuses(
            Code.MARKET_CLOSED,
            "trading is switched off at the venue",
            fix="the operator switches it on at the venue",
        )
    mode = facts.instrument.trade_mode
    adds = facts.order if request.lane is Lane.OPEN else None
    shut = mode is TradeMode.DISABLED or (adds is not None and adds.side not in _SIDES[mode])
    if not shut:
        return TRADE_MODE.passes()
    return TRADE_MODE.refuses(
        Code.MARKET_CLOSED,
        f"the venue takes {facts.symbol[:64]} as {mode.value} now",
        fix="trade another symbol; the operator asks the venue why",
    )


def quote_fresh(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse a quote that is missing, stale, crossed or without a spread.

    A quiet symbol is not stale while its link lives: the feed's verdict comes before the age.
    """
    quote, verdict, age = facts.quote, facts.quality.verdict, facts.quality.age_s
    if quote is None or verdict is Quality.MISSING or age is None:
        return QUOTE.lacks(f"the price of {facts.symbol[:64]}")
    trades_only = verdict is Quality.ZERO_SPREAD and quote.basis is PriceBasis.TRADE
    limit = facts.limits.quote_age_max_s
    return QUOTE.measured(
        value=age,
        limit=limit,
        room=limit - age,
        broken=age > limit or (verdict is not Quality.OK and not trades_only),
        message=f"the newest quote is {verdict.value}, {plain(age)} s old, from {quote.source}",
        fix=lambda: "wait for a fresh quote and send the order again",
        code=Code.DATA_UNAVAILABLE,
    )


def spread(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse to open at a spread that is too wide."""
    quote, spec = facts.quote, facts.instrument
    if quote is None or spec is None or quote.mid <= 0:
        return SPREAD.lacks(f"the price of {facts.symbol[:64]}")
    fx = spec.asset_class is AssetClass.FX
    limits = facts.limits
    limit = limits.spread_max_fx_fraction if fx else limits.spread_max_fraction
    share = quote.spread / quote.mid
    return (SPREAD_FX if fx else SPREAD).measured(
        value=fraction(share),
        limit=limit,
        room=fraction_left(limit - share),
        broken=share > limit,
        message=f"spread {percent(share)} of the price, at most {percent(limit)}",
        fix=lambda: "wait until the spread is narrower",
    )


def price_collar(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse a price that reaches too far through the market, on the side that hurts.

    A buy is measured above the ask, a sell below the bid: a limit that waits for a better price is
    no danger. A stop is measured at its trigger and at its limit, a market order is at the market.
    """
    quote, spec = facts.quote, facts.instrument
    priced = _priced(request.intent, facts)
    if priced is None:
        return COLLAR.silent("no price of its own")
    if quote is None or spec is None:
        return COLLAR.lacks(f"the price of {facts.symbol[:64]}")
    side, prices = priced
    reference, buys = reference_price(side, quote), side is Side.BUY
    if reference <= 0:
        return COLLAR.lacks(f"the price of {facts.symbol[:64]}")
    _, limit = collar(facts.limits, spec.asset_class)
    price = max(prices) if buys else min(prices)
    reach = max((price - reference if buys else reference - price) / reference, Decimal(0))
    bound = reference * (1 + limit if buys else 1 - limit)
    tick = spec.tick_size
    return (COLLAR_FX if spec.asset_class is AssetClass.FX else COLLAR).measured(
        value=fraction(reach),
        limit=limit,
        room=fraction_left(limit - reach),
        broken=reach > limit,
        message=f"reaches {percent(reach)} through {plain(reference)}, at most {percent(limit)}",
        fix=lambda: (
            f"use a price of at most {plain(round_floor(bound, tick))}"
            if buys
            else f"use a price of at least {plain(round_ceiling(bound, tick))}"
        ),
    )


def price_drift(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse, and halt the symbol, when the account's own orders chase its price.

    A buy is measured above the lowest price that own buys of the window would trade at, a sell
    below the highest; an order that waits for a better price counts as the market's.
    """
    order, quote, farthest = facts.order, facts.quote, facts.activity.farthest
    if order is None:
        return DRIFT.silent("no price of its own")
    if quote is None:
        return DRIFT.lacks(f"the price of {facts.symbol[:64]}")
    if farthest is None or farthest <= 0:
        return DRIFT.silent("no own order of this side in the window")
    price, buys = reached_price(order, quote), order.side is Side.BUY
    drift = max((price - farthest if buys else farthest - price) / farthest, Decimal(0))
    limit = facts.limits.drift_max_fraction
    return DRIFT.measured(
        value=fraction(drift),
        limit=limit,
        room=fraction_left(limit - drift),
        broken=drift > limit,
        message=f"own orders have followed the price by {percent(drift)} from {plain(farthest)} in "
        f"{plain(facts.limits.drift_window_s)} s, at most {percent(limit)}",
        fix=lambda: "stop chasing the price; only the operator starts the symbol again",
    )


def _priced(intent: Intent, facts: Facts) -> tuple[Side, list[Decimal]] | None:
    """Return the side and the prices of an opening order, or of a step of a close's ladder."""
    if isinstance(intent, CloseIntent):
        if intent.limit_price is None or facts.position is None or malformed(intent) is not None:
            return None
        return facts.position.side.opposite, [intent.limit_price]
    order = facts.order
    if order is None:
        return None
    prices = [] if facts.quote is None else [entry_price(order, facts.quote)]
    if order.order_type is OrderType.STOP_LIMIT and order.stop_price is not None:
        prices.append(order.stop_price)
    return order.side, prices
