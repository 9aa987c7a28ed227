"""What an order and a book come to in account currency, at the worst price they may fill at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from ordergate.model.accounts import Position, VenueOrderState
from ordergate.model.instruments import AssetClass, Instrument
from ordergate.model.market import Quote
from ordergate.model.orders import OrderType, PlaceIntent, Side
from ordergate.model.records import Reservation
from ordergate.model.values import ZERO, Symbol
from ordergate.order.policy.limits import Limits

PERCENT = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Valuation:
    """One opening order in numbers; money in account currency."""

    reference: Decimal  # the fresh ask of a buy, the fresh bid of a sell
    entry: Decimal  # the price it asks for: stops and targets are measured from here
    worst: Decimal  # the highest price it may be worth: trigger, limit, or market plus collar
    notional: Decimal  # at the price it asks for (a trigger or limit behind the market: at market)
    worst_notional: Decimal
    risk: Decimal | None  # entry to stop; None without a stop, negative on the wrong side
    reward: Decimal | None  # entry to target
    margin: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What one lot of a symbol is worth; None = no price or no conversion."""

    underlying: str
    leverage: int
    unit: Decimal | None  # contract size x conversion: times a price = account currency
    price: Decimal | None  # newest ask
    shock: Decimal = ZERO  # fraction of the price that one leap may take


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An opening order that may still fill: reserved by us, or made around the gate."""

    symbol: Symbol
    side: Side
    quantity: Decimal  # unfilled
    notional: Decimal | None  # None = cannot be valued


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """All the account holds or may come to hold; money None = something has no price."""

    positions: int
    pending: int
    gross: Decimal | None
    long: Decimal | None  # of the order's underlying, all that may fill counted
    short: Decimal | None
    margin_pending: Decimal | None
    pending_notional: Decimal | None  # of all opening orders that may still fill
    net_long: Decimal | None  # of all symbols: what may be long beyond what is held short
    net_short: Decimal | None
    stress_long: Decimal | None  # of the order's underlying: its loss when the price falls
    stress_short: Decimal | None  # and when it rises; negative: a gain
    stress_others: Decimal | None  # of every other underlying, each at its worse side
    held_long: Decimal  # lots of the order's symbol
    held_short: Decimal
    pending_buy: Decimal  # lots of opening orders in the symbol
    pending_sell: Decimal
    exits_buy: Decimal  # lots of resting exits in the symbol
    exits_sell: Decimal
    unvalued: tuple[str, ...] = ()

    def held_against(self, side: Side) -> Decimal:
        """Return the lots an order of `side` would reduce."""
        return self.held_short if side is Side.BUY else self.held_long

    def coming(self, side: Side) -> Decimal:
        """Return the lots of the opening orders of `side` that may still fill."""
        return self.pending_buy if side is Side.BUY else self.pending_sell

    def exits(self, side: Side) -> Decimal:
        return self.exits_buy if side is Side.BUY else self.exits_sell

    def net(self, side: Side) -> Decimal | None:
        """Return the whole book's surplus on one side, all that may fill counted."""
        return self.net_long if side is Side.BUY else self.net_short

    def stress(self, side: Side | None = None, added: Decimal = ZERO) -> Decimal | None:
        """Return the worst loss of the whole book, `added` shocked money on `side` counted in."""
        if self.stress_long is None or self.stress_short is None or self.stress_others is None:
            return None
        falls = self.stress_long + (added if side is Side.BUY else ZERO)
        rises = self.stress_short + (added if side is Side.SELL else ZERO)
        return self.stress_others + max(falls, rises, ZERO)

    def stress_room(self, side: Side, limit: Decimal) -> Decimal:
        """Return how much shocked money more a side bears before the book's loss is `limit`."""
        here = self.stress_long if side is Side.BUY else self.stress_short
        return limit - (self.stress_others or ZERO) - (here or ZERO)

    def at_side(self, side: Side) -> Decimal | None:
        """Return the worst case of the underlying on one side."""
        return self.long if side is Side.BUY else self.short


def collar(limits: Limits, asset_class: AssetClass) -> tuple[str, Decimal]:
    """Return the name and the fraction of the price collar of a class."""
    if asset_class is AssetClass.FX:
        return "limits.price_collar_fx_fraction", limits.price_collar_fx_fraction
    return "limits.price_collar_fraction", limits.price_collar_fraction


def reference_price(side: Side, quote: Quote) -> Decimal:
    """Return the price an order of `side` would execute at now."""
    return quote.ask if side is Side.BUY else quote.bid


