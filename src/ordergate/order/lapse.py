"""What a restart ends where money is real: asks nobody has answered, and yeses not redeemed."""

from __future__ import annotations

from typing import Final

import structlog

from ordergate.model.accounts import PRACTICE, Mode
from ordergate.model.errors import Code, DataUnavailable
from ordergate.model.orders import Lane, OrderState
from ordergate.model.records import OrderRecord, TicketState
from ordergate.order.approval.approve import Approve
from ordergate.order.gateway import GATEWAY, Gateway
from ordergate.order.journal.record import Instance
from ordergate.order.policy.judge import Judge
from ordergate.ports.journal import JournalTx, OrderFilter

BATCH: Final = 500
_WAITING: Final = frozenset({OrderState.AWAITING_APPROVAL, OrderState.APPROVED})

_log = structlog.get_logger("ordergate.lapse")


class Lapse:
    """Reads at start what the venue proves the account to be; exits are none of its business."""

    def __init__(
        self, *, instance: Instance, gateway: Gateway, approve: Approve, judge: Judge
    ) -> None:
        self._journal = instance.journal
        self._record = instance.record
        self._gateway = gateway
        self._approve = approve
        self._judge = judge

    async def after_restart(self) -> None:
        """Expire what waited for a yes, unless the venue proves that no money is real.

        An account that cannot be read may be live: what waited there has to be asked anew.
        """
        mode = await self.proven_mode()
        if mode in PRACTICE:
            return
        left = await self._journal.read(
            lambda tx: tuple(tx.orders(OrderFilter(states=_WAITING), limit=BATCH))
        )
        while left:
            ended = [order for order in left if await self._end(order)]
            _log.warning("live.asks_expired", orders=len(ended))
            if not ended:
                return
            left = await self._journal.read(
                lambda tx: tuple(tx.orders(OrderFilter(states=_WAITING), limit=BATCH))
            )

    async def proven_mode(self) -> Mode | None:
        """Return what the venue proves the account to be now; None where it cannot be read."""
        try:
            identity = (await self._gateway.account(asker=GATEWAY)).identity
        except DataUnavailable:
            return None
        self._judge.seen(identity)
        return identity.mode

    async def _end(self, order: OrderRecord) -> bool:
        def work(tx: JournalTx) -> OrderRecord | None:
            current = tx.order(order.order_id)
            if current is None or current.state not in _WAITING or current.lane is not Lane.OPEN:
                return None
            self._approve.end_open(tx, current, TicketState.EXPIRED, by=GATEWAY.id)
            return self._record.move(
                tx, current, "restarted_live", actor=GATEWAY.id, code=Code.APPROVAL_EXPIRED
            )

        moved = await self._journal.write(work)
        if moved is not None:
            self._gateway.announce(moved, None)
        return moved is not None
