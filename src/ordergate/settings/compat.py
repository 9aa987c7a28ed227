"""Limits under other programs' names, in their own units; they only ever tighten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ordergate.model.errors import InvalidArgument
from ordergate.order.policy.limits import BY_NAME, Narrowing, parsed

PERCENT: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class CompatKey:
    """What a foreign key comes to: one of our limits, its number divided by `per`."""

    limit_name: str
    per: Decimal = Decimal(1)


COMPAT: Final = {
    "MAX_RISK_PER_TRADE": CompatKey("limits.risk_per_trade_fraction"),
    "MAX_RISK_PER_TRADE_PERCENT": CompatKey("limits.risk_per_trade_fraction", PERCENT),
    "MAX_DAILY_LOSS": CompatKey("limits.daily_loss_fraction"),
    "MAX_DAILY_LOSS_PERCENT": CompatKey("limits.daily_loss_fraction", PERCENT),
    "MAX_OPEN_POSITIONS": CompatKey("limits.open_positions_max"),
    "MIN_REWARD_RISK": CompatKey("limits.reward_risk_min"),
    "MIN_RISK_REWARD_RATIO": CompatKey("limits.reward_risk_min"),
    "MAX_ORDER_VALUE": CompatKey("limits.order_notional_max"),
    "MAX_DAILY_VALUE": CompatKey("limits.account_notional_per_day_max"),
    "DUPLICATE_WINDOW_SECONDS": CompatKey("limits.duplicate_window_s"),
}


def narrowed(keys: Mapping[str, object], *, of: str = "") -> tuple[Narrowing, ...]:
    """Return what the foreign keys come to in our units; raise InvalidArgument for a bad one."""
    return tuple(_narrowing(name, raw, of) for name, raw in keys.items())


def _narrowing(name: str, raw: object, of: str) -> Narrowing:
    source = " ".join(filter(None, ("compat", of, name)))
    key = COMPAT.get(name)
    if key is None:
        raise InvalidArgument(f"{source}: no such key; known are {', '.join(COMPAT)}")
    spec = BY_NAME[key.limit_name]
    try:
        number = Decimal(str(raw)) / key.per if not isinstance(raw, bool) else raw
        value = parsed(spec, number)
    except (ArithmeticError, InvalidArgument) as error:
        raise InvalidArgument(
            f"{source} = {raw}: {error}", fix="0 switches no limit off; leave the key out instead"
        ) from None
    return Narrowing(source=source, values=((spec.name, value),))