def entry_price(order: PlaceIntent, quote: Quote) -> Decimal:
    """Return the price the order asks for; a field that is missing counts as the market."""
    reference = reference_price(order.side, quote)
    match order.order_type:
        case OrderType.MARKET:
            return reference
        case OrderType.LIMIT | OrderType.STOP_LIMIT:
            return order.limit_price or reference
        case OrderType.STOP:
            return order.stop_price or reference
        case OrderType.TRAILING_STOP:
            return _first_trigger(order, reference)


def reached_price(order: PlaceIntent, quote: Quote) -> Decimal:
    """Return the price the order would trade at: where it waits for a better one, the market's."""
    reference, entry = reference_price(order.side, quote), entry_price(order, quote)
    return max(entry, reference) if order.side is Side.BUY else min(entry, reference)


def worst_price(order: PlaceIntent, quote: Quote, *, collar_fraction: Decimal) -> Decimal:
    """Return the highest price the order may be worth.

    A stop is valued at its trigger and a limit at its limit, but never below the market where it
    would execute at once; a market buy at the ask plus the collar.
    """
    if order.order_type is OrderType.MARKET and order.side is Side.BUY:
        return quote.ask * (1 + collar_fraction)
    return _sure_price(order, quote)


def value(
    order: PlaceIntent, quote: Quote, *, instrument: Instrument, rate: Decimal, limits: Limits
) -> Valuation:
    """Return the order in numbers: volume x contract size x price x conversion."""
    unit = order.quantity * instrument.contract_size * rate
    entry = entry_price(order, quote)
    _, fraction = collar(limits, instrument.asset_class)
    worst = worst_price(order, quote, collar_fraction=fraction)
    sign = 1 if order.side is Side.BUY else -1
    stop, target = order.stop_loss, order.take_profit
    return Valuation(
        reference=reference_price(order.side, quote),
        entry=entry,
        worst=worst,
        notional=unit * _sure_price(order, quote),
        worst_notional=unit * worst,
        risk=None if stop is None else unit * (entry - stop) * sign,
        reward=None if target is None else unit * (target - entry) * sign,
        margin=unit * worst / instrument.leverage,
    )


def valued(
    order: PlaceIntent | None,
    quote: Quote | None,
    instrument: Instrument | None,
    *,
    rate: Decimal | None,
    limits: Limits,
) -> Valuation | None:
    """Return the order in numbers; None where there is none, or a fact is missing."""
    if order is None or quote is None or instrument is None or rate is None:
        return None
    return value(order, quote, instrument=instrument, rate=rate, limits=limits)


def book(
    symbol: Symbol,
    *,
    positions: Iterable[Position],
    pending: Iterable[Pending],
    exits: Mapping[Side, Decimal],
    worths: Mapping[Symbol, Worth],
    underlying: str | None = None,
) -> Book:
    """Return the projected worst case: positions and every opening order that may still fill.

    Long and short of one underlying are not set off against each other: on a hedging account both
    stand, and of two resting orders only one may fill. The net counts only what is held against
    what is wanted. `underlying`: of the order, where the symbol means something else here.
    """
    wanted = underlying or worths[symbol].underlying
    held, open_positions = _Sum(symbol, worths, wanted), 0
    for position in positions:
        worth = worths[position.symbol]
        amount = _product(worth.unit, position.current_price, position.quantity)
        held.add(position.symbol, position.side, position.quantity, amount)
        open_positions += 1
    coming, openings, margin = _Sum(symbol, worths, wanted), 0, _Total()
    for order in pending:
        coming.add(order.symbol, order.side, order.quantity, order.notional)
        worth = worths[order.symbol]
        margin.add(None if order.notional is None else order.notional / worth.leverage)
        openings += 1
    here, others = _stress(worths[symbol].underlying, held, coming)
    return Book(
        positions=open_positions,
        pending=openings,
        gross=_plus(held.gross.amount, coming.gross.amount),
        long=_plus(held.money[Side.BUY].amount, coming.money[Side.BUY].amount),
        short=_plus(held.money[Side.SELL].amount, coming.money[Side.SELL].amount),
        margin_pending=margin.amount,
        pending_notional=coming.gross.amount,
        net_long=_surplus(held.all, coming.all, Side.BUY),
        net_short=_surplus(held.all, coming.all, Side.SELL),
        stress_long=here[Side.BUY],
        stress_short=here[Side.SELL],
        stress_others=others,
        held_long=held.lots[Side.BUY],
        held_short=held.lots[Side.SELL],
        pending_buy=coming.lots[Side.BUY],
        pending_sell=coming.lots[Side.SELL],
        exits_buy=exits.get(Side.BUY, ZERO),
        exits_sell=exits.get(Side.SELL, ZERO),
        unvalued=tuple(sorted(held.unvalued | coming.unvalued)),
    )


