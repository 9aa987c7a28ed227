from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ordergate.market.alerts.condition import (
    BUCKETS,
    CONDITIONS,
    REST,
    Span,
    View,
    after,
    met,
    side_of,
)
from ordergate.model.market import Quality, Quote, QuoteQuality
from ordergate.model.price_alerts import AlertState, ConditionKind, PriceAlert
from ordergate.model.values import PrincipalId, Symbol

NOW = datetime(2026, 1, 7, 15, 0, tzinfo=UTC)
EURUSD = Symbol("EURUSD")


def alert(kind: ConditionKind, level: str = "100", **more: object) -> PriceAlert:
    made = PriceAlert(
        alert_id="a",
        principal=PrincipalId("agent"),
        symbol=EURUSD,
        kind=kind,
        level=Decimal(level),
        window_s=60,
        repeats=False,
        hysteresis_percent=Decimal(1),
        side="below",
        note="",
        state=AlertState.ARMED,
        fired=0,
        created_at=NOW,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def view(mid: str | None = "100", *, spread: str = "2", is_: Quality = Quality.OK) -> View:
    if mid is None:
        return View(quote=None, quality=QuoteQuality(Quality.MISSING, None))
    bid, ask = Decimal(mid) - Decimal(spread) / 2, Decimal(mid) + Decimal(spread) / 2
    quote = Quote(EURUSD, bid, ask, NOW, "simulated", True)
    return View(quote=quote, quality=QuoteQuality(is_, Decimal(0)))


def moved(mid: str, low: str, high: str) -> View:
    return replace(view(mid), low=Decimal(low), high=Decimal(high))


K = ConditionKind


@pytest.mark.parametrize(
    ("kind", "level", "seen", "expected"),
    [
        (K.PRICE_ABOVE, "100", view("99.99"), False),
        (K.PRICE_ABOVE, "100", view("100"), True),
        (K.PRICE_BELOW, "100", view("100"), True),
        (K.PRICE_BELOW, "100", view("100.01"), False),
        (K.PRICE_CROSSES, "100", view("100"), False),
        (K.PRICE_CROSSES, "100", view("100.01"), True),
        (K.CHANGE_PERCENT, "2", moved("101.99", "100", "101.99"), False),
        (K.CHANGE_PERCENT, "2", moved("102", "100", "102"), True),
        (K.CHANGE_PERCENT, "2", moved("98", "98", "100"), True),
        (K.CHANGE_PERCENT, "2", view("98"), None),
        (K.SPREAD_ABOVE, "2", view("100", spread="2"), True),
        (K.SPREAD_ABOVE, "2", view("100", spread="1.9"), False),
        (K.QUOTE_STALE, "0", view("100"), False),
        (K.QUOTE_STALE, "0", view(None), True),
        (K.QUOTE_STALE, "0", view("100", is_=Quality.STALE), True),
        (K.QUOTE_STALE, "0", view("100", is_=Quality.FROZEN), True),
        (K.QUOTE_STALE, "0", view("100", is_=Quality.GAP), False),
    ],
)
def test_a_condition_holds_at_its_level(
    kind: ConditionKind, level: str, seen: View, expected: bool | None
) -> None:
    assert met(alert(kind, level), seen) is expected


@pytest.mark.parametrize("kind", [kind for kind in K if kind is not K.QUOTE_STALE])
@pytest.mark.parametrize(
    "doubt",
    [Quality.STALE, Quality.CROSSED, Quality.GAP, Quality.OUT_OF_ORDER, Quality.FROZEN],
)
def test_a_price_in_doubt_fires_nothing(kind: ConditionKind, doubt: Quality) -> None:
    seen = replace(moved("150", "1", "200"), quality=QuoteQuality(doubt, Decimal(9)))
    assert met(alert(kind, "0.01"), seen) is None
    assert after(alert(kind, "0.01"), seen, now=NOW) is None


def test_every_kind_has_its_condition() -> None:
    assert set(CONDITIONS) == set(ConditionKind)


def test_once_is_once() -> None:
    fired = after(alert(K.PRICE_ABOVE), view("101"), now=NOW)
    assert fired is not None
    assert (fired.state, fired.fired, fired.fired_at, fired.fired_price) == (
        AlertState.DONE,
        1,
        NOW,
        Decimal(101),
    )
    assert after(fired, view("101"), now=NOW + timedelta(days=1)) is None


@pytest.mark.parametrize(
    ("kind", "fires", "near", "back"),
    [
        (K.PRICE_ABOVE, view("101"), view("99.1"), view("98.9")),
        (K.PRICE_BELOW, view("99"), view("100.9"), view("101.1")),
        (K.PRICE_CROSSES, view("101"), view("100.9"), view("98.9")),
        (K.SPREAD_ABOVE, view(spread="100"), view(spread="99.1"), view(spread="98.9")),
        (K.QUOTE_STALE, view(None), view(None), view()),
    ],
)
def test_what_repeats_is_armed_again_when_the_price_has_gone_back_and_it_has_rested(
    kind: ConditionKind, fires: View, near: View, back: View
) -> None:
    fired = after(alert(kind, repeats=True), fires, now=NOW)
    assert fired is not None
    assert fired.state is AlertState.FIRED
    assert after(fired, back, now=NOW + REST - timedelta(seconds=1)) is None
    assert after(fired, near, now=NOW + REST) is None
    armed = after(fired, back, now=NOW + REST)
    assert armed is not None
    assert (armed.state, armed.fired) == (AlertState.ARMED, 1)
    again = after(armed, fires, now=NOW + REST * 2)
    assert again is not None
    assert (again.state, again.fired) == (AlertState.FIRED, 2)


def test_a_window_forgets_what_is_older_and_stays_small() -> None:
    span = Span(timedelta(seconds=60))
    assert (span.low, span.high) == (None, None)
    for second in range(1_000):
        span.add(NOW + timedelta(seconds=second / 10), Decimal(second))
    assert span.high == 999
    assert span.low is not None
    assert 400 <= span.low <= 410
    assert len(span._kept) <= BUCKETS + 1


def test_on_the_level_is_below() -> None:
    assert side_of(Decimal(100), Decimal(100)) == "below"


def test_a_window_that_is_not_full_says_since_when_it_is_known() -> None:
    span = Span(timedelta(minutes=10))
    assert span.missing(NOW) == "no usable price since the gateway watches"
    span.add(NOW, Decimal(100))
    span.add(NOW + timedelta(minutes=9), Decimal(101))
    told = span.missing(NOW + timedelta(minutes=9))
    assert told == "its window is known since 2026-01-07T15:00:00Z alone"
    assert span.missing(NOW + timedelta(minutes=10)) is None
