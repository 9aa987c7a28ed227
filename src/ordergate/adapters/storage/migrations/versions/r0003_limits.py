"""What a day's closed trades brought each principal, beside its orders and their value."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("usage", sa.Column("result", sa.Text, nullable=False, server_default="0"))
