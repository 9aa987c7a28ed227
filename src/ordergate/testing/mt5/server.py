"""The simulated trade server: takes requests, answers with return codes, lives on ticks.

Nothing here is MetaQuotes' code. What is not published is chosen as brokers usually have it, and
stands in docs/reference/mt5.md.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from ordergate.sim import fills, margin
from ordergate.testing.mt5.book import (
    MONEY,
    AccountTerms,
    DealRow,
    OrderRow,
    PositionRow,
    TickRow,
)
from ordergate.testing.mt5.checking import Checking, Wish
from ordergate.testing.mt5.constants import Constants as K
from ordergate.testing.mt5.dealing import Run
from ordergate.testing.mt5.specs import STANDARD, Spec
from ordergate.testing.mt5.state import State

TICKS_KEPT: Final = 100_000
LIMITS: Final = frozenset({K.ORDER_TYPE_BUY_LIMIT, K.ORDER_TYPE_SELL_LIMIT})
STOP_LIMITS: Final = frozenset({K.ORDER_TYPE_BUY_STOP_LIMIT, K.ORDER_TYPE_SELL_STOP_LIMIT})


class Reply(NamedTuple):
    """What the server says to a request."""

    retcode: int
    deal: int = 0
    order: int = 0
    steps: int = 0
    price: int = 0


class Server(State):
    """One account at one broker. Every method may be called from any thread.

    `ticks` come in UTC milliseconds; all times the server tells are the broker's.
    """

    def __init__(
        self,
        terms: AccountTerms = AccountTerms(),  # noqa: B008 - frozen
        specs: Iterable[Spec] = STANDARD,
    ) -> None:
        super().__init__(terms, specs)
        self.checking = Checking(self)
        self._listeners: list[Callable[[], None]] = []
        self._late: list[Callable[[], object]] = []
        self._with_next_tick: list[OrderRow] = []
        self._keep: Callable[[], None] = lambda: None

    def kept_by(self, keep: Callable[[], None]) -> None:
        """Have the books kept after every change of theirs, before any answer shows it."""
        self._keep = keep

    def listen(self, callback: Callable[[], None]) -> None:
        """Call back after the market has changed the books."""
        self._listeners.append(callback)

    def broker_msc(self, utc_msc: int) -> int:
        return utc_msc + self.terms.broker_offset_s * 1000

    def tick(self, symbol: str, bid: float, ask: float, utc_msc: int) -> None:
        """Let a quote arrive and meet everything that waits for it."""
        with self.lock:
            spec = self.specs[symbol]
            self.msc = max(self.msc, self.broker_msc(utc_msc))
            row = TickRow(spec.points(bid), spec.points(ask), self.msc)
            self.ticks[symbol] = row
            self.history.setdefault(symbol, deque(maxlen=TICKS_KEPT)).append(row)
            before = (len(self.books.deals), len(self.books.past))
            if symbol not in self.closed:
                self._late_fills(symbol, row)
                self._pending(symbol, row)
                self._protective(symbol, row)
                self._stop_out()
            changed = before != (len(self.books.deals), len(self.books.past))
            if changed:
                self._keep()
        if changed:
            for listener in self._listeners:
                listener()

    def advance(self, utc_msc: int) -> None:
        """Let time pass without a quote: orders expire."""
        with self.lock:
            self.msc = max(self.msc, self.broker_msc(utc_msc))
            self._expire()

    def pay(self, amount: int, *, kind: int = K.DEAL_TYPE_BALANCE, comment: str = "") -> None:
        """Book a line of cash: whole units of the currency, signed."""
        with self.lock:
            self.books.balance += amount * MONEY
            self.books.deals.append(
                DealRow(
                    ticket=self.dealing.ticket(),
                    order=0,
                    time_msc=self.msc,
                    type=kind,
                    entry=K.DEAL_ENTRY_IN,
                    reason=K.DEAL_REASON_CLIENT,
                    profit=amount * MONEY,
                    comment=comment,
                )
            )
            self._keep()

    def later(self, act: Callable[[], object]) -> None:
        """Keep a request that is still on its way."""
        self._late.append(act)

    def arrive(self) -> None:
        """Let what was on its way arrive now."""
        late, self._late = self._late, []
        for act in late:
            act()

    def request(self, wish: Wish, *, fill: int | None = None, wait: bool = False) -> Reply:
        """Carry out a request. `fill`: percent executed at once; `wait`: with the next tick."""
        with self.lock:
            code = self.checking.objection(wish)
            if code:
                return Reply(code)
            reply = self._done(wish, fill=fill, wait=wait)
            self._keep()
            return reply

    def _done(self, wish: Wish, *, fill: int | None, wait: bool) -> Reply:
        match wish.action:
            case K.TRADE_ACTION_DEAL:
                return self._deal(wish, fill=fill, wait=wait)
            case K.TRADE_ACTION_PENDING:
                return self._place(wish)
            case K.TRADE_ACTION_SLTP:
                held = self.checking.position(wish)
                assert held is not None
                held.sl, held.tp, held.updated_msc = wish.sl, wish.tp, self.msc
                return Reply(K.TRADE_RETCODE_DONE)
            case K.TRADE_ACTION_MODIFY:
                return self._modify(wish)
            case K.TRADE_ACTION_REMOVE:
                self.dealing.end(self.books.orders[wish.order], K.ORDER_STATE_CANCELED, self.msc)
                return Reply(K.TRADE_RETCODE_DONE, order=wish.order)
            case _:
                return self._close_by(wish)

    def _row(self, wish: Wish) -> OrderRow:
        cut, own = self.switches.comment_cut, self.switches.comment_is
        return OrderRow(
            ticket=self.dealing.ticket(),
            symbol=wish.symbol,
            type=wish.type,
            steps=wish.steps,
            left=wish.steps,
            price=wish.price,
            stop_limit=wish.stop_limit,
            sl=wish.sl,
            tp=wish.tp,
            filling=wish.filling,
            time_type=wish.time_type,
            expiration=wish.expiration,
            magic=wish.magic,
            comment=own if own is not None else wish.comment[:cut],
            position=wish.position,
            setup_msc=self.msc,
        )

    def _deal(self, wish: Wish, *, fill: int | None, wait: bool) -> Reply:
        row = self._row(wish)
        if self.switches.drops_stops:
            row.sl = row.tp = 0
        tick = self.ticks[row.symbol]
        if wait:
            self.books.orders[row.ticket] = row
            self._with_next_tick.append(row)
            return Reply(K.TRADE_RETCODE_PLACED, order=row.ticket, steps=row.steps)
        price = tick.ask if row.buys else tick.bid
        steps = row.steps if fill is None else max(1, row.steps * fill // 100)
        deal = self.dealing.execute(row, Run(steps, price, self.msc))
        if not row.left:
            return Reply(K.TRADE_RETCODE_DONE, deal.ticket, row.ticket, steps, price)
        self.dealing.end(row, K.ORDER_STATE_CANCELED, self.msc)
        return Reply(K.TRADE_RETCODE_DONE_PARTIAL, deal.ticket, row.ticket, steps, price)

    def _place(self, wish: Wish) -> Reply:
        row = self._row(wish)
        self.books.orders[row.ticket] = row
        tick = self.ticks.get(row.symbol)
        if tick is not None and row.symbol not in self.closed:
            self._meet(row, tick)
        return Reply(K.TRADE_RETCODE_DONE, order=row.ticket, steps=row.steps)

    def _modify(self, wish: Wish) -> Reply:
        row = self.books.orders[wish.order]
        row.price, row.stop_limit = wish.price, wish.stop_limit or row.stop_limit
        row.sl, row.tp = wish.sl, wish.tp
        row.time_type, row.expiration = wish.time_type, wish.expiration
        return Reply(K.TRADE_RETCODE_DONE, order=row.ticket)

    def _close_by(self, wish: Wish) -> Reply:
        one = self.books.positions[wish.position]
        other = self.books.positions[wish.position_by]
        row = self._row(wish)
        row.symbol, row.type, row.position_by = one.symbol, K.ORDER_TYPE_CLOSE_BY, other.ticket
        row.steps = min(one.steps, other.steps)
        self.dealing.close_by(row, one, other, self.msc)
        return Reply(K.TRADE_RETCODE_DONE, order=row.ticket, steps=row.steps)

    def _late_fills(self, symbol: str, tick: TickRow) -> None:
        waiting = [row for row in self._with_next_tick if row.symbol == symbol]
        self._with_next_tick = [row for row in self._with_next_tick if row.symbol != symbol]
        for row in waiting:
            if row.ticket not in self.books.orders:
                continue
            if row.position and row.position not in self.books.positions:
                self.dealing.end(row, K.ORDER_STATE_REJECTED, self.msc)
                continue
            price = tick.ask if row.buys else tick.bid
            self.dealing.execute(row, Run(row.left, price, self.msc))

    def _pending(self, symbol: str, tick: TickRow) -> None:
        self._expire()
        for row in list(self.books.orders.values()):
            if row.symbol == symbol and row.price:
                self._meet(row, tick)

    def _expire(self) -> None:
        for row in list(self.books.orders.values()):
            if row.expiration and self.msc >= row.expiration * 1000:
                self.dealing.end(row, K.ORDER_STATE_EXPIRED, self.msc)

    def _meet(self, row: OrderRow, tick: TickRow) -> None:
        """Let a pending order meet a quote, by the fill rules of `sim`."""
        pays = tick.ask if row.buys else tick.bid
        bar = (pays, pays, pays, pays)
        if row.type in STOP_LIMITS:
            triggered, filled, price = fills.stop_limit(
                row.side, row.price, row.stop_limit, bar, fills.ON_BID_ASK
            )
            if triggered and not filled:
                row.type = K.ORDER_TYPE_BUY_LIMIT if row.buys else K.ORDER_TYPE_SELL_LIMIT
                row.price, row.stop_limit = row.stop_limit, 0
        elif row.type in LIMITS:
            filled, price = fills.arriving_limit(row.side, row.price, pays, fills.ON_BID_ASK)
        else:
            filled, price = fills.stop(row.side, row.price, bar, 0)
        if not filled:
            return
        if not self.checking.affordable(row, price):
            self.dealing.end(row, K.ORDER_STATE_REJECTED, self.msc)
            return
        self.dealing.execute(row, Run(row.left, price, self.msc))

    def _protective(self, symbol: str, tick: TickRow) -> None:
        for held in list(self.books.positions.values()):
            if held.symbol != symbol:
                continue
            pays = tick.bid if held.side > 0 else tick.ask
            bar = (pays, pays, pays, pays)
            reason, price, _ = fills.protective(
                -held.side, held.sl, held.tp, bar, fills.ON_BID_ASK, 0
            )
            if reason != fills.NOTHING:
                why = K.ORDER_REASON_SL if reason == fills.STOP_LOSS else K.ORDER_REASON_TP
                self.dealing.close_by_server(held, why, price, self.msc)

    def _stop_out(self) -> None:
        while self.books.positions:
            used = self.margin_used()
            if not margin.stop_out(self.equity(), used, self.terms.stop_out_percent, 100):
                return
            held = self._worst()
            tick = self.ticks[held.symbol]
            price = tick.bid if held.side > 0 else tick.ask
            self.dealing.close_by_server(held, K.ORDER_REASON_SO, price, self.msc)

    def _worst(self) -> PositionRow:
        rows = list(self.books.positions.values())
        return rows[margin.worst_first(tuple(self.money.open_profit(row) for row in rows))]
