"""Alembic's entry: run the revisions on the connection that `schema.bring_up` hands over."""

from __future__ import annotations

from alembic import context

# SQLite rolls DDL back like anything else; believing otherwise, Alembic would commit after each
# revision, and a start that is cut off between two would leave a file that no start can mend.
context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
