"""The venue's books as the gate reads them: one look at the account, and the whole history."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from ordergate.adapters.venues.mt5 import codes, mapping
from ordergate.adapters.venues.mt5.client import Package
from ordergate.adapters.venues.mt5.link import Link, identity
from ordergate.model.accounts import (
    AccountState,
    CashLine,
    Position,
    VenueOrderState,
    VenueSnapshot,
)
from ordergate.model.errors import DataUnavailable
from ordergate.model.orders import OrderType, Side, TimeInForce
from ordergate.model.outcomes import Fill, FillEffect
from ordergate.model.values import PositionId, Symbol, Tag, VenueOrderId

PAGE_MAX: Final = 5_000  # rows in one answer; a longer stretch is asked for in halves
HALVINGS_MAX: Final = 24
DAY_S: Final = 86_400
EVER_S: Final = 4_000_000_000  # a broker second past every clock
BY_VENUE: Final = frozenset({codes.REASON_SL, codes.REASON_TP, codes.REASON_SO})
Known = Mapping[int, Tag]


@dataclass
class _Day:
    """What a broker's day began with: it does not change while the day lasts."""

    number: int = -1
    paid_before: Decimal = Decimal(0)
    open_before: Decimal | None = None


class Books:
    """Reads, and translates. `known` finds a tag by its magic number, whatever the comment says."""

    def __init__(self, link: Link, known: Callable[[], Known]) -> None:
        self._link = link
        self._known = known
        self._day = _Day()
        self._digits: dict[str, int] = {}

    async def snapshot(self) -> VenueSnapshot:
        """Read account, positions and orders in one turn of the worker."""

        def read(mt5: Package) -> tuple[Any, ...] | None:
            seen = (mt5.terminal_info(), mt5.account_info(), mt5.positions_get(), mt5.orders_get())
            return None if any(part is None for part in seen) else seen

        terminal, account, positions, orders = await self._link.client.read(read, "account")
        await self._learn_digits({row.symbol for row in (*positions, *orders)})
        if not self._link.clock.newest_msc:
            await self._link.ticks()
        now = self._link.now()
        return VenueSnapshot(
            identity=identity(account, terminal, simulated=self._link.simulated),
            account=await self._state(account, positions, now),
            positions=tuple(self._position(row) for row in positions),
            open_orders=tuple(self._order(row) for row in orders),
            venue_time=now,
        )

    async def orders(self, since: datetime) -> tuple[VenueOrderState, ...]:
        """Return open orders and all that ended since; those the server made itself are fills."""
        now = await self._link.client.read(lambda mt5: mt5.orders_get(), "orders")
        past = await self._pages("history_orders_get", since)
        rows = [row for row in (*past, *now) if row.reason not in BY_VENUE]
        await self._learn_digits({row.symbol for row in rows})
        newest = {row.ticket: row for row in rows}  # an order may end between the two reads
        return tuple(self._order(row) for row in newest.values())

    async def deals(self, since: datetime) -> Sequence[Any]:
        rows = await self._pages("history_deals_get", since)
        await self._learn_digits({row.symbol for row in rows if row.symbol})
        return rows

    def fills(self, deals: Sequence[Any]) -> tuple[Fill, ...]:
        return tuple(fill for row in deals for fill in self._fills(row))

    def cash(self, deals: Sequence[Any]) -> tuple[CashLine, ...]:
        return tuple(self._cash(row) for row in deals if row.type not in _TRADES)

    async def _pages(self, function: str, since: datetime) -> tuple[Any, ...]:
        """Read a stretch of history to its last row; raises DataUnavailable where it cannot."""
        ahead = self._link.ahead()
        begin = max(mapping.broker_s(since, ahead) - DAY_S, 0)
        end = mapping.broker_s(self._link.now(), ahead) + DAY_S
        return await self._stretch(function, begin, end, HALVINGS_MAX)

    async def _stretch(self, function: str, begin: int, end: int, left: int) -> tuple[Any, ...]:
        total = function.replace("_get", "_total")
        count = await self._link.client.read(lambda mt5: getattr(mt5, total)(begin, end), "history")
        if count > PAGE_MAX and left and end - begin > 1:
            middle = (begin + end) // 2
            older = await self._stretch(function, begin, middle, left - 1)
            return older + await self._stretch(function, middle + 1, end, left - 1)
        rows = await self._link.client.read(
            lambda mt5: getattr(mt5, function)(begin, end), "history"
        )
        if len(rows) < count:
            raise DataUnavailable("the terminal told only a part of the history", fix="ask again")
        return tuple(rows)

    async def _learn_digits(self, symbols: set[str]) -> None:
        for symbol in sorted(symbols - self._digits.keys()):
            info = await self._link.client.find(
                lambda mt5, name=symbol: mt5.symbol_info(name),  # type: ignore[misc]  # bound now
                "symbol",
            )
            self._digits[symbol] = 8 if info is None else info.digits

    def _price(self, symbol: str, value: float) -> Decimal | None:
        return mapping.price(value, self._digits.get(symbol, 8))

    def _tag(self, row: Any) -> Tag | None:
        return mapping.tag_in(row.comment, row.magic, self._known())

    def _time(self, msc: int) -> datetime:
        return mapping.moment(msc, self._link.shown_ahead())

    def _position(self, row: Any) -> Position:
        symbol = row.symbol
        average = Decimal(str(round(row.price_open, self._digits.get(symbol, 8) + 3)))
        return Position(
            position_id=PositionId(str(row.identifier)),
            symbol=Symbol(symbol),
            side=Side.BUY if row.type == codes.BUY else Side.SELL,
            quantity=mapping.number(row.volume),
            open_price=average.normalize() + Decimal(0),
            current_price=self._price(symbol, row.price_current),
            stop_loss=self._price(symbol, row.sl),
            take_profit=self._price(symbol, row.tp),
            open_pnl=mapping.number(row.profit) if row.price_current else None,
            swap=mapping.number(row.swap),
            opened_at=self._time(row.time_msc),
            tag=self._tag(row),
        )

    def _order(self, row: Any) -> VenueOrderState:
        kind = mapping.KINDS[row.type]
        symbol = row.symbol
        filled = mapping.number(row.volume_initial) - mapping.number(row.volume_current)
        price, second = (self._price(symbol, p) for p in (row.price_open, row.price_stoplimit))
        ended = row.state in _ENDED
        return VenueOrderState(
            venue_order_id=VenueOrderId(str(row.ticket)),
            tag=self._tag(row),
            symbol=Symbol(symbol),
            side=mapping.side_of(row.type),
            order_type=kind,
            quantity=mapping.number(row.volume_initial),
            filled_quantity=filled,
            average_price=price if filled and kind is OrderType.MARKET else None,
            status=mapping.status_of(row.state),
            time_in_force=mapping.TIMES.get(row.type_time, TimeInForce.GTC),
            limit_price=second if second else price if kind in _LIMITED else None,
            stop_price=price if kind in _TRIGGERED else None,
            stop_loss=self._price(symbol, row.sl),
            take_profit=self._price(symbol, row.tp),
            reduce_only=bool(row.position_id and not ended and kind is OrderType.MARKET),
            position_id=PositionId(str(row.position_id)) if row.position_id else None,
            placed_at=self._time(row.time_setup_msc),
            done_at=self._time(row.time_done_msc) if ended else None,
            code="REJECT" if row.state == codes.STATE_REJECTED else None,
        )

    def _fills(self, row: Any) -> tuple[Fill, ...]:
        """Return a deal's fills; one that turned a netting position round is booked as one close.

        The position that is left tells its own side and size.
        """
        if row.type not in _TRADES:
            return ()
        opening = row.entry == codes.ENTRY_IN
        by_venue = mapping.REASONS.get(row.reason)
        costs = mapping.number(row.commission) + mapping.number(row.fee)
        return (
            Fill(
                trade_id=str(row.ticket),
                venue_order_id=VenueOrderId(str(row.order)),
                tag=None if by_venue else self._tag(row),
                symbol=Symbol(row.symbol),
                side=Side.BUY if row.type == codes.DEAL_BUY else Side.SELL,
                quantity=mapping.number(row.volume),
                price=self._price(row.symbol, row.price) or Decimal(0),
                commission=-costs,
                realised=mapping.number(row.profit) + mapping.number(row.swap),
                time=self._time(row.time_msc),
                position_id=PositionId(str(row.position_id)) if row.position_id else None,
                effect=FillEffect.OPENING if opening else FillEffect.CLOSING,
                reason=by_venue or "order",
            ),
        )

    def _cash(self, row: Any) -> CashLine:
        amount = sum(
            (mapping.number(part) for part in (row.profit, row.commission, row.swap, row.fee)),
            Decimal(0),
        )
        return CashLine(
            line_id=str(row.ticket),
            kind=mapping.cash_kind(row.type, row.profit),
            amount=amount,
            time=self._time(row.time_msc),
            symbol=Symbol(row.symbol) if row.symbol else None,
            note=row.comment,
        )

    async def _state(self, account: Any, positions: Sequence[Any], now: datetime) -> AccountState:
        """Return the account; its day is the broker's, counted in the broker's own time."""
        known = self._link.clock.known
        newest_s = self._link.clock.newest_msc // 1000
        broker_s = newest_s if known is None else max(newest_s, mapping.broker_s(now, known.ahead))
        start_s = broker_s // DAY_S * DAY_S
        deals = await self._link.client.read(
            lambda mt5: mt5.history_deals_get(start_s, EVER_S), "history"
        )
        if start_s != self._day.number:
            self._day = await self._began(start_s, positions, deals)
        booked = sum((_booked(row) for row in deals if row.type in _TRADES), Decimal(0))
        paid = sum((_booked(row) for row in deals if row.type in _PAYMENTS), Decimal(0))
        balance = mapping.number(account.balance)
        moved = sum((_booked(row) for row in deals), Decimal(0))
        before = self._day.open_before
        return AccountState(
            currency=account.currency,
            balance=balance,
            equity=mapping.number(account.equity),
            margin_used=mapping.number(account.margin),
            margin_free=mapping.number(account.margin_free),
            open_pnl=mapping.number(account.profit),
            day=datetime.fromtimestamp(start_s, tz=UTC).date(),
            day_start_equity=None if before is None else balance - moved + before + paid,
            realised_today=booked,
            time=now,
            paid_in=self._day.paid_before + paid,
        )

    async def _began(self, start_s: int, positions: Sequence[Any], deals: Sequence[Any]) -> _Day:
        """Read what was paid in before a day, and what was open at its start was worth then.

        Equity at the start = balance then + each open position at the day's first price, a D1 bar's
        open. Where a bar is missing it is None: no number is made up, and nothing new opens.
        """
        older = await self._link.client.read(
            lambda mt5: mt5.history_deals_get(0, start_s - 1), "history"
        )
        paid = sum((_booked(row) for row in older if row.type in _PAYMENTS), Decimal(0))
        today = {row.position_id for row in deals if row.type in _TRADES}
        held = {row.identifier for row in positions if row.time < start_s}
        values = [
            await self._worth([row for row in older if row.position_id == one], start_s)
            for one in sorted(held | today)
        ]
        open_before = None if None in values else sum((v for v in values if v), Decimal(0))
        return _Day(number=start_s, paid_before=paid, open_before=open_before)

    async def _worth(self, deals: Sequence[Any], start_s: int) -> Decimal | None:
        """Return what a position was worth at a day's first price; None = no such price."""
        signed = cost = 0.0
        for row in deals:
            sign = 1 if row.type == codes.DEAL_BUY else -1
            if row.entry == codes.ENTRY_IN:
                cost += row.price * row.volume
            elif row.entry == codes.ENTRY_INOUT:
                cost = row.price * abs(signed + sign * row.volume)
            elif signed:
                cost *= 1 - row.volume / abs(signed)
            signed += sign * row.volume
        volume = round(abs(signed), 8)
        if not volume:
            return Decimal(0)
        symbol, kind = deals[0].symbol, codes.BUY if signed > 0 else codes.SELL

        def read(mt5: Package) -> float | None:
            bars = mt5.copy_rates_range(symbol, codes.TIMEFRAME_D1, start_s, start_s)
            if bars is None or not len(bars):
                return None
            first = float(bars[-1]["open"])
            profit = mt5.order_calc_profit(kind, symbol, volume, cost / volume, first)
            return None if profit is None else float(profit)

        found = await self._link.client.find(lambda mt5: (read(mt5),), "a day's first price")
        return None if found is None or found[0] is None else mapping.number(found[0])


_TRADES: Final = frozenset({codes.DEAL_BUY, codes.DEAL_SELL})
_PAYMENTS: Final = frozenset({codes.DEAL_BALANCE, codes.DEAL_CREDIT, codes.DEAL_BONUS})
_ENDED: Final = frozenset(
    {codes.STATE_CANCELED, codes.STATE_FILLED, codes.STATE_REJECTED, codes.STATE_EXPIRED}
)
_LIMITED: Final = frozenset({OrderType.LIMIT})
_TRIGGERED: Final = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})


def _booked(row: Any) -> Decimal:
    parts = (row.profit, row.commission, row.swap, row.fee)
    return sum((mapping.number(part) for part in parts), Decimal(0))
