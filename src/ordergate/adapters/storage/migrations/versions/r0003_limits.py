"""What a day's closed trades brought each principal, beside its orders and their value."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE usage ADD COLUMN result TEXT NOT NULL DEFAULT '0'")
