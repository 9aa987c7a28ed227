"""A MetaTrader 5 account at the two venue ports: what is read, and the one write of each request.

Every look before `order_send` may fail and prove that nothing was sent. From the moment it is
entered, only a return code on the definitive list is a refusal; all else is found out by listing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

from ordergate.adapters.venues.mt5 import codes, mapping, requests
from ordergate.adapters.venues.mt5.books import Books
from ordergate.adapters.venues.mt5.changes import Change, Changes
from ordergate.adapters.venues.mt5.link import VENUE, Link, account_id
from ordergate.adapters.venues.mt5.mapping import refusal
from ordergate.adapters.venues.mt5.requests import Request, Scene
from ordergate.model.accounts import (
    Capabilities,
    VenueHistory,
    VenueOrderState,
    VenueSnapshot,
)
from ordergate.model.errors import DataUnavailable
from ordergate.model.orders import (
    OrderType,
    TimeInForce,
    VenueCancel,
    VenueModify,
    VenueOrder,
)
from ordergate.model.outcomes import Acked, Fill, FillEffect, NeverSent, VenueRefusal, VenueStatus
from ordergate.model.values import AccountId, PositionId, Tag, VenueName, VenueOrderId

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
REMEMBERED: Final = 20_000  # tags of this run; older ones are the journal's
CAPABILITIES: Final = Capabilities(
    order_types=frozenset(OrderType) - {OrderType.TRAILING_STOP},
    time_in_force=frozenset(TimeInForce),
    attached_stops=True,
    modify_in_place=True,
    refuses_over_close=True,
    settle_window_s=Decimal(300),
    refusals=mapping.REFUSALS,
    oco_groups=False,
)
Recall = Callable[[Sequence[int]], Awaitable[Mapping[int, Tag]]]


class Unproven(Exception):
    """The terminal's answer says nothing for certain: the order may stand, or may not."""


