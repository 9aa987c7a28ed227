"""What the operator grants a token beyond its kind; tokens made before hold nothing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("live", "others"):
        op.add_column("tokens", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
