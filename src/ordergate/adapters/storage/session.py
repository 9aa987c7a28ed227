"""One transaction as all ports see it: journal, identity, log and alerts together."""

from __future__ import annotations

from ordergate.adapters.storage.alerts_tx import AlertsTx
from ordergate.adapters.storage.audit_tx import AuditLogTx
from ordergate.adapters.storage.book_tx import BookTx
from ordergate.adapters.storage.exits_tx import ExitsTx
from ordergate.adapters.storage.identity_tx import IdentityRowsTx
from ordergate.adapters.storage.limits_tx import LimitsTx
from ordergate.adapters.storage.orders_tx import OrdersTx


class SqlTx(OrdersTx, LimitsTx, BookTx, ExitsTx, AuditLogTx, IdentityRowsTx, AlertsTx):
    """Implements JournalTx, IdentityTx and AlertTx on a cursor inside an open transaction."""