class Mt5Venue:
    """Implements VenueReader and VenueTrader. All methods belong to one event loop's thread.

    `recall` finds the tags of magic numbers in the journal, for orders whose comment the server
    changed. A tag goes to the terminal at most once.
    """

    def __init__(
        self, link: Link, *, account: AccountId, recall: Recall, deviation: int = 10
    ) -> None:
        self._link = link
        self._account = account
        self._recall = recall
        self._deviation = deviation
        self._tags: OrderedDict[int, Tag] = OrderedDict()
        self._spent: OrderedDict[Tag, None] = OrderedDict()
        self._changes = Changes(link)
        self._refused_fillings: dict[str, frozenset[int]] = {}
        self._books = Books(link, lambda: self._tags)

    @property
    def venue(self) -> VenueName:
        return VENUE

    @property
    def account(self) -> AccountId:
        return self._account

    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def doubt(self, changes: Iterable[Change]) -> None:
        """Look for what became of changes that an earlier run of the gateway sent."""
        for change in changes:
            _remember(self._spent, change.tag, None)
            self._changes.begun(change)

    async def snapshot(self) -> VenueSnapshot:
        seen = await self._books.snapshot()
        if seen.identity.account != self._account:
            raise DataUnavailable(
                f"the terminal is signed in to {seen.identity.account}, not {self._account}",
                fix="sign in to the account the gateway was started for, or restart the gateway",
            )
        return seen

    async def history(self, since: datetime) -> VenueHistory:
        orders = await self._books.orders(since)
        deals = await self._books.deals(since)
        if await self._recalled(deals):
            orders = await self._books.orders(since)
        fills = self._books.fills(deals)
        await self._changes.look()
        return VenueHistory(
            orders=tuple(
                _with_fills(order, fills)
                for order in orders
                if order.done_at is None or order.done_at >= since
            ),
            fills=tuple(fill for fill in fills if fill.time >= since),
            applied=self._changes.applied,
            venue_time=self._link.now(),
            cash=tuple(line for line in self._books.cash(deals) if line.time >= since),
        )

    async def submit(self, order: VenueOrder) -> Acked:
        self._spend(order.tag)
        _remember(self._tags, order.magic, order.tag)
        await self._same_account(order.account)
        scene = await self._scene(order.symbol)
        if order.position_id or order.reduce_only:
            request = requests.close(order, scene, await self._to_reduce(order))
        else:
            request = requests.place(order, scene)
        await self._check(request, order.symbol)
        result = await self._send(request, order.symbol, tag=order.tag)
        return await self._placed(order, result)

    async def modify(self, change: VenueModify) -> Acked:
        self._spend(change.tag)
        await self._same_account(change.account)
        scene = await self._scene(change.symbol)
        if change.position_id is not None:
            held = await self._position(change.position_id)
            request = requests.protect(change, held, scene)
            status, named = VenueStatus.FILLED, str(held.ticket)
        else:
            resting = await self._resting(change.venue_order_id or VenueOrderId(""))
            request = requests.replace_terms(change, resting, scene)
            status, named = VenueStatus.WORKING, str(resting.ticket)
        await self._carry_out(request, change)
        return Acked(
            venue_order_id=VenueOrderId(named),
            status=status,
            position_id=change.position_id,
            venue_time=self._link.now(),
        )

    async def cancel(self, cancel: VenueCancel) -> Acked:
        self._spend(cancel.tag)
        await self._same_account(cancel.account)
        resting = await self._resting(cancel.venue_order_id)
        await self._carry_out(requests.remove(resting.ticket, resting.symbol), cancel)
        return Acked(
            venue_order_id=cancel.venue_order_id,
            status=VenueStatus.CANCELED,
            filled_quantity=mapping.number(resting.volume_initial)
            - mapping.number(resting.volume_current),
            venue_time=self._link.now(),
        )

    async def close(self) -> None:
        """Let the terminal go; what rests at the broker stays."""
        self._link.client.close()

    def _spend(self, tag: Tag) -> None:
        if tag in self._spent:
            raise refusal("DUPLICATE_TAG")
        _remember(self._spent, tag, None)

    async def _same_account(self, account: AccountId) -> None:
        """Refuse on another account; the proof is read anew for every write."""
        seen = await _before(self._link.client.read(lambda mt5: mt5.account_info(), "account"))
        if account != self._account or account_id(seen.login) != self._account:
            raise refusal("ACCOUNT_MISMATCH")

    async def _scene(self, symbol: str) -> Scene:
        client = self._link.client
        info = await _before(client.find(lambda mt5: mt5.symbol_info(symbol), "symbol"))
        if info is None:
            raise refusal("SYMBOL_NOT_FOUND")
        if not info.select:
            await _before(client.find(lambda mt5: mt5.symbol_select(symbol, True), "symbol"))
        tick = await _before(client.find(lambda mt5: mt5.symbol_info_tick(symbol), "quote"))
        known = self._link.clock.known
        return Scene(
            info=info,
            tick=tick,
            ahead=None if known is None else known.ahead,
            deviation=self._deviation,
            refused_fillings=self._refused_fillings.get(symbol, frozenset()),
        )

    async def _position(self, position_id: PositionId) -> Any:
        rows = await _before(self._link.client.read(lambda mt5: mt5.positions_get(), "positions"))
        found = next((row for row in rows if str(row.identifier) == position_id), None)
        if found is None:
            raise refusal("POSITION_CLOSED")
        return found

    async def _to_reduce(self, order: VenueOrder) -> Any:
        """Return the position an exit names, or the only one it can mean."""
        if order.position_id is not None:
            return await self._position(order.position_id)
        rows = await _before(self._link.client.read(lambda mt5: mt5.positions_get(), "positions"))
        other = codes.SELL if order.side.value == "buy" else codes.BUY
        meant = [row for row in rows if (row.symbol, row.type) == (order.symbol, other)]
        if not meant:
            raise refusal("POSITION_CLOSED")
        if len(meant) > 1:
            raise refusal("NOT_OFFERED", "name the position: several are open in this symbol")
        return meant[0]

    async def _resting(self, venue_order_id: VenueOrderId) -> Any:
        rows = await _before(self._link.client.read(lambda mt5: mt5.orders_get(), "orders"))
        found = next((row for row in rows if str(row.ticket) == venue_order_id), None)
        if found is not None:
            return found
        if not (venue_order_id.isascii() and venue_order_id.isdigit() and len(venue_order_id) < 19):
            raise refusal("UNKNOWN_ORDER")
        ticket = int(venue_order_id)
        past = await _before(
            self._link.client.read(lambda mt5: mt5.history_orders_get(ticket=ticket), "history")
        )
        raise refusal("ORDER_CLOSED" if past else "UNKNOWN_ORDER")

    async def _check(self, request: Request, symbol: str) -> None:
        """Ask the terminal whether the request would pass; whatever it says, nothing was sent."""
        checked = await _before(
            self._link.client.read(lambda mt5: mt5.order_check(request), "check")
        )
        if checked.retcode in (0, codes.DONE):
            return
        known = mapping.RETCODES.get(checked.retcode) or mapping.REREAD.get(checked.retcode)
        if known is None:
            raise NeverSent(f"the check says {checked.retcode} {checked.comment}")
        self._learn(checked.retcode, request, symbol)
        raise refusal(known.word)

    async def _send(self, request: Request, symbol: str, *, tag: Tag | None) -> Any:
        """Write once; raise a refusal, NeverSent, or what proves nothing."""
        sent = await self._link.client.send(request)
        if sent.result is None:
            if sent.error in codes.NOT_SENT:
                raise NeverSent(f"{sent.words} ({sent.error})")
            raise Unproven(f"{sent.words} ({sent.error})")
        code = sent.result.retcode
        if code in (codes.PLACED, codes.DONE, codes.DONE_PARTIAL, codes.NO_CHANGES):
            return sent.result
        if code in mapping.RETCODES:
            self._learn(code, request, symbol)
            known = mapping.RETCODES[code]
            again = known.requote or (code == 10015 and request["action"] == codes.ACTION_DEAL)
            no = refusal(known.word)
            no.requote = again
            raise no
        if code in mapping.REREAD and not await self._stands(tag):
            raise refusal(mapping.REREAD[code].word)
        raise Unproven(f"{code} {sent.result.comment}")

    async def _stands(self, tag: Tag | None) -> bool:
        """Say whether anything under a tag stands in the books, after an answer that may mislead.

        A change leaves no trace under its tag: what it names is read when its fate is looked for.
        """
        if tag is None:
            return False
        orders = await self._books.orders(self._link.now())
        return any(order.tag == tag for order in orders)

    def _learn(self, code: int, request: Request, symbol: str) -> None:
        if code == codes.INVALID_FILL and "type_filling" in request:
            before = self._refused_fillings.get(symbol, frozenset())
            self._refused_fillings[symbol] = before | {request["type_filling"]}

    async def _carry_out(self, request: Request, change: Change) -> None:
        self._changes.begun(change)
        try:
            await self._send(request, change.symbol, tag=None)
        except (VenueRefusal, NeverSent):
            self._changes.undone(change.tag)
            raise
        self._changes.done(change.tag)

    async def _placed(self, order: VenueOrder, result: Any) -> Acked:
        """Return what was accepted; a deal is read back, so that its fills are the server's."""
        ticket = int(result.order)
        status = VenueStatus.WORKING
        if result.retcode == codes.DONE and result.deal:
            status = VenueStatus.FILLED
        if result.retcode == codes.DONE_PARTIAL:
            status = VenueStatus.PARTIAL
        if status is VenueStatus.WORKING:
            return Acked(venue_order_id=VenueOrderId(str(ticket)), status=status)
        try:
            deals = await self._link.client.read(
                lambda mt5: mt5.history_deals_get(ticket=ticket), "history"
            )
        except DataUnavailable:
            deals = ()  # it is done all the same: the next scan reads them
        fills = self._books.fills(deals)
        filled = sum((fill.quantity for fill in fills), Decimal(0))
        return Acked(
            venue_order_id=VenueOrderId(str(ticket)),
            status=status,
            filled_quantity=filled or mapping.number(result.volume),
            average_price=_average(fills),
            position_id=fills[0].position_id if fills else order.position_id,
            fills=fills,
            venue_time=self._link.now(),
        )

    async def _recalled(self, deals: Sequence[Any]) -> bool:
        """Ask the journal for the tags of magic numbers of ours that no comment spells out."""
        live = await self._link.client.read(
            lambda mt5: (*(mt5.positions_get() or ()), *(mt5.orders_get() or ())), "orders"
        )
        missing = {
            row.magic
            for row in (*deals, *live)
            if mapping.is_ours(row.magic)
            and mapping.tag_in(row.comment, row.magic, self._tags) is None
        }
        found = await self._recall(sorted(missing)) if missing else {}
        for magic, tag in found.items():
            _remember(self._tags, magic, tag)
        return bool(found)


async def _before(reading: Awaitable[T]) -> T:
    """Read before the write: a failure proves that nothing was sent."""
    try:
        return await reading
    except DataUnavailable as error:
        raise NeverSent(str(error)) from None


def _with_fills(order: VenueOrderState, fills: Sequence[Fill]) -> VenueOrderState:
    own = [fill for fill in fills if fill.venue_order_id == order.venue_order_id]
    if not own:
        return order
    return replace(
        order,
        average_price=_average(own),
        reduce_only=all(fill.effect is FillEffect.CLOSING for fill in own),
    )


def _average(fills: Sequence[Fill]) -> Decimal | None:
    size = sum((fill.quantity for fill in fills), Decimal(0))
    if not size:
        return None
    return sum((fill.price * fill.quantity for fill in fills), Decimal(0)) / size


def _remember(kept: OrderedDict[K, V], key: K, value: V) -> None:
    kept[key] = value
    while len(kept) > REMEMBERED:
        kept.popitem(last=False)
