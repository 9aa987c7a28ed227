"""An execution becomes deals, positions and money, as a hedging or a netting account books it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from ordergate.sim import costs
from ordergate.sim.rounding import half_away
from ordergate.testing.mt5.book import (
    MONEY,
    AccountTerms,
    Books,
    DealRow,
    OrderRow,
    PositionRow,
    Switches,
)
from ordergate.testing.mt5.constants import Constants as K
from ordergate.testing.mt5.money import Money
from ordergate.testing.mt5.specs import Spec

CLOSED_BY: Final = {K.ORDER_REASON_SL: "sl", K.ORDER_REASON_TP: "tp", K.ORDER_REASON_SO: "so"}


class Run(NamedTuple):
    """How much was traded, at what price (points) and when."""

    steps: int
    price: int
    msc: int


class Dealing:
    """Books executions. Prices are points, sizes steps, times broker milliseconds."""

    def __init__(
        self,
        terms: AccountTerms,
        specs: Mapping[str, Spec],
        books: Books,
        money: Money,
        switches: Switches,
    ) -> None:
        self._terms = terms
        self._specs = specs
        self._books = books
        self._money = money
        self._switches = switches

    @property
    def hedging(self) -> bool:
        return self._terms.margin_mode == K.ACCOUNT_MARGIN_MODE_RETAIL_HEDGING

    def ticket(self) -> int:
        self._books.ticket += 1
        return self._books.ticket

    def netted(self, symbol: str) -> PositionRow | None:
        """Return a netting account's one position in a symbol."""
        if self.hedging:
            return None
        return next((p for p in self._books.positions.values() if p.symbol == symbol), None)

    def reduced_by(self, order: OrderRow) -> PositionRow | None:
        """Return the position that an order takes from: the named one, or netting's opposite."""
        if order.position:
            return self._books.positions.get(order.position)
        held = self.netted(order.symbol)
        return held if held is not None and held.side != order.side else None

    def execute(self, order: OrderRow, run: Run) -> DealRow:
        """Execute a part of an order; what exceeds a netting position opens the other way."""
        held = self.reduced_by(order)
        if held is None:
            deal = self._open(order, run)
        else:
            taken = min(run.steps, held.steps)
            deal = self._close(order, held, run._replace(steps=taken))
            if run.steps > taken:
                self._turn(order, deal, run._replace(steps=run.steps - taken))
        order.left -= run.steps
        order.position = order.position or deal.position
        if not order.left:
            self.end(order, K.ORDER_STATE_FILLED, run.msc)
        elif order.ticket in self._books.orders:
            order.state = K.ORDER_STATE_PARTIAL
        return deal

    def end(self, order: OrderRow, state: int, msc: int) -> None:
        """Move an order to the history."""
        order.state, order.done_msc = state, msc
        self._books.orders.pop(order.ticket, None)
        self._books.past[order.ticket] = order

    def commission(self, spec: Spec, steps: int) -> int:
        return -half_away(self._terms.commission_per_lot * MONEY * steps, spec.steps_per_lot)

    def _open(self, order: OrderRow, run: Run) -> DealRow:
        held = self._grow(order, run)
        commission = self.commission(self._specs[order.symbol], run.steps)
        self._books.balance += commission
        deal = self._deal(order, held, run)
        deal.commission = commission
        return deal

    def _turn(self, order: OrderRow, deal: DealRow, run: Run) -> None:
        """Let what is left of a deal open a netting position the other way."""
        commission = self.commission(self._specs[order.symbol], run.steps)
        self._books.balance += commission
        order.position = 0
        self._grow(order, run)
        deal.entry, deal.steps = K.DEAL_ENTRY_INOUT, deal.steps + run.steps
        deal.commission += commission

    def _grow(self, order: OrderRow, run: Run) -> PositionRow:
        held = self._books.positions.get(order.position) or self.netted(order.symbol)
        if held is None:
            held = PositionRow(
                ticket=order.ticket,
                symbol=order.symbol,
                side=order.side,
                steps=0,
                cost=0,
                magic=order.magic,
                comment=order.comment,
                reason=order.reason,
                opened_msc=run.msc,
            )
            self._books.positions[held.ticket] = held
        held.steps += run.steps
        held.cost += run.steps * run.price
        held.updated_msc = run.msc
        held.sl, held.tp = order.sl or held.sl, order.tp or held.tp
        return held

    def _close(self, order: OrderRow, held: PositionRow, run: Run) -> DealRow:
        spec = self._specs[held.symbol]
        share = costs.cost_share(held.cost, held.steps, run.steps)
        swap = costs.cost_share(held.swap, held.steps, run.steps)
        profit = self._money.profit(spec, held.side, share, run.price, run.steps) or 0
        commission = self.commission(spec, run.steps)
        held.steps -= run.steps
        held.cost -= share
        held.swap -= swap
        held.updated_msc = run.msc
        self._books.balance += profit + commission + swap
        if not held.steps:
            del self._books.positions[held.ticket]
        deal = self._deal(order, held, run)
        deal.entry = K.DEAL_ENTRY_OUT
        deal.commission, deal.profit, deal.swap = commission, profit, swap
        return deal

    def _deal(self, order: OrderRow, held: PositionRow, run: Run) -> DealRow:
        by_server = order.reason in CLOSED_BY
        deal = DealRow(
            ticket=self.ticket(),
            order=order.ticket,
            time_msc=run.msc,
            type=K.DEAL_TYPE_BUY if order.buys else K.DEAL_TYPE_SELL,
            entry=K.DEAL_ENTRY_IN,
            symbol=order.symbol,
            magic=0 if by_server and self._switches.drops_magic else order.magic,
            position=held.ticket,
            reason=order.reason,
            steps=run.steps,
            price=run.price,
            comment=order.comment,
        )
        self._books.deals.append(deal)
        return deal

    def close_by_server(self, held: PositionRow, reason: int, price: int, msc: int) -> None:
        """Close a position by its stop, its target or the margin call."""
        spec = self._specs[held.symbol]
        level = {K.ORDER_REASON_SL: held.sl, K.ORDER_REASON_TP: held.tp}.get(reason, price)
        order = OrderRow(
            ticket=self.ticket(),
            symbol=held.symbol,
            type=K.ORDER_TYPE_SELL if held.side > 0 else K.ORDER_TYPE_BUY,
            steps=held.steps,
            left=held.steps,
            price=price,
            magic=0 if self._switches.drops_magic else held.magic,
            comment=f"[{CLOSED_BY[reason]} {spec.price(level):.{spec.digits}f}]",
            reason=reason,
            position=held.ticket,
            setup_msc=msc,
        )
        self.execute(order, Run(order.steps, price, msc))

    def close_by(self, order: OrderRow, one: PositionRow, other: PositionRow, msc: int) -> None:
        """Close two opposite positions of a symbol by each other, as far as the smaller goes."""
        run = Run(min(one.steps, other.steps), half_away(other.cost, other.steps), msc)
        for held in (one, other):
            order.type = K.ORDER_TYPE_SELL if held.side > 0 else K.ORDER_TYPE_BUY
            self._close(order, held, run).entry = K.DEAL_ENTRY_OUT_BY
        order.left = 0
        self.end(order, K.ORDER_STATE_FILLED, msc)
