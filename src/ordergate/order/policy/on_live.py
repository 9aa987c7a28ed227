"""Real money: the operator's limits made stricter where the venue proves a live account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from ordergate.model.values import ZERO, AccountId, VenueName
from ordergate.order.policy.limits import EVERY_SYMBOL, Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class RealMoney:
    """What only counts where money is real; without it nothing is armed."""

    armed_until: Callable[[AccountId, VenueName], datetime | None] = lambda *_: None
    stops_rest: Callable[[], bool] = lambda: False


# Each limit, and the row that caps it on a live account; for both, lower is stricter.
CAPS: Final = {
    "risk_per_trade_fraction": "live_risk_per_trade_fraction",
    "gross_exposure_fraction": "live_gross_exposure_fraction",
    "daily_loss_fraction": "live_daily_loss_fraction",
    "net_exposure_fraction": "live_gross_exposure_fraction",
    "stress_loss_fraction": "live_stress_loss_fraction",
    "repeat_orders_max": "live_repeat_orders_max",
    "hands_off_fills_max": "live_repeat_orders_max",
    "losing_closes_max": "live_repeat_orders_max",
}
REPEAT_WINDOW_S: Final = Decimal(600)


def on_live(limits: Limits) -> Limits:
    """Return the strictest of `limits` and their live rows; every opening order waits for a yes.

    The allow-list starts empty: "*" lets nothing in, and no stop is waived.
    """
    values: dict[str, Any] = {
        name: min(getattr(limits, name), getattr(limits, cap)) for name, cap in CAPS.items()
    }
    named = (symbol for symbol in limits.live_symbols_allow if symbol != EVERY_SYMBOL)
    every = EVERY_SYMBOL in limits.symbols_allow
    return replace(
        limits,
        **values,
        repeat_window_s=max(limits.repeat_window_s, REPEAT_WINDOW_S),
        symbols_allow=tuple(one for one in named if every or one in limits.symbols_allow),
        stop_required=True,
        stop_waived_symbols=(),
        auto_approve_notional=ZERO,
    )


def ask_life_s(limits: Limits, *, live: bool, limit_order: bool) -> int:
    """Return how many seconds an ask waits: on a live account by the kind of order."""
    if not live:
        return int(limits.approval_ttl_s)
    life = limits.approval_live_limit_ttl_s if limit_order else limits.approval_live_ttl_s
    return int(life)
