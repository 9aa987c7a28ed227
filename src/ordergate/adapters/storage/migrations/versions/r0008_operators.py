"""Second factors: authenticators, recovery codes, passkeys, and what a sign-in was proved by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A sign-in by password alone does not outlive the day on which that stopped being enough.
    op.drop_table("sessions")
    op.create_table(
        "sessions",
        *_texts("digest", "principal", "csrf", "created_at", "last_seen_at"),
        *_texts("session_id", "method", "factor_at", "address"),
        sa.Column("revoked_at", sa.Text),
        sa.PrimaryKeyConstraint("digest", name="pk_sessions"),
        sqlite_strict=True,
    )
    op.create_index("ix_sessions_principal_created_at", "sessions", ["principal", "created_at"])
    op.create_table(
        "totps",
        *_texts("principal"),
        _number("last_step"),
        *_texts("enrolled_at"),
        sa.PrimaryKeyConstraint("principal", name="pk_totps"),
        sqlite_strict=True,
    )
    op.create_table(
        "recovery_codes",
        *_texts("digest", "principal", "created_at"),
        sa.Column("used_at", sa.Text),
        sa.PrimaryKeyConstraint("digest", name="pk_recovery_codes"),
        sqlite_strict=True,
    )
    op.create_table(
        "passkeys",
        *_texts("credential_id", "principal", "name", "public_key"),
        _number("sign_count"),
        *_texts("created_at"),
        sa.Column("last_used_at", sa.Text),
        sa.PrimaryKeyConstraint("credential_id", name="pk_passkeys"),
        sqlite_strict=True,
    )


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _number(name: str) -> sa.Column[int]:
    wide = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column(name, wide, nullable=False)
