"""Price alerts that are rules of closed bars."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("rule", "timeframe"):
        op.add_column("price_alerts", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.add_column("price_alerts", sa.Column("seen_to", sa.Text))
