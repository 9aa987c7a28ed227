"""What a yes is asked about: what the request adds, and the prices between which a yes is good."""

from __future__ import annotations

from decimal import Decimal

from ordergate.model.orders import Lane, Side
from ordergate.model.values import ZERO, round_ceiling, round_floor
from ordergate.model.verdicts import Decision, Exposure
from ordergate.order.policy.exposure import reference_price
from ordergate.order.policy.facts import Facts


def exposure_of(decision: Decision, facts: Facts) -> Exposure | None:
    """Return what the request adds; a widened stop adds no size, only its price is of interest."""
    if decision.lane is not Lane.OPEN:
        return None
    if facts.valued is not None:
        return Exposure(
            notional=facts.valued.worst_notional,
            risk=facts.valued.risk,
            reference_price=facts.valued.reference,
            worst_price=facts.valued.worst,
        )
    price = _reference(facts)
    if price is None or facts.order is not None:
        return None
    return Exposure(notional=ZERO, risk=None, reference_price=price, worst_price=price)


def _reference(facts: Facts) -> Decimal | None:
    if facts.quote is None:
        return None
    side = Side.BUY if facts.order is None else facts.order.side
    return reference_price(side, facts.quote)


def band_of(facts: Facts) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """Return the market's price and those between which a yes stays good, whole ticks, outwards."""
    if facts.quote is None or facts.instrument is None:
        return None, None, None
    side = Side.BUY if facts.order is None else facts.order.side
    price, tick = reference_price(side, facts.quote), facts.instrument.tick_size
    away = price * facts.limits.approval_band_fraction
    return price, round_floor(price - away, tick), round_ceiling(price + away, tick)
