"""Alembic's entry: run the revisions on the connection that `schema.bring_up` hands over."""

from __future__ import annotations

from alembic import context

# SQLite's changes of the schema are transactional; Alembic thinks not, and would commit each
# revision, and each statement after the first one, by itself.
context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
