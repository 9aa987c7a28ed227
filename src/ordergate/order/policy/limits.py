"""The operator's numbers: every limit declared once, with its unit, default and stricter side.

"0 = off" never applies: a limit left out means its default, and nothing switches one off.
"""

# ruff: noqa: RUF009 - the calls in class Limits declare dataclass fields
from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from ordergate.model.canonical import canonical, sha256_hex
from ordergate.model.errors import InvalidArgument
from ordergate.model.values import Symbol
from ordergate.order.policy.limit_spec import SYMBOLS_MAX as SYMBOLS_MAX
from ordergate.order.policy.limit_spec import LimitSpec as LimitSpec
from ordergate.order.policy.limit_spec import Stricter as Stricter
from ordergate.order.policy.limit_spec import Value as Value
from ordergate.order.policy.limit_spec import count as _count
from ordergate.order.policy.limit_spec import number as _number
from ordergate.order.policy.limit_spec import parsed as parsed
from ordergate.order.policy.limit_spec import shock as _shock
from ordergate.order.policy.limit_spec import shown as shown
from ordergate.order.policy.limit_spec import switch as _switch
from ordergate.order.policy.limit_spec import symbols as _symbols

EVERY_SYMBOL: Final = "*"


class BadLimits(ValueError):
    """The file's limits cannot be used; `problems` says what is wrong with each key."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """Limits of one source that only ever tighten: an agent's, an account's, a compat key's."""

    source: str  # "agent local-agent", "account paper-1", "venue paper", "compat MAX_DAILY_LOSS"
    values: tuple[tuple[str, Value], ...]  # by full name


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """One effective set of limits; the defaults are the profile paper-default."""

    order_quantity_max: Decimal = _number("10000", "lots", "Largest size of one order")
    order_quantity_fx_max: Decimal = _number("20", "lots", "The same for FX (100,000 a lot)")
    order_notional_fraction: Decimal = _number(
        "1", "of equity", "Largest value of one order", most="30"
    )
    order_notional_max: Decimal = _number(
        "1000000", "account currency", "Largest value of one order, whatever the equity"
    )
    risk_per_trade_fraction: Decimal = _number(
        "0.01", "of equity", "Largest loss at the stop of one order", most="1"
    )
    # A one-to-one bracket measured from the other side of the spread, or a moment before the
    # price moved, comes to a little under 1: it is sound and must pass.
    reward_risk_min: Decimal = _number(
        "0.8",
        "target distance / stop distance",
        "Smallest reward for the risk, where a target is given",
        stricter=Stricter.HIGHER,
        most="100",
    )
    stop_required: bool = _switch(
        True, "An opening order must carry a protective stop", Stricter.HIGHER
    )
    stop_waived_symbols: tuple[str, ...] = _symbols(
        (), "Symbols that may be opened without a stop", Stricter.FEWER
    )
    price_collar_fraction: Decimal = _number(
        "0.02", "of the price", "Farthest a buy may reach above, a sell below the market", most="1"
    )
    price_collar_fx_fraction: Decimal = _number(
        "0.005", "of the price", "The same for FX", most="1"
    )
    spread_max_fraction: Decimal = _number(
        "0.005", "of the price", "Widest spread to open at", most="1"
    )
    spread_max_fx_fraction: Decimal = _number("0.001", "of the price", "The same for FX", most="1")
    drift_max_fraction: Decimal = _number(
        "0.05", "of the price", "How far own orders may follow a price up or down", most="1"
    )
    drift_window_s: Decimal = _number(
        "600", "seconds", "The time they are followed for", stricter=Stricter.HIGHER, most="3600"
    )
    # The feed's own verdict comes first: a dead link is refused at once, an open symbol after an
    # hour of silence. This bound is for slow data: by default three daily bars.
    quote_age_max_s: Decimal = _number(
        "259200", "seconds, venue clock", "Oldest quote to open on, the feed alive", most="2592000"
    )
    facts_age_max_s: Decimal = _number(
        "5", "seconds", "Oldest reading of the account to open on", most="60"
    )
    clock_skew_max_s: Decimal = _number(
        "2", "seconds", "Farthest the clocks may be apart, or jump", most="60"
    )
    loop_lag_max_s: Decimal = _number(
        "0.5", "seconds", "Latest the gateway may come to its own work", most="10"
    )
    rollover_blackout_s: Decimal = _number(
        "300",
        "seconds, venue clock",
        "No opening of FX and metals so near to 17:00 New York",
        stricter=Stricter.HIGHER,
        most="3600",
    )
    news_blackout_s: Decimal = _number(
        "0",
        "seconds, venue clock; 0 = off",
        "No opening so near to a release of high impact in its currencies; needs news.calendar_*",
        stricter=Stricter.HIGHER,
        least="0",
        most="86400",
    )
    sign_in_age_max_s: Decimal = _number(
        "86400", "seconds", "Oldest second factor at a venue under SEBI's rules", most="86400"
    )
    position_notional_fraction: Decimal = _number(
        "2", "of equity", "Largest position in one underlying, all that may fill counted", most="30"
    )
    gross_exposure_fraction: Decimal = _number(
        "5", "of equity", "Largest sum of all positions, all that may fill counted", most="30"
    )
    net_exposure_fraction: Decimal = _number(
        "5", "of equity", "Largest surplus of long over short, or of short over long", most="30"
    )
    book_position_notional_fraction: Decimal = _number(
        "2", "of the book's equity", "Largest position in one underlying, all accounts", most="30"
    )
    book_gross_exposure_fraction: Decimal = _number(
        "5", "of the book's equity", "Largest sum of all positions, all accounts", most="30"
    )
    book_net_exposure_fraction: Decimal = _number(
        "5", "of the book's equity", "Longs less shorts, or the reverse, all accounts", most="30"
    )
    margin_free_min_fraction: Decimal = _number(
        "0.5",
        "of equity",
        "Margin that must stay free when all has filled",
        stricter=Stricter.HIGHER,
        most="1",
    )
    open_orders_max: Decimal = _count(20, "Opening orders at rest or on their way")
    open_orders_notional_fraction: Decimal = _number(
        "5", "of equity", "Value of the opening orders at rest or on their way", most="30"
    )
    open_positions_max: Decimal = _count(
        20, "Positions open or on their way", unit="positions and opening orders"
    )
    daily_loss_fraction: Decimal = _number(
        "0.02", "of equity at the day's start", "Loss of the venue's day that ends it", most="1"
    )
    book_daily_loss_fraction: Decimal = _number(
        "0.02",
        "of the book's equity at its day's start",
        "Loss that ends the book's day, all accounts",
        most="1",
    )
    weekly_loss_fraction: Decimal = _number(
        "0.05", "of equity at the week's start", "Loss of the week that ends it", most="1"
    )
    drawdown_fraction: Decimal = _number(
        "0.1", "of the highest equity", "Loss from the peak that ends opening", most="1"
    )
    stress_loss_fraction: Decimal = _number(
        "0.25", "of equity", "Largest loss of the whole book under the shocks below", most="1"
    )
    stress_fx_major_fraction: Decimal = _shock("0.03", "FX of two major currencies, one the dollar")
    stress_fx_fraction: Decimal = _shock("0.08", "other FX")
    stress_metal_fraction: Decimal = _shock("0.08", "metals")
    stress_index_fraction: Decimal = _shock("0.08", "indices")
    stress_energy_fraction: Decimal = _shock("0.12", "energy")
    stress_equity_fraction: Decimal = _shock("0.2", "single shares")
    stress_crypto_fraction: Decimal = _shock("0.3", "crypto")
    stress_weekend_fraction: Decimal = _shock("0.05", "whatever closes, a weekend ahead: at least")
    orders_per_day_max: Decimal = _count(100, "Opening orders of one principal a day")
    account_orders_per_day_max: Decimal = _count(200, "Opening orders of the account a day")
    notional_per_day_max_fraction: Decimal = _number(
        "20", "of equity", "Value of all opening orders of the account a day", most="1000"
    )
    account_notional_per_day_max: Decimal = _number(
        "20000000", "account currency", "The same, whatever the equity"
    )
    agent_notional_per_day_max: Decimal = _number(
        "2000000", "account currency", "Value of all opening orders of one principal a day"
    )
    agent_daily_loss_max: Decimal = _number(
        "2000", "account currency", "Loss, realised and open, of what one principal opened, a day"
    )
    agent_open_exposure_max: Decimal = _number(
        "500000", "account currency", "Value of all one principal has open or on its way"
    )
    live_allowed: bool = _switch(True, "Opening on a live account at all", Stricter.LOWER)
    orders_per_minute_max: Decimal = _count(
        60, "Requests of one principal a minute", unit="requests"
    )
    account_orders_per_minute_max: Decimal = _count(
        120, "Requests of all principals a minute", unit="requests"
    )
    duplicate_window_s: Decimal = _number(
        "60",
        "seconds",
        "How long an equal order counts as sent twice by mistake",
        stricter=Stricter.HIGHER,
        most="86400",
    )
    repeat_orders_max: Decimal = _count(20, "Opening orders, same agent, symbol and side, in a row")
    repeat_window_s: Decimal = _number(
        "600", "seconds", "The time they are counted in", stricter=Stricter.HIGHER, most="3600"
    )
    hands_off_fills_max: Decimal = _count(
        20, "Openings of one agent filled in that time without a human's touch"
    )
    losing_closes_max: Decimal = _count(20, "Losing closes of one agent's positions in that time")
    unknown_openings_symbol_max: Decimal = _count(
        1, "Opening orders of unknown fate that close a symbol to new risk"
    )
    unknown_openings_max: Decimal = _count(
        3, "Opening orders of unknown fate that halt the account"
    )
    unknown_opening_age_max_s: Decimal = _number(
        "300", "seconds", "Age of an unknown fate that halts the account", most="86400"
    )
    short_allowed: bool = _switch(True, "Selling what is not held, equities apart", Stricter.LOWER)
    equity_short_allowed: bool = _switch(
        False, "Selling equities that are not held", Stricter.LOWER
    )
    symbols_allow: tuple[str, ...] = _symbols(
        (EVERY_SYMBOL,), 'Symbols that may be opened; "*" = all the feed has', Stricter.FEWER
    )
    symbols_deny: tuple[str, ...] = _symbols((), "Symbols never to be opened", Stricter.MORE)
    loosening_delay_s: Decimal = _number(
        "600",
        "seconds",
        "How long a looser number waits before it counts",
        stricter=Stricter.HIGHER,
        least="1",
        most="604800",
        agents=False,
    )
    auto_approve_notional: Decimal = _number(
        "20000", "account currency", "Orders above this value wait for a human yes", least="0"
    )
    # On an account that the venue proves live, the stricter of these and the rows above counts.
    live_symbols_allow: tuple[str, ...] = _symbols(
        (), 'Symbols that may be opened with real money; "*" lets nothing in', Stricter.FEWER
    )
    live_risk_per_trade_fraction: Decimal = _number(
        "0.005", "of equity", "Largest loss at the stop of one order, live", most="1"
    )
    live_gross_exposure_fraction: Decimal = _number(
        "2", "of equity", "Largest sum of all positions, live", most="30"
    )
    live_daily_loss_fraction: Decimal = _number(
        "0.02", "of equity at the day's start", "Loss of the day that ends it, live", most="1"
    )
    live_stress_loss_fraction: Decimal = _number(
        "0.1", "of equity", "On a live account: loss of the whole book under the shocks", most="1"
    )
    live_repeat_orders_max: Decimal = _count(
        5, "Opening orders, same agent, symbol and side, in 10 minutes, live"
    )
    live_managed_stop_notional_max: Decimal = _number(
        "0",
        "account currency",
        "Largest value of a live order whose stop the gateway keeps instead of the venue",
        least="0",
        agents=False,
    )
    approval_ttl_s: Decimal = _number(
        "300", "seconds", "How long an ask waits", most="86400", agents=False
    )
    approval_band_fraction: Decimal = _number(
        "0.005", "of the price", "How far the price may move under a yes", most="0.1", agents=False
    )
    approval_live_ttl_s: Decimal = _number(
        "300", "seconds", "How long an ask waits on a live account", most="900", agents=False
    )
    approval_live_limit_ttl_s: Decimal = _number(
        "3600",
        "seconds",
        "The same for a limit order, whose price is its own bound",
        most="86400",
        agents=False,
    )
    approval_live_waiting_max: Decimal = _count(
        3, "Asks of one agent that wait for a human at once, live", unit="asks", agents=False
    )
    approval_live_hourly_max: Decimal = _count(
        10, "Asks of one agent in an hour, live; one more halts it", unit="asks", agents=False
    )
    origin: Mapping[str, str] = field(default_factory=dict, compare=False)  # name -> its source
    narrowings: tuple[Narrowing, ...] = ()
    broken: bool = False  # the file cannot be read now: nothing of it is taken for a change

    @staticmethod
    def from_mapping(tables: Mapping[str, Any]) -> Limits:
        """Read the tables [limits] and [approval]; raise BadLimits with every problem at once."""
        values: dict[str, Value] = {}
        problems: list[str] = []
        origin: dict[str, str] = {}
        for name, raw in _flat(tables):
            try:
                spec = spec_named(name)
                values[spec.attribute] = parsed(spec, raw)
                origin[spec.name] = "file"
            except InvalidArgument as problem:
                problems.append(f"{problem.message} {problem.fix}".strip())
        if problems:
            raise BadLimits(tuple(problems))
        arguments: dict[str, Any] = dict(values)
        return Limits(**arguments, origin=origin)

    def value(self, spec: LimitSpec) -> Value:
        value: Value = getattr(self, spec.attribute)
        return value

    def allows(self, symbol: Symbol) -> bool:
        """Say whether new risk in `symbol` is on the list, and not on the other one."""
        listed = EVERY_SYMBOL in self.symbols_allow or symbol in self.symbols_allow
        return listed and symbol not in self.symbols_deny


