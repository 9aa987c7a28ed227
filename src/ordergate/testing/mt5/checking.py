"""What a trade server refuses, and with which code: every request is looked at before it acts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ordergate.testing.mt5.book import BUYS, OrderRow, PositionRow, TickRow
from ordergate.testing.mt5.constants import Constants as K
from ordergate.testing.mt5.specs import FOK_ALLOWED, IOC_ALLOWED, Spec
from ordergate.testing.mt5.state import State

MARKET: Final = frozenset({K.ORDER_TYPE_BUY, K.ORDER_TYPE_SELL})
PENDING: Final = frozenset(range(K.ORDER_TYPE_BUY_LIMIT, K.ORDER_TYPE_SELL_STOP_LIMIT + 1))
ABOVE: Final = frozenset(  # pending kinds whose price lies above the market
    {K.ORDER_TYPE_SELL_LIMIT, K.ORDER_TYPE_BUY_STOP, K.ORDER_TYPE_BUY_STOP_LIMIT}
)
TIMED: Final = frozenset({K.ORDER_TIME_SPECIFIED, K.ORDER_TIME_SPECIFIED_DAY})
OPENINGS: Final = {
    K.SYMBOL_TRADE_MODE_DISABLED: K.TRADE_RETCODE_TRADE_DISABLED,
    K.SYMBOL_TRADE_MODE_CLOSEONLY: K.TRADE_RETCODE_CLOSE_ONLY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A trade request in the server's own units: points, steps, broker seconds."""

    action: int
    symbol: str = ""
    type: int = K.ORDER_TYPE_BUY
    steps: int = 0
    off_step: bool = False  # the volume was no whole number of steps
    price: int = 0
    stop_limit: int = 0
    sl: int = 0
    tp: int = 0
    deviation: int = 0
    filling: int = K.ORDER_FILLING_FOK
    time_type: int = K.ORDER_TIME_GTC
    expiration: int = 0
    magic: int = 0
    comment: str = ""
    order: int = 0
    position: int = 0
    position_by: int = 0

    @property
    def buys(self) -> bool:
        return self.type in BUYS

    @property
    def side(self) -> int:
        return 1 if self.buys else -1


