"""The tables beside the order line's own: exit guards, the whole book, alerts, watchlists."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Index, Text, UniqueConstraint, literal_column

from ordergate.adapters.storage.columns import WIDE, maybe, number, table, text

EXIT_GUARDS: Final = table(
    "exit_guards",
    Column("guard_id", Text, primary_key=True),
    number("ver"),
    *(text(name) for name in ("account", "venue", "symbol", "position_id", "side", "principal")),
    *(maybe(name) for name in ("parent", "stop", "target", "trail_amount", "trail_percent")),
    *(maybe(name) for name in ("keep", "close_order")),
    number("rung"),
    number("alarmed"),
    text("created_at"),
    text("updated_at"),
    maybe("ended_at"),
    Index(None, "ended_at", "created_at"),
    Index(None, "account", "position_id"),
)

# What the operator confirmed to share its risk with what; what was removed stays on file.
UNDERLYINGS: Final = table(
    "underlyings",
    Column("n", WIDE, primary_key=True, autoincrement=True),
    text("name"),
    text("underlying"),
    text("venue"),
    text("confirmed_by"),
    text("confirmed_at"),
    text("reason"),
    maybe("removed_by"),
    maybe("removed_at"),
)

BASELINES: Final = table(
    "baselines",
    Column("account", Text, primary_key=True),
    text("currency"),
    text("week"),
    text("week_start"),
    text("peak"),
    text("day"),
    text("day_start"),
    text("last"),
    text("seen_at"),
)

CASH: Final = table(
    "cash",
    Column("n", WIDE, primary_key=True, autoincrement=True),  # booking order
    text("account"),
    text("line_id"),
    text("kind"),
    text("amount"),
    text("time"),
    maybe("symbol"),
    text("quantity"),
    text("note"),
    UniqueConstraint("account", "line_id"),
    Index(None, "account", "n"),
    Index(None, "account", "kind"),
)

EXTERNALS: Final = table(
    "externals",
    Column("n", WIDE, primary_key=True, autoincrement=True),  # order of finding, the page cursor
    text("account"),
    text("kind"),
    text("venue_id"),
    text("symbol"),
    text("side"),
    text("quantity"),
    maybe("price"),
    text("venue_time"),
    text("found_at"),
    UniqueConstraint("account", "kind", "venue_id"),
    Index(None, "account", "n"),
)

ALERTS: Final = table(
    "alerts",
    Column("alert_id", Text, primary_key=True),
    text("kind"),
    text("severity"),
    text("subject"),
    text("title"),
    text("text"),
    text("link"),
    text("created_at"),
    maybe("next_at"),
    number("tries"),
    number("told"),
    maybe("told_at"),
    maybe("ended_at"),
    maybe("acknowledged_by"),
    maybe("acknowledged_at"),
    maybe("problem"),
    Index(None, "created_at", "alert_id"),
    Index(
        "ix_alerts_open",
        "created_at",
        sqlite_where=literal_column("ended_at").is_(None),
        postgresql_where=literal_column("ended_at").is_(None),
    ),
)

PRICE_ALERTS: Final = table(
    "price_alerts",
    Column("alert_id", Text, primary_key=True),
    *(text(name) for name in ("principal", "symbol", "kind", "level")),
    *(number(name) for name in ("window_s", "repeats")),
    *(text(name) for name in ("hysteresis_percent", "side", "note", "state")),
    number("fired"),
    text("created_at"),
    *(maybe(name) for name in ("fired_at", "fired_price")),
    *(Column(name, Text, nullable=False, server_default="") for name in ("rule", "timeframe")),
    maybe("seen_to"),
    Index(None, "principal", "created_at"),
    Index(None, "state", "created_at"),
)

WATCHLISTS: Final = table(
    "watchlists",
    Column("principal", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    *(text(name) for name in ("symbols", "created_at", "updated_at")),
)
