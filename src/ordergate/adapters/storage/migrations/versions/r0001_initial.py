"""The first schema: orders, limits, sealed log, identity."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _orders()
    _books()
    _limits()
    _audit()
    _identity()
    for table in ("audit", "checkpoints"):
        for act in ("UPDATE", "DELETE"):
            _forbid(act, table)
        _forbid_emptying(table)


def _forbid(act: str, table: str) -> None:
    trigger = f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table}"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"{trigger} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END")
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    op.execute(f"{trigger} FOR EACH STATEMENT EXECUTE FUNCTION append_only()")


def _forbid_emptying(table: str) -> None:
    """SQLite has no such act."""
    if op.get_bind().dialect.name != "sqlite":
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION append_only()"
        )


def _orders() -> None:
    op.create_table(
        "orders",
        *_texts("order_id"),
        *_numbers("ver"),
        *_texts("state", "action"),
        *_maybes("lane"),
        *_texts("principal", "principal_kind"),
        *_maybes("drafted_by"),
        *_texts(
            "key",
            "fingerprint",
            "intent_hash",
            "intent",
            "account",
            "venue",
            "symbol",
            "created_at",
            "updated_at",
        ),
        *_maybes("code", "decision_json", "ticket_id"),
        *_numbers("attempts"),
        *_maybes("expires_at"),
        sa.PrimaryKeyConstraint("order_id", name="pk_orders"),
        sqlite_strict=True,
    )
    _index("orders", "created_at", "order_id")
    _index("orders", "principal", "created_at", "order_id")
    _index("orders", "state", "created_at", "order_id")
    _index("orders", "symbol", "created_at", "order_id")
    op.create_table(
        "order_keys",
        *_texts("principal", "key", "order_id"),
        sa.PrimaryKeyConstraint("principal", "key", name="pk_order_keys"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name="fk_order_keys_order_id"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "attempts",
        *_texts("attempt_id", "order_id"),
        *_numbers("n", "ver"),
        *_texts("state", "action", "tag"),
        *_numbers("magic"),
        *_texts("account", "venue", "symbol"),
        *_maybes("side", "quantity"),
        *_numbers("opening"),
        *_texts("claimed_at", "venue_day", "owner"),
        *_numbers("epoch"),
        *_maybes("venue_order_id", "position_id"),
        *_texts("filled_quantity"),
        *_maybes("average_price"),
        *_numbers("cancel_pending"),
        *_maybes("code", "incident", "updated_at", "ended_at"),
        sa.PrimaryKeyConstraint("attempt_id", name="pk_attempts"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name="fk_attempts_order_id"),
        sa.UniqueConstraint("order_id", "n", name="uq_attempts_order_id_n"),
        sa.UniqueConstraint("tag", name="uq_attempts_tag"),
        sa.UniqueConstraint("magic", name="uq_attempts_magic"),
        sqlite_strict=True,
    )
    _index("attempts", "account", "ended_at", known="ended_at")
    _index("attempts", "account", "position_id", "opening", "claimed_at", known="position_id")
    _index("attempts", "account", "venue_order_id", "claimed_at", known="venue_order_id")
    _index("attempts", "state", "account")


def _books() -> None:
    op.create_table(
        "fills",
        *_numbers("n"),
        *_texts("account"),
        *_maybes("attempt_id"),
        *_texts("trade_id", "venue_order_id"),
        *_maybes("tag"),
        *_texts("symbol", "side", "quantity", "price", "commission", "realised", "time"),
        *_maybes("position_id"),
        *_texts("effect", "reason"),
        sa.PrimaryKeyConstraint("n", name="pk_fills"),
        sa.UniqueConstraint("account", "trade_id", name="uq_fills_account_trade_id"),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["attempts.attempt_id"], name="fk_fills_attempt_id"
        ),
        sqlite_strict=True,
    )
    _index("fills", "account", "n")
    _index("fills", "attempt_id")
    op.create_table(
        "tickets",
        *_texts("ticket_id", "order_id"),
        *_numbers("ver"),
        *_texts("state", "fingerprint", "policy_hash", "reference_price", "band_low", "band_high"),
        *_numbers("number"),
        *_texts("opened_at", "expires_at"),
        *_maybes("decided_by", "decided_at", "method"),
        sa.PrimaryKeyConstraint("ticket_id", name="pk_tickets"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name="fk_tickets_order_id"),
        sqlite_strict=True,
    )
    _index("tickets", "state", "opened_at")
    op.create_table(
        "reservations",
        *_texts(
            "attempt_id",
            "order_id",
            "account",
            "venue",
            "principal",
            "symbol",
            "side",
            "quantity",
            "notional",
        ),
        *_maybes("risk"),
        *_numbers("released_seq", nullable=True),
        sa.PrimaryKeyConstraint("attempt_id", name="pk_reservations"),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["attempts.attempt_id"], name="fk_reservations_attempt_id"
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name="fk_reservations_order_id"),
        sqlite_strict=True,
    )
    _index("reservations", "account", "released_seq")
    op.create_table(
        "recent_orders",
        *_texts("order_id", "principal", "account", "symbol"),
        *_maybes("side"),
        *_texts("action", "lane", "terms", "claimed_at"),
        sqlite_strict=True,
    )
    _index("recent_orders", "claimed_at")
    _index("recent_orders", "principal", "claimed_at")
    _index("recent_orders", "account", "terms", "claimed_at")
    op.create_table(
        "usage",
        *_texts("account", "day", "principal"),
        *_numbers("orders"),
        *_texts("notional"),
        sa.PrimaryKeyConstraint("account", "day", "principal", name="pk_usage"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _limits() -> None:
    op.create_table(
        "halts",
        *_texts("halt_id", "kind", "scope", "target", "reason", "engaged_by", "engaged_at"),
        *_maybes("released_by", "released_at", "release_reason"),
        sa.PrimaryKeyConstraint("halt_id", name="pk_halts"),
        sqlite_strict=True,
    )
    _index("halts", "released_at", "engaged_at")
    op.create_table(
        "tightenings",
        *_numbers("n"),
        *_texts("limit_name", "value", "set_by", "set_at", "reason"),
        *_maybes("lifted_by", "lifted_at"),
        sa.PrimaryKeyConstraint("n", name="pk_tightenings"),
        sqlite_strict=True,
    )
    op.create_table(
        "facts",
        *_texts("name", "value"),
        sa.PrimaryKeyConstraint("name", name="pk_facts"),
        sqlite_strict=True,
    )


def _audit() -> None:
    op.create_table(
        "audit",
        *_numbers("seq"),
        *_texts("ts", "kind", "actor", "corr", "body", "h"),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
        sqlite_strict=True,
    )
    _index("audit", "corr", "seq")
    _index("audit", "kind", "seq")
    op.create_table(
        "audit_head",
        *_numbers("id"),
        *_texts("log_id"),
        *_numbers("epoch", "size"),
        *_texts("h", "ts", "sig"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_one_row")),
        sqlite_strict=True,
    )
    op.create_table(
        "checkpoints",
        *_numbers("size"),
        *_texts("note", "sig"),
        sa.PrimaryKeyConstraint("size", name="pk_checkpoints"),
        sqlite_strict=True,
    )


def _identity() -> None:
    op.create_table(
        "tokens",
        *_texts("token_id", "principal", "kind", "name", "digest", "created_at", "expires_at"),
        *_maybes("revoked_at", "last_used_at"),
        sa.PrimaryKeyConstraint("token_id", name="pk_tokens"),
        sqlite_strict=True,
    )
    op.create_table(
        "operators",
        *_texts("principal", "name", "password_hash", "created_at"),
        sa.PrimaryKeyConstraint("principal", name="pk_operators"),
        sqlite_strict=True,
    )
    op.create_table(
        "sessions",
        *_texts("digest", "principal", "csrf", "created_at", "last_seen_at"),
        *_maybes("revoked_at"),
        sa.PrimaryKeyConstraint("digest", name="pk_sessions"),
        sqlite_strict=True,
    )


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _maybes(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text) for name in names]


def _numbers(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    wide = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    # Only what is called n does the database number itself.
    return [
        sa.Column(name, wide, nullable=nullable, autoincrement="auto" if name == "n" else False)
        for name in names
    ]


def _index(table: str, *columns: str, known: str | None = None) -> None:
    """Index the rows; with `known`, those that have a value in that column."""
    where = None if known is None else sa.text(f"{known} IS NOT NULL")
    name = f"ix_{table}_{'_'.join(columns)}"
    op.create_index(name, table, list(columns), sqlite_where=where, postgresql_where=where)