def _spec(declared: dataclasses.Field[Any]) -> LimitSpec:
    attribute, row = declared.name, declared.metadata
    table, _, key = attribute.partition("_") if attribute.startswith("approval_") else ("", "", "")
    return LimitSpec(
        name=f"{table}.{key}" if table else f"limits.{attribute}",
        attribute=attribute,
        unit=row["unit"],
        meaning=row["meaning"],
        default=row["default"],
        stricter=row.get("stricter", Stricter.LOWER),
        agents_may_tighten=row.get("agents", True),
        least=Decimal(row["least"]),
        most=Decimal(row["most"]),
        whole=row["whole"],
    )


SPECS: Final = tuple(_spec(row) for row in dataclasses.fields(Limits) if row.metadata)
BY_NAME: Final = {spec.name: spec for spec in SPECS}


def spec_named(name: str) -> LimitSpec:
    """Return the row of a limit, with or without "limits."; raise with the closest name."""
    spec = BY_NAME.get(name) or BY_NAME.get(f"limits.{name}")
    if spec is None:
        near = difflib.get_close_matches(name, BY_NAME, n=1, cutoff=0.5)
        fix = f'Did you mean "{near[0]}"?' if near else "See the commented ordergate.toml."
        raise InvalidArgument(f'there is no limit "{name[:80]}".', fix=fix)
    return spec


def policy_hash(limits: Limits) -> str:
    """Return one hash over every limit in force."""
    return sha256_hex(canonical({spec.name: limits.value(spec) for spec in SPECS}))


def _flat(tables: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for name, value in tables.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{key}", item) for key, item in value.items())
        else:
            yield name, value
