"""Books older than their anchor: all that the lost records may have changed is void (A34)."""

from __future__ import annotations

from ordergate.adapters.storage.session import SqlTx
from ordergate.bootstrap.opening import Books
from ordergate.model.records import AuditHead, HaltKind, ScopeKind
from ordergate.model.values import PrincipalId
from ordergate.order.approval.approve import Approve
from ordergate.order.halt import Halt
from ordergate.order.journal.record import Instance
from ordergate.order.kill import end_waiting


async def void(
    books: Books, lost: AuditHead, *, instance: Instance, halt: Halt, approve: Approve
) -> None:
    """Engage the kill switch and void tokens, sign-ins and asks, in one transaction.

    Only the operator releases the switch. Done twice, nothing more changes.
    """
    prepared = halt.prepare(
        kind=HaltKind.KILL,
        scope=ScopeKind.GLOBAL,
        target="",
        reason=f"the books are older than their anchor of {lost.size} records",
        by=PrincipalId(instance.name),
    )
    now = instance.clock.now()

    def work(tx: SqlTx) -> None:
        head = tx.audit_head()
        durable = halt.engage(tx, prepared)
        halt.settle(prepared, durable)
        tokens = [one for one in tx.tokens() if tx.revoke_token(one.token_id, at=now)]
        sign_ins = tx.revoke_all_sessions(at=now)
        ended = end_waiting(tx, durable, record=instance.record, approve=approve)
        instance.record.note(
            tx,
            "record.rolled_back",
            actor=instance.name,
            corr=lost.log_id,
            body={
                "found": 0 if head is None else head.size,
                "anchored": lost.size,
                "anchored_at": lost.ts,
                "h": lost.h,
                "tokens": len(tokens),
                "sign_ins": sign_ins,
                "asks": len(ended),
            },
        )

    await books.write(work)
