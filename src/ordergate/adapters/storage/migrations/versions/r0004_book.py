"""The whole book: confirmed underlyings, baselines, cash, what came from outside."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "underlyings",
        _numbered(),
        *_texts("name", "underlying", "venue", "confirmed_by", "confirmed_at", "reason"),
        *_maybes("removed_by", "removed_at"),
        sa.PrimaryKeyConstraint("n", name="pk_underlyings"),
        sqlite_strict=True,
    )
    op.create_table(
        "baselines",
        *_texts("account", "currency", "week", "week_start", "peak"),
        *_texts("day", "day_start", "last", "seen_at"),
        sa.PrimaryKeyConstraint("account", name="pk_baselines"),
        sqlite_strict=True,
    )
    op.create_table(
        "cash",
        _numbered(),
        *_texts("account", "line_id", "kind", "amount", "time"),
        *_maybes("symbol"),
        *_texts("quantity", "note"),
        sa.PrimaryKeyConstraint("n", name="pk_cash"),
        sa.UniqueConstraint("account", "line_id", name="uq_cash_account_line_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_cash_account_n", "cash", ["account", "n"])
    op.create_index("ix_cash_account_kind", "cash", ["account", "kind"])
    op.create_table(
        "externals",
        _numbered(),
        *_texts("account", "kind", "venue_id", "symbol", "side", "quantity"),
        *_maybes("price"),
        *_texts("venue_time", "found_at"),
        sa.PrimaryKeyConstraint("n", name="pk_externals"),
        sa.UniqueConstraint(
            "account", "kind", "venue_id", name="uq_externals_account_kind_venue_id"
        ),
        sqlite_strict=True,
    )
    op.create_index("ix_externals_account_n", "externals", ["account", "n"])


def _numbered() -> sa.Column[int]:
    wide = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("n", wide, nullable=False)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _maybes(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text) for name in names]
