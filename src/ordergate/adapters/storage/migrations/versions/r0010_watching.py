"""Price alerts and watchlists."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    wide = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "price_alerts",
        sa.Column("alert_id", sa.Text, nullable=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("principal", "symbol", "kind", "level")
        ),
        *(sa.Column(name, wide, nullable=False) for name in ("window_s", "repeats")),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("hysteresis_percent", "side", "note", "state")
        ),
        sa.Column("fired", wide, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("fired_at", "fired_price")),
        sa.PrimaryKeyConstraint("alert_id", name="pk_price_alerts"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_price_alerts_principal_created_at", "price_alerts", ["principal", "created_at"]
    )
    op.create_index("ix_price_alerts_state_created_at", "price_alerts", ["state", "created_at"])
    op.create_table(
        "watchlists",
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("principal", "name", "symbols", "created_at", "updated_at")
        ),
        sa.PrimaryKeyConstraint("principal", "name", name="pk_watchlists"),
        sqlite_strict=True,
    )
