"""One transaction as all ports see it: journal, identity, log and alerts together."""

from __future__ import annotations

from ordergate.adapters.storage.alerts_tx import AlertsTx
from ordergate.adapters.storage.audit_tx import AuditLogTx
from ordergate.adapters.storage.book_tx import BookTx
from ordergate.adapters.storage.exits_tx import ExitsTx
from ordergate.adapters.storage.identity_tx import IdentityRowsTx
from ordergate.adapters.storage.limits_tx import LimitsTx
from ordergate.adapters.storage.orders_tx import OrdersTx
from ordergate.adapters.storage.watch_tx import WatchRowsTx


class SqlTx(OrdersTx, LimitsTx, BookTx, ExitsTx, AuditLogTx, IdentityRowsTx, AlertsTx, WatchRowsTx):
    """Implements JournalTx, IdentityTx, AlertTx and WatchTx on a cursor in a transaction."""