def is_exit(order: VenueOrderState) -> bool:
    """Say whether a resting order is bound to reduce."""
    return order.reduce_only


def reserved(row: Reservation) -> Pending:
    """Return what one of our own attempts holds in the limits."""
    return Pending(symbol=row.symbol, side=row.side, quantity=row.quantity, notional=row.notional)


def seen_at_rest(order: VenueOrderState, worth: Worth) -> Pending:
    """Return what an order in the venue's books may come to; at the market without a price."""
    rest = order.quantity - order.filled_quantity
    price = order.limit_price or order.stop_price or worth.price
    return Pending(
        symbol=order.symbol,
        side=order.side,
        quantity=rest,
        notional=_product(worth.unit, price, rest),
    )


def larger(held: Pending, seen: Pending) -> Pending:
    """Return the larger claim on the limits: a resting order may have been enlarged since."""
    if held.notional is None or seen.notional is None:
        return held
    return Pending(
        symbol=held.symbol,
        side=held.side,
        quantity=max(held.quantity, seen.quantity),
        notional=max(held.notional, seen.notional),
    )


def _sure_price(order: PlaceIntent, quote: Quote) -> Decimal:
    entry = entry_price(order, quote)
    match order.order_type, order.side:
        case OrderType.MARKET, _:
            return entry
        case OrderType.STOP | OrderType.TRAILING_STOP, Side.BUY:
            return max(entry, quote.ask)
        case OrderType.STOP_LIMIT, _:
            return max(entry, order.stop_price or entry)
        case OrderType.LIMIT | OrderType.TRAILING_STOP, Side.SELL:
            return max(entry, quote.bid)
        case _:
            return entry


def _first_trigger(order: PlaceIntent, reference: Decimal) -> Decimal:
    if order.trail_amount is not None:
        distance = order.trail_amount
    elif order.trail_percent is not None:
        distance = reference * order.trail_percent / PERCENT
    else:
        return order.stop_price or reference
    return reference + distance if order.side is Side.BUY else reference - distance


def _product(unit: Decimal | None, price: Decimal | None, quantity: Decimal) -> Decimal | None:
    return None if unit is None or price is None else unit * price * quantity


def _plus(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other


def _minus(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one - other


def _surplus(held: _Sides, coming: _Sides, side: Side) -> Decimal | None:
    """Return what may come to stand on a side, less what surely stands on the other."""
    both = _plus(held[side].amount, coming[side].amount)
    return _minus(both, held[side.opposite].amount)


def _stress(
    underlying: str, held: _Sum, coming: _Sum
) -> tuple[dict[Side, Decimal | None], Decimal | None]:
    """Return the shocked surplus of one underlying by side, and the worse side of all others."""
    others = _Total()
    here: dict[Side, Decimal | None] = {Side.BUY: ZERO, Side.SELL: ZERO}
    for name in held.shocked.keys() | coming.shocked.keys():
        sides = {
            side: _surplus(held.shocked[name], coming.shocked[name], side)
            for side in (Side.BUY, Side.SELL)
        }
        if name == underlying:
            here = sides
        else:
            falls, rises = sides[Side.BUY], sides[Side.SELL]
            if falls is None or rises is None:
                others.add(None)
            else:
                others.add(max(falls, rises, ZERO))
    return here, others.amount


class _Total:
    """A sum that is unknown as soon as one part is."""

    def __init__(self) -> None:
        self.amount: Decimal | None = ZERO

    def add(self, part: Decimal | None) -> None:
        self.amount = _plus(self.amount, part)


_Sides = dict[Side, _Total]


def _sides() -> _Sides:
    return {Side.BUY: _Total(), Side.SELL: _Total()}


class _Sum:
    """Lots of one symbol, money of its underlying and of everything, by side."""

    def __init__(self, symbol: Symbol, worths: Mapping[Symbol, Worth], underlying: str) -> None:
        self._symbol = symbol
        self._worths = worths
        self._underlying = underlying
        self.gross = _Total()
        self.money = _sides()
        self.all = _sides()
        self.shocked: defaultdict[str, _Sides] = defaultdict(_sides)  # by underlying
        self.lots = {Side.BUY: ZERO, Side.SELL: ZERO}
        self.unvalued: set[str] = set()

    def add(self, symbol: Symbol, side: Side, quantity: Decimal, amount: Decimal | None) -> None:
        self.gross.add(amount)
        if amount is None:
            self.unvalued.add(symbol)
        if symbol == self._symbol:
            self.lots[side] += quantity
        worth = self._worths[symbol]
        if worth.underlying == self._underlying:
            self.money[side].add(amount)
        self.all[side].add(amount)
        self.shocked[worth.underlying][side].add(None if amount is None else amount * worth.shock)
