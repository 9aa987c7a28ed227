"""The gate's tables: with `tables_beside`, the one definition of the schema.

Migrations are checked against it.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from ordergate.adapters.storage.columns import METADATA, WIDE
from ordergate.adapters.storage.columns import index_of_known as _index_of_known
from ordergate.adapters.storage.columns import maybe as _maybe
from ordergate.adapters.storage.columns import number as _number
from ordergate.adapters.storage.columns import table as _table
from ordergate.adapters.storage.columns import text as _text

ORDERS: Final = _table(
    "orders",
    Column("order_id", Text, primary_key=True),
    _number("ver"),
    _text("state"),
    _text("action"),
    _maybe("lane"),
    _text("principal"),
    _text("principal_kind"),
    _maybe("drafted_by"),
    _text("key"),
    _text("fingerprint"),
    _text("intent_hash"),
    _text("intent"),
    _text("account"),
    _text("venue"),
    _text("symbol"),
    _text("created_at"),
    _text("updated_at"),
    _maybe("code"),
    _maybe("decision_json"),
    _maybe("ticket_id"),
    _number("attempts"),
    _maybe("expires_at"),
    Index(None, "created_at", "order_id"),
    Index(None, "state", "created_at", "order_id"),
    Index(None, "principal", "created_at", "order_id"),
    Index(None, "symbol", "created_at", "order_id"),
)

# A key is spent for ever, also when its order changes hands (a draft that an operator submits).
ORDER_KEYS: Final = Table(
    "order_keys",
    METADATA,
    _text("principal"),
    _text("key"),
    Column("order_id", Text, ForeignKey("orders.order_id"), nullable=False),
    PrimaryKeyConstraint("principal", "key"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

ATTEMPTS: Final = Table(
    "attempts",
    METADATA,
    Column("attempt_id", Text, primary_key=True),
    Column("order_id", Text, ForeignKey("orders.order_id"), nullable=False),
    _number("n"),
    _number("ver"),
    _text("state"),
    _text("action"),
    _text("tag"),
    _number("magic"),
    _text("account"),
    _text("venue"),
    _text("symbol"),
    _maybe("side"),
    _maybe("quantity"),
    _number("opening"),
    _text("claimed_at"),
    _text("venue_day"),
    _text("owner"),
    _number("epoch"),
    _maybe("venue_order_id"),
    _maybe("position_id"),
    _text("filled_quantity"),
    _maybe("average_price"),
    _number("cancel_pending"),
    _maybe("code"),
    _maybe("incident"),
    _maybe("updated_at"),
    _maybe("ended_at"),
    UniqueConstraint("order_id", "n"),
    UniqueConstraint("tag"),
    UniqueConstraint("magic"),
    Index(None, "state", "account"),
    _index_of_known("venue_order_id", "account", "venue_order_id", "claimed_at"),
    _index_of_known("position_id", "account", "position_id", "opening", "claimed_at"),
    _index_of_known("ended_at", "account", "ended_at"),
    sqlite_strict=True,
)

FILLS: Final = Table(
    "fills",
    METADATA,
    Column("n", WIDE, primary_key=True, autoincrement=True),  # booking order, the page cursor
    _text("account"),
    Column("attempt_id", Text, ForeignKey("attempts.attempt_id")),
    _text("trade_id"),
    _text("venue_order_id"),
    _maybe("tag"),
    _text("symbol"),
    _text("side"),
    _text("quantity"),
    _text("price"),
    _text("commission"),
    _text("realised"),
    _text("time"),
    _maybe("position_id"),
    _text("effect"),
    _text("reason"),
    UniqueConstraint("account", "trade_id"),
    Index(None, "account", "n"),
    Index(None, "account", "time"),
    Index(None, "attempt_id"),
    sqlite_strict=True,
)

RESERVATIONS: Final = Table(
    "reservations",
    METADATA,
    Column("attempt_id", Text, ForeignKey("attempts.attempt_id"), primary_key=True),
    Column("order_id", Text, ForeignKey("orders.order_id"), nullable=False),
    _text("account"),
    _text("venue"),
    _text("principal"),
    _text("symbol"),
    _text("side"),
    _text("quantity"),
    _text("notional"),
    _maybe("risk"),
    Column("released_seq", WIDE),
    Column("reduces", WIDE, nullable=False, server_default="0"),
    Index(None, "account", "released_seq"),
    sqlite_strict=True,
)

RECENT_ORDERS: Final = _table(
    "recent_orders",
    Column("order_id", Text, nullable=False),
    _text("principal"),
    _text("account"),
    _text("symbol"),
    _maybe("side"),
    _text("action"),
    _text("lane"),
    _text("terms"),
    _text("claimed_at"),
    _maybe("price"),
    Index(None, "claimed_at"),
    Index(None, "account", "claimed_at"),
    Index(None, "principal", "claimed_at"),
    Index(None, "account", "terms", "claimed_at"),
)

USAGE: Final = Table(
    "usage",
    METADATA,
    _text("account"),
    _text("day"),
    _text("principal"),
    _number("orders"),
    _text("notional"),
    Column("result", Text, nullable=False, server_default="0"),
    PrimaryKeyConstraint("account", "day", "principal"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

TICKETS: Final = Table(
    "tickets",
    METADATA,
    Column("ticket_id", Text, primary_key=True),
    Column("order_id", Text, ForeignKey("orders.order_id"), nullable=False),
    _number("ver"),
    _text("state"),
    _text("fingerprint"),
    _text("policy_hash"),
    _text("reference_price"),
    _text("band_low"),
    _text("band_high"),
    _number("number"),
    _text("opened_at"),
    _text("expires_at"),
    _maybe("decided_by"),
    _maybe("decided_at"),
    _maybe("method"),
    Index(None, "state", "opened_at"),
    sqlite_strict=True,
)

HALTS: Final = _table(
    "halts",
    Column("halt_id", Text, primary_key=True),
    _text("kind"),
    _text("scope"),
    _text("target"),
    _text("reason"),
    _text("engaged_by"),
    _text("engaged_at"),
    _maybe("released_by"),
    _maybe("released_at"),
    _maybe("release_reason"),
    Index(None, "released_at", "engaged_at"),
)

TIGHTENINGS: Final = _table(
    "tightenings",
    Column("n", WIDE, primary_key=True, autoincrement=True),
    _text("limit_name"),
    _text("value"),
    _text("set_by"),
    _text("set_at"),
    _text("reason"),
    _maybe("lifted_by"),
    _maybe("lifted_at"),
)

FACTS: Final = _table("facts", Column("name", Text, primary_key=True), _text("value"))

AUDIT: Final = _table(
    "audit",
    Column("seq", WIDE, primary_key=True, autoincrement=False),
    _text("ts"),
    _text("kind"),
    _text("actor"),
    _text("corr"),
    _text("body"),
    _text("h"),
    Index(None, "kind", "seq"),
    Index(None, "corr", "seq"),
)

AUDIT_HEAD: Final = _table(
    "audit_head",
    Column("id", WIDE, primary_key=True, autoincrement=False),
    _text("log_id"),
    _number("epoch"),
    _number("size"),
    _text("h"),
    _text("ts"),
    _text("sig"),
    CheckConstraint("id = 1", name="one_row"),
)

CHECKPOINTS: Final = _table(
    "checkpoints",
    Column("size", WIDE, primary_key=True, autoincrement=False),
    _text("note"),
    _text("sig"),
)

TOKENS: Final = _table(
    "tokens",
    Column("token_id", Text, primary_key=True),
    _text("principal"),
    _text("kind"),
    _text("name"),
    _text("digest"),
    _text("created_at"),
    _text("expires_at"),
    _maybe("revoked_at"),
    _maybe("last_used_at"),
    Column("live", WIDE, nullable=False, server_default="0"),
    Column("others", WIDE, nullable=False, server_default="0"),
)

OPERATORS: Final = _table(
    "operators",
    Column("principal", Text, primary_key=True),
    _text("name"),
    _text("password_hash"),
    _text("created_at"),
)

SESSIONS: Final = _table(
    "sessions",
    Column("digest", Text, primary_key=True),
    _text("principal"),
    _text("csrf"),
    _text("created_at"),
    _text("last_seen_at"),
    _text("session_id"),
    _text("method"),
    _text("factor_at"),
    _text("address"),
    _maybe("revoked_at"),
    Index(None, "principal", "created_at"),
)

TOTPS: Final = _table(
    "totps",
    Column("principal", Text, primary_key=True),
    _number("last_step"),
    _text("enrolled_at"),
)

RECOVERY_CODES: Final = _table(
    "recovery_codes",
    Column("digest", Text, primary_key=True),
    _text("principal"),
    _text("created_at"),
    _maybe("used_at"),
)

PASSKEYS: Final = _table(
    "passkeys",
    Column("credential_id", Text, primary_key=True),
    _text("principal"),
    _text("name"),
    _text("public_key"),
    _number("sign_count"),
    _text("created_at"),
    _maybe("last_used_at"),
)
