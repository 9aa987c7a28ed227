"""Alembic's entry: run the revisions on the connection that `schema.bring_up` hands over."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
