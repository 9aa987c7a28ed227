"""The terminal's quotes as the gate's prices: asked for again and again, all symbols at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from ordergate.adapters.venues.mt5 import mapping
from ordergate.adapters.venues.mt5.client import Package
from ordergate.adapters.venues.mt5.link import Link
from ordergate.model.errors import GateError
from ordergate.model.instruments import Instrument
from ordergate.model.market import Bar, Slice, Timeframe, tick
from ordergate.model.values import Symbol

POLL_S: Final = 0.2
WAITING_MAX: Final = 5_000  # quotes nobody has taken yet; the oldest go first
SILENT: Final = timedelta(seconds=5)  # without an answer, and the link counts as dead
FIRST_LOOKS: Final = 25  # at the start, for a quote that comes while we look: it tells the clock
BARS_S: Final = 9.0
TIMEFRAMES: Final[Mapping[Timeframe, int]] = {
    Timeframe.M1: 1,
    Timeframe.M5: 5,
    Timeframe.M15: 15,
    Timeframe.M30: 30,
    Timeframe.H1: 16385,
    Timeframe.H4: 16388,
    Timeframe.D1: 16408,
}
_log = structlog.get_logger("ordergate.mt5")


class Mt5Feed:
    """Implements ports.feed.Feed over a link that is shared with the venue.

    `before` runs ahead of each look: a simulated server takes its own prices there.
    """

    def __init__(
        self,
        link: Link,
        *,
        server: str,
        synthetic: bool,
        before: Callable[[], None] = lambda: None,
    ) -> None:
        self._link = link
        self._source = f"mt5:{server}"
        self._synthetic = synthetic
        self._before = before
        self._instruments: tuple[Instrument, ...] = ()
        self._waiting: deque[Slice] = deque(maxlen=WAITING_MAX)
        self._told: dict[str, int] = {}
        self._books: tuple[int, ...] = ()
        self._listeners: list[Callable[[], None]] = []
        self._answered_at: datetime | None = None
        self._newest = link.now()
        self._trouble: str | None = "it was not asked yet"
        self._task: asyncio.Task[None] | None = None

    async def start(self, *, looks: int = FIRST_LOOKS) -> None:
        """Read the symbols, look until the broker's clock is known, then go on looking."""
        await self._link.select()
        for _ in range(looks):
            await self._look()
            if self._link.clock.known is not None and self._told:
                break
            await asyncio.sleep(POLL_S)
        self._instruments = await self._specify()
        self._task = asyncio.get_running_loop().create_task(self._poll())

    def close_now(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def listen(self, callback: Callable[[], None]) -> None:
        """Call back when orders, positions or the balance are not what they were."""
        self._listeners.append(callback)

    @property
    def source(self) -> str:
        return self._source

    @property
    def synthetic(self) -> bool:
        return self._synthetic

    @property
    def heartbeat(self) -> timedelta | None:
        return None  # a quiet symbol is no news while the terminal answers

    def instruments(self) -> tuple[Instrument, ...]:
        return self._instruments

    def unchanged_since(self, symbol: Symbol) -> datetime | None:
        return None

    def trouble(self) -> str | None:
        return None if self.alive() else f"{self._source} gives no prices: {self._trouble}"

    def venue_now(self) -> datetime:
        self._newest = max(self._newest, self._link.now())
        return self._newest

    def alive(self) -> bool:
        answered = self._answered_at
        return answered is not None and self._link.now() - answered <= SILENT

    def advance(self, limit: int) -> tuple[Slice, ...]:
        return tuple(self._waiting.popleft() for _ in range(min(limit, len(self._waiting))))

    def bars(
        self, symbol: Symbol, timeframe: Timeframe, *, limit: int, before: datetime | None
    ) -> tuple[Bar, ...]:
        """Return the terminal's bars of bids; raises DataUnavailable while the clock is unknown."""
        ahead, now = self._link.ahead(), self.venue_now()
        edge = min(before or now, now)

        def read(mt5: Package) -> Any:
            until = mapping.broker_s(edge, ahead) - (0 if before is None else 1)
            return mt5.copy_rates_from(symbol, TIMEFRAMES[timeframe], until, limit)

        if symbol not in self._link.symbols or limit < 1:
            return ()
        rows = self._link.client.ask_now(read, "bars", within_s=BARS_S)
        digits = {spec.symbol: spec.digits for spec in self._instruments}.get(symbol, 8)
        return tuple(_bar(row, symbol, timeframe, digits, (ahead, now)) for row in rows)

    async def _poll(self) -> None:
        """Look until closed; what fails is tried again with the next look."""
        while True:
            await asyncio.sleep(POLL_S)
            await self._look()

    async def _look(self) -> None:
        self._before()
        try:
            seen = await self._link.ticks()
            books = await self._link.client.read(_signature, "account")
        except GateError as error:
            if self._trouble is None:
                _log.warning("mt5.lost", reason=error.message)
            self._trouble = error.message
            return
        self._answered_at, self._trouble = self._link.now(), None
        if self._link.clock.known is None:
            self._trouble = "the broker's clock is not known yet"
            return
        self._take(seen)
        if self._books and books != self._books:
            for listener in self._listeners:
                listener()
        self._books = books

    def _take(self, seen: Mapping[str, Any]) -> None:
        now = self.venue_now()
        fresh = []
        for name, row in seen.items():
            if row.time_msc != self._told.get(name) and row.bid and row.ask:
                self._told[name] = row.time_msc
                at = min(mapping.moment(row.time_msc, self._link.ahead()), now)
                bid, ask = mapping.number(row.bid), mapping.number(row.ask)
                fresh.append(tick(Symbol(name), at, bid, ask))
        self._waiting.extend(sorted(fresh, key=lambda piece: piece.end))

    async def _specify(self) -> tuple[Instrument, ...]:
        def read(mt5: Package) -> list[tuple[Any, int, int]] | None:
            account = mt5.account_info()
            if account is None:
                return None
            infos = [mt5.symbol_info(name) for name in self._link.symbols]
            return [
                (info, leverage_of(mt5, info, account.leverage), account.margin_mode)
                for info in infos
                if info is not None
            ]

        found: Sequence[Any] = await self._link.client.read(read, "symbols")
        return tuple(
            mapping.instrument(info, margin_mode=mode, leverage=leverage)
            for info, leverage, mode in found
        )


def leverage_of(mt5: Package, info: Any, account: int) -> int:
    """Return a symbol's leverage: what one lot is worth over the margin the server asks for it."""
    needed = mt5.order_calc_margin(0, info.name, 1.0, info.ask) if info.ask else None
    if not needed or not info.trade_tick_size or not info.trade_tick_value:
        return int(account)
    worth = info.ask / info.trade_tick_size * info.trade_tick_value
    return max(1, int(worth / needed + 0.01))


def _signature(mt5: Package) -> tuple[int, ...] | None:
    account = mt5.account_info()
    if account is None:
        return None
    counts = (mt5.orders_total() or 0, mt5.positions_total() or 0)
    return (*counts, round(account.balance * 100))


def _bar(
    row: Any,
    symbol: Symbol,
    timeframe: Timeframe,
    digits: int,
    clock: tuple[timedelta, datetime],
) -> Bar:
    ahead, now = clock
    start = mapping.moment(int(row["time"]) * 1000, ahead)
    opened, high, low, close = (
        mapping.number(float(row[name]), digits) for name in ("open", "high", "low", "close")
    )
    return Bar(
        symbol=symbol,
        timeframe=timeframe,
        time=start,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=mapping.number(float(row["tick_volume"])),
        complete=start + timeframe.length <= now,
    )
