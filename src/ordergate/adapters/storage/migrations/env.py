"""Alembic's entry: run the revisions on the connection that `schema.bring_up` hands over."""

from __future__ import annotations

from alembic import context

# Alembic thinks that SQLite cannot roll DDL back, and would commit after each revision.
context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
