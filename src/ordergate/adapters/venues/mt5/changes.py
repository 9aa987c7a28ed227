"""Changes and cancels, which leave no trace under their tag: what became of each, as far as seen.

The server keeps no record of who asked for a change. A change nobody answered for counts as made
once the books show every term it asked for; until then it is in doubt.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from ordergate.adapters.venues.mt5 import codes, requests
from ordergate.adapters.venues.mt5.link import Link
from ordergate.adapters.venues.mt5.requests import Scene
from ordergate.model.orders import VenueCancel, VenueModify
from ordergate.model.values import Tag

KEPT: Final = 20_000  # of this run; what came before it is the journal's
Change = VenueModify | VenueCancel


class Changes:
    def __init__(self, link: Link) -> None:
        self._link = link
        self._applied: OrderedDict[Tag, None] = OrderedDict()
        self._in_doubt: dict[Tag, Change] = {}

    @property
    def applied(self) -> frozenset[Tag]:
        return frozenset(self._applied)

    def begun(self, change: Change) -> None:
        """Note a change that is about to be sent."""
        self._in_doubt[change.tag] = change

    def undone(self, tag: Tag) -> None:
        """Note that a change was provably not made."""
        self._in_doubt.pop(tag, None)

    def done(self, tag: Tag) -> None:
        """Note that a change was made."""
        self._in_doubt.pop(tag, None)
        self._applied[tag] = None
        while len(self._applied) > KEPT:
            self._applied.popitem(last=False)

    async def look(self) -> None:
        """See in the books whether what nobody answered for was made."""
        for tag, change in list(self._in_doubt.items()):
            if await self._was_carried_out(change):
                self.done(tag)

    async def _was_carried_out(self, change: Change) -> bool:
        client = self._link.client
        if isinstance(change, VenueCancel):
            ticket = int(change.venue_order_id)
            past = await client.read(lambda mt5: mt5.history_orders_get(ticket=ticket), "history")
            return any(row.state == codes.STATE_CANCELED for row in past)
        if change.position_id is not None:
            rows = await client.read(lambda mt5: mt5.positions_get(), "positions")
            meant = [row for row in rows if str(row.identifier) == change.position_id]
        else:
            rows = await client.read(lambda mt5: mt5.orders_get(), "orders")
            meant = [row for row in rows if str(row.ticket) == change.venue_order_id]
        if not meant:
            return False
        info = await client.read(lambda mt5: mt5.symbol_info(change.symbol), "symbol")
        scene = Scene(info=info, tick=None, ahead=None)
        return requests.stands_as_asked(change, meant[0], scene)
