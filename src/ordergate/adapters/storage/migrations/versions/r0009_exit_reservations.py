"""An exit on its way holds its part of the position; what is reserved so far opens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    reduces = sa.Column("reduces", sa.Integer, nullable=False, server_default="0")
    op.add_column("reservations", reduces)
