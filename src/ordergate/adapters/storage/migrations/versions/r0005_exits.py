"""Managed exits: one row for each position the gate protects, trails or closes by a plan."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    wide = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    known = ("account", "venue", "symbol", "position_id", "side", "principal")
    perhaps = ("parent", "stop", "target", "trail_amount", "trail_percent", "keep", "close_order")
    op.create_table(
        "exit_guards",
        sa.Column("guard_id", sa.Text, nullable=False),
        sa.Column("ver", wide, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in known),
        *(sa.Column(name, sa.Text) for name in perhaps),
        sa.Column("rung", wide, nullable=False),
        sa.Column("alarmed", wide, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("updated_at", sa.Text, nullable=False),
        sa.Column("ended_at", sa.Text),
        sa.PrimaryKeyConstraint("guard_id", name="pk_exit_guards"),
        sqlite_strict=True,
    )
    for columns in (["ended_at", "created_at"], ["account", "position_id"]):
        op.create_index(f"ix_exit_guards_{'_'.join(columns)}", "exit_guards", columns)
