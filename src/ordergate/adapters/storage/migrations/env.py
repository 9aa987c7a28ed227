"""Alembic's entry: run the revisions on the connection that `schema.bring_up` hands over."""

from __future__ import annotations

from alembic import context

from ordergate.adapters.storage import columns  # noqa: F401 - how text is ordered

# Either kind of database rolls DDL back. Without this word Alembic commits after each revision, and
# a power loss between two of them would leave tables that the next start finds in its way.
context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
