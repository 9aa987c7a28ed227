"""The outbox of alerts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TEXTS = ("kind", "severity", "subject", "title", "text", "link", "created_at")
_MAYBES = ("told_at", "ended_at", "acknowledged_by", "acknowledged_at", "problem")


def upgrade() -> None:
    wide = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "alerts",
        sa.Column("alert_id", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in _TEXTS),
        sa.Column("next_at", sa.Text),
        *(sa.Column(name, wide, nullable=False) for name in ("tries", "told")),
        *(sa.Column(name, sa.Text) for name in _MAYBES),
        sa.PrimaryKeyConstraint("alert_id", name="pk_alerts"),
        sqlite_strict=True,
    )
    op.create_index("ix_alerts_created_at_alert_id", "alerts", ["created_at", "alert_id"])
    is_open = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_alerts_open",
        "alerts",
        ["created_at"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
