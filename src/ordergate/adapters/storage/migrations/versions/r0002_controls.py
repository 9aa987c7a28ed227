"""What C5 and C13 look at: the price of a recent opening, fills by time, claims by account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("recent_orders", sa.Column("price", sa.Text))
    op.create_index(
        "ix_recent_orders_account_claimed_at", "recent_orders", ["account", "claimed_at"]
    )
    op.create_index("ix_fills_account_time", "fills", ["account", "time"])