class Checking:
    """Judges requests by the account, the symbol and the market. 0 = nothing against it."""

    def __init__(self, server: State) -> None:
        self._server = server

    def objection(self, wish: Wish) -> int:
        code = self._forbidden()
        if code:
            return code
        match wish.action:
            case K.TRADE_ACTION_DEAL:
                return self._deal(wish)
            case K.TRADE_ACTION_PENDING:
                return self._pending(wish)
            case K.TRADE_ACTION_SLTP:
                return self._sltp(wish)
            case K.TRADE_ACTION_MODIFY:
                return self._modify(wish)
            case K.TRADE_ACTION_REMOVE:
                return 0 if wish.order in self._server.books.orders else K.TRADE_RETCODE_INVALID
            case K.TRADE_ACTION_CLOSE_BY:
                return self._close_by(wish)
        return K.TRADE_RETCODE_INVALID

    def position(self, wish: Wish) -> PositionRow | None:
        """Return the position a request names; on netting accounts the symbol's one."""
        found = self._server.books.positions.get(wish.position)
        return found or (None if wish.position else self._server.dealing.netted(wish.symbol))

    def affordable(self, row: OrderRow, price: int) -> bool:
        """Say whether the free margin carries what an order would open."""
        server = self._server
        spec = server.specs[row.symbol]
        opened = row.left
        held = server.dealing.reduced_by(row)
        if held is not None:
            opened -= min(opened, held.steps)
        if row.position or not opened:
            return True
        need = server.money.margin(spec, row.side, opened, price)
        return need is not None and server.equity() >= server.margin_used() + need

    def _forbidden(self) -> int:
        switches = self._server.switches
        if not switches.connected:
            return K.TRADE_RETCODE_CONNECTION
        if switches.investor:
            return K.TRADE_RETCODE_TRADE_DISABLED
        if not switches.algo_trading:
            return K.TRADE_RETCODE_CLIENT_DISABLES_AT
        if not (switches.experts and switches.at_server):
            return K.TRADE_RETCODE_SERVER_DISABLES_AT
        return 0

    def _symbol(self, wish: Wish) -> Spec | None:
        spec = self._server.specs.get(wish.symbol)
        return spec if spec is not None and spec.selected else None

    def _deal(self, wish: Wish) -> int:
        spec = self._symbol(wish)
        if spec is None or wish.type not in MARKET:
            return K.TRADE_RETCODE_INVALID
        closing = self._closing(wish)
        if closing > 0:
            return closing
        code = self._size(wish, spec) or self._filling(wish, spec)
        if code:
            return code
        if closing == 0 and wish.position == 0:
            code = self._opening(wish, spec)
            if code:
                return code
        if spec.name in self._server.closed:
            return K.TRADE_RETCODE_MARKET_CLOSED
        tick = self._server.ticks.get(spec.name)
        if tick is None:
            return K.TRADE_RETCODE_PRICE_OFF
        return self._at_market(wish, spec, tick)

    def _at_market(self, wish: Wish, spec: Spec, tick: TickRow) -> int:
        pays = tick.ask if wish.buys else tick.bid
        if spec.execution == K.SYMBOL_TRADE_EXECUTION_INSTANT:
            if not wish.price:
                return K.TRADE_RETCODE_INVALID_PRICE
            if abs(pays - wish.price) > wish.deviation:
                return K.TRADE_RETCODE_REQUOTE
        against = tick.bid if wish.buys else tick.ask
        if not wish.position and self._bad_stops(wish, spec, against):
            return K.TRADE_RETCODE_INVALID_STOPS
        row = OrderRow(
            ticket=0,
            symbol=spec.name,
            type=wish.type,
            steps=wish.steps,
            left=wish.steps,
            price=0,
            position=wish.position,
        )
        return 0 if self.affordable(row, pays) else K.TRADE_RETCODE_NO_MONEY

    def _closing(self, wish: Wish) -> int:
        """Return a code for a close that cannot be; 0 where nothing is against it."""
        if not wish.position:
            return 0
        held = self._server.books.positions.get(wish.position)
        if held is None:
            return K.TRADE_RETCODE_POSITION_CLOSED
        if held.symbol != wish.symbol or held.side == wish.side:
            return K.TRADE_RETCODE_INVALID
        if wish.steps > held.steps:
            return K.TRADE_RETCODE_INVALID_CLOSE_VOLUME
        working = any(
            row.position == held.ticket and not row.price
            for row in self._server.books.orders.values()
        )
        if working:
            return K.TRADE_RETCODE_CLOSE_ORDER_EXIST
        older = (
            one
            for one in self._server.books.positions.values()
            if (one.symbol, one.side) == (held.symbol, held.side) and one.ticket < held.ticket
        )
        fifo = self._server.terms.fifo_close and next(older, None) is not None
        return K.TRADE_RETCODE_FIFO_CLOSE if fifo else 0

    def _size(self, wish: Wish, spec: Spec) -> int:
        closes_all = (
            wish.position in self._server.books.positions
            and self._server.books.positions[wish.position].steps == wish.steps
        )
        fits = spec.steps_min <= wish.steps <= spec.steps_max
        if wish.off_step or not (fits or closes_all):
            return K.TRADE_RETCODE_INVALID_VOLUME
        return 0

    def _filling(self, wish: Wish, spec: Spec) -> int:
        allowed = {
            K.ORDER_FILLING_FOK: bool(spec.filling & FOK_ALLOWED),
            K.ORDER_FILLING_IOC: bool(spec.filling & IOC_ALLOWED),
            K.ORDER_FILLING_RETURN: spec.execution != K.SYMBOL_TRADE_EXECUTION_MARKET,
        }
        return 0 if allowed.get(wish.filling, False) else K.TRADE_RETCODE_INVALID_FILL

    def _opening(self, wish: Wish, spec: Spec) -> int:
        code = OPENINGS.get(spec.trade_mode, 0)
        held = self._server.dealing.netted(spec.name)
        reduces = held is not None and held.side != wish.side and held.steps >= wish.steps
        if reduces and spec.trade_mode == K.SYMBOL_TRADE_MODE_CLOSEONLY:
            return 0
        if spec.trade_mode == K.SYMBOL_TRADE_MODE_LONGONLY and not wish.buys:
            code = K.TRADE_RETCODE_LONG_ONLY
        if spec.trade_mode == K.SYMBOL_TRADE_MODE_SHORTONLY and wish.buys:
            code = K.TRADE_RETCODE_SHORT_ONLY
        return code

    def _pending(self, wish: Wish) -> int:
        spec = self._symbol(wish)
        if spec is None or wish.type not in PENDING:
            return K.TRADE_RETCODE_INVALID
        if not spec.orders & _order_bit(wish.type):
            return K.TRADE_RETCODE_INVALID_ORDER
        code = self._size(wish, spec) or self._opening(wish, spec)
        if code:
            return code
        if wish.filling != K.ORDER_FILLING_RETURN:
            return K.TRADE_RETCODE_INVALID_FILL
        if len(self._server.books.orders) >= self._server.terms.limit_orders:
            return K.TRADE_RETCODE_LIMIT_ORDERS
        return self._pending_terms(wish, spec)

    def _pending_terms(self, wish: Wish, spec: Spec) -> int:
        tick = self._server.ticks.get(spec.name)
        if wish.price <= 0:
            return K.TRADE_RETCODE_INVALID_PRICE
        if wish.time_type in TIMED and wish.expiration * 1000 <= self._server.msc:
            return K.TRADE_RETCODE_INVALID_EXPIRATION
        if tick is not None:
            pays = tick.ask if wish.buys else tick.bid
            away = wish.price - pays if wish.type in ABOVE else pays - wish.price
            if away < spec.stops_level or (away <= 0 and spec.stops_level == 0):
                return K.TRADE_RETCODE_INVALID_PRICE
        limit_leg = wish.stop_limit or wish.price
        two_legs = wish.type in (K.ORDER_TYPE_BUY_STOP_LIMIT, K.ORDER_TYPE_SELL_STOP_LIMIT)
        crossed = wish.stop_limit <= 0 or wish.side * (wish.price - wish.stop_limit) < 0
        if two_legs and crossed:
            return K.TRADE_RETCODE_INVALID_PRICE
        if self._bad_stops(wish, spec, limit_leg):
            return K.TRADE_RETCODE_INVALID_STOPS
        return 0

    def _bad_stops(self, wish: Wish, spec: Spec, against: int) -> bool:
        least = max(1, spec.stops_level)
        near_stop = wish.sl and wish.side * (against - wish.sl) < least
        near_target = wish.tp and wish.side * (wish.tp - against) < least
        return bool(near_stop or near_target)

    def _sltp(self, wish: Wish) -> int:
        held = self.position(wish)
        if held is None:
            return K.TRADE_RETCODE_POSITION_CLOSED
        if (held.sl, held.tp) == (wish.sl, wish.tp):
            return K.TRADE_RETCODE_NO_CHANGES
        if held.symbol in self._server.closed:
            return K.TRADE_RETCODE_MARKET_CLOSED
        spec, tick = self._server.specs[held.symbol], self._server.ticks.get(held.symbol)
        if tick is None:
            return K.TRADE_RETCODE_PRICE_OFF
        out = tick.bid if held.side > 0 else tick.ask
        near = [level for level in (held.sl, held.tp) if level]
        if any(abs(out - level) < spec.freeze_level for level in near):
            return K.TRADE_RETCODE_FROZEN
        least = max(1, spec.stops_level)
        if wish.sl and held.side * (out - wish.sl) < least:
            return K.TRADE_RETCODE_INVALID_STOPS
        if wish.tp and held.side * (wish.tp - out) < least:
            return K.TRADE_RETCODE_INVALID_STOPS
        return 0

    def _modify(self, wish: Wish) -> int:
        row = self._server.books.orders.get(wish.order)
        if row is None or not row.price:
            return K.TRADE_RETCODE_INVALID
        spec, tick = self._server.specs[row.symbol], self._server.ticks.get(row.symbol)
        if tick is not None:
            pays = tick.ask if row.buys else tick.bid
            if abs(pays - row.price) < spec.freeze_level:
                return K.TRADE_RETCODE_FROZEN
        same = (row.price, row.sl, row.tp, row.expiration, row.time_type)
        limit = wish.stop_limit or row.stop_limit
        if same == (wish.price, wish.sl, wish.tp, wish.expiration, wish.time_type) and (
            limit == row.stop_limit
        ):
            return K.TRADE_RETCODE_NO_CHANGES
        asked = Wish(
            action=wish.action,
            symbol=row.symbol,
            type=row.type,
            price=wish.price,
            stop_limit=limit,
            sl=wish.sl,
            tp=wish.tp,
            time_type=wish.time_type,
            expiration=wish.expiration,
        )
        return self._pending_terms(asked, spec)

    def _close_by(self, wish: Wish) -> int:
        positions = self._server.books.positions
        one, other = positions.get(wish.position), positions.get(wish.position_by)
        if one is None or other is None:
            return K.TRADE_RETCODE_POSITION_CLOSED
        if one.symbol != other.symbol or one.side == other.side:
            return K.TRADE_RETCODE_INVALID
        return 0 if self._server.dealing.hedging else K.TRADE_RETCODE_INVALID


def _order_bit(kind: int) -> int:
    """Return the bit of a symbol's order mask: limit 2, stop 4, stop limit 8."""
    if kind in (K.ORDER_TYPE_BUY_LIMIT, K.ORDER_TYPE_SELL_LIMIT):
        return 2
    return 4 if kind in (K.ORDER_TYPE_BUY_STOP, K.ORDER_TYPE_SELL_STOP) else 8
