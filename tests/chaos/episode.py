"""One episode: a position in good weather, then trouble, and somebody who must get out."""

from __future__ import annotations

import dataclasses
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from chaos import venue_books
from chaos.venue_books import Books, Held
from ordergate.adapters.venues.paper import statement
from ordergate.adapters.venues.paper.faults import Fault, FaultKind
from ordergate.adapters.venues.paper.terms import PaperTerms
from ordergate.model.accounts import Mode
from ordergate.model.errors import NotReady, Refused
from ordergate.model.market import Quality, Quote, QuoteQuality, Session, SessionState
from ordergate.model.orders import (
    CancelIntent,
    CloseIntent,
    Intent,
    ModifyIntent,
    OrderType,
    PlaceIntent,
    Side,
)
from ordergate.model.records import HaltKind, ScopeKind
from ordergate.model.values import AccountId, PositionId, Symbol, VenueName, VenueOrderId
from ordergate.model.views import OrderView
from ordergate.order.policy.limits import Limits
from ordergate.ports.journal import JournalUnwritable
from ordergate.ports.market_facts import MarketFacts
from support.full_disk import fill, free
from support.gate import Gate, a_market, start_gate
from support.manual_clock import ManualClock
from support.manual_market import ManualMarket
from support.order_records import AGENT
from support.skipping_loop import LoopClock

ASKS_MAX: int = 12  # tries to get flat before an exit counts as trapped
BATCH: int = 25  # episodes of one task of a worker

# symbol, bid, ask, lot, stop distance in price, netting
MARKETS = (
    ("EURUSD", "1.08500", "1.08510", "0.10", "0.00500", False),
    ("USDJPY", "150.000", "150.010", "0.10", "0.500", False),
    ("BTCUSD", "50000.00", "50010.00", "0.0200", "500.00", True),
    ("AAPL", "200.00", "200.02", "10", "2.00", True),
)
PLACES = {"account": AccountId("paper-1"), "venue": VenueName("paper")}

# What stops or slows new risk and must not touch an exit.
WEATHER = (
    "killed",
    "halted",
    "unarmed",
    "stale",
    "blind",
    "calendar",
    "night",
    "caps",
    "denied",
    "throttled",
    "wide",
    "restart",
    "lost",
    "skewed",
    "disk",
)
WIRE_FAULTS = (
    FaultKind.LOST_REPLY,
    FaultKind.LOST_REQUEST,
    FaultKind.LATE_EXECUTION,
    FaultKind.DUPLICATE_DELIVERY,
    FaultKind.REQUOTE,
    FaultKind.REJECT,
)
UNFIT = tuple(verdict for verdict in Quality if verdict not in (Quality.OK, Quality.MISSING))
NEARLY_NOTHING = Limits(
    order_quantity_max=Decimal("0.000001"),
    order_quantity_fx_max=Decimal("0.000001"),
    order_notional_fraction=Decimal("0.000001"),
    order_notional_max=Decimal("0.000001"),
    risk_per_trade_fraction=Decimal("0.000001"),
    position_notional_fraction=Decimal("0.000001"),
    gross_exposure_fraction=Decimal("0.000001"),
    margin_free_min_fraction=Decimal(1),
    open_orders_max=Decimal(1),
    open_positions_max=Decimal(1),
    orders_per_day_max=Decimal(1),
    account_orders_per_day_max=Decimal(1),
    orders_per_minute_max=Decimal(1),
    daily_loss_fraction=Decimal("0.000001"),
    quote_age_max_s=Decimal("0.000001"),
    facts_age_max_s=Decimal("0.000001"),
    spread_max_fraction=Decimal("0.000001"),
    spread_max_fx_fraction=Decimal("0.000001"),
    price_collar_fraction=Decimal("0.000001"),
    price_collar_fx_fraction=Decimal("0.000001"),
    auto_approve_notional=Decimal(0),
)


@dataclass
class Tally:
    """What many episodes came to."""

    episodes: int = 0
    exits: int = 0
    hostile: int = 0
    plain: int = 0  # episodes at a plain exchange
    double_fills: int = 0  # both legs of a bracket filled, more than was held
    legs: Counter[str] = field(default_factory=Counter)  # what the market took of brackets
    by_operator: int = 0  # closes that only the operator may send: one before is in doubt
    naked: list[float] = field(default_factory=list)  # seconds with more held than stops cover
    excess: list[float] = field(default_factory=list)  # seconds until what a leg opened was closed
    weather: Counter[str] = field(default_factory=Counter)
    asks: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.episodes += other.episodes
        self.exits += other.exits
        self.hostile += other.hostile
        self.plain += other.plain
        self.double_fills += other.double_fills
        self.legs += other.legs
        self.by_operator += other.by_operator
        self.naked += other.naked
        self.excess += other.excess
        self.weather += other.weather
        self.asks += other.asks
        self.failures += other.failures


class Dim:
    """The market as the gate sees it: the venue trades on, the gate's own feed is poor."""

    def __init__(self, market: ManualMarket) -> None:
        self._market = market
        self.verdict: Quality | None = None
        self.blind = False
        self.holiday = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._market, name)

    def quote(self, symbol: Symbol) -> Quote | None:
        return None if self.blind else self._market.quote(symbol)

    def quality(self, symbol: Symbol) -> QuoteQuality:
        if self.blind:
            return QuoteQuality(Quality.MISSING, None)
        sound = self._market.quality(symbol)
        return sound if self.verdict is None else QuoteQuality(self.verdict, sound.age_s)

    def rate(self, base: str, quote: str) -> Decimal | None:
        return None if self.blind and base != quote else self._market.rate(base, quote)

    def session(self, symbol: Symbol) -> Session:
        if self.holiday:
            return Session(SessionState.CLOSED, "holiday", None)
        return self._market.session(symbol)


class Trapped(AssertionError):
    """An exit that the venue would have taken did not reach it."""


class Episode:
    """One position and its way out, all chance from one seed."""

    terms = PaperTerms(commission=False, swap=False)

    def __init__(self, seed: int, folder: Path) -> None:
        self.chance = random.Random(seed)
        self.folder = folder
        self.tally = Tally(episodes=1)
        self.clock: ManualClock | LoopClock = ManualClock()
        self.limits = Limits()
        self.symbol, self.bid, self.ask, self.lot, self.far, self.netting = self.chance.choice(
            MARKETS
        )
        self.side = self.chance.choice((Side.BUY, Side.SELL))
        if self.symbol == "AAPL":
            self.side = Side.BUY
        many = self.chance.choices((1, 2, 3, 4, 5), weights=(30, 30, 20, 12, 8))[0]
        self.weather = frozenset(self.chance.sample(WEATHER, many))
        self.tally.weather.update(self.weather)
        self.night = False
        self.market = a_market()
        self.seen = Dim(self.market)
        self.gate: Gate

    @property
    def file(self) -> Path:
        return self.folder / "paper.db"

    async def play(self) -> Tally:
        self.gate = await self._start()
        try:
            opened = await self._open()
            before_trouble = venue_books.last_fill(self.file)
            with proving(Mode.LIVE if "unarmed" in self.weather else Mode.PAPER):
                await self._trouble(opened)
                for _ in range(self.chance.randint(1, 3)):
                    await self._one_exit(opened)
                await self._get_flat(opened)
                await self._make_room()
            self._look_back(before_trouble)
        finally:
            await self._stop()
        return self.tally

    async def _start(self) -> Gate:
        self.market.deaf()
        return await start_gate(
            self.folder,
            market=self.market,
            seen=cast(MarketFacts, self.seen),
            clock=self.clock,
            limits=self.limits,
            terms=self.terms,
        )

    async def _stop(self) -> None:
        await self.gate.stop()

    # good weather

    async def _open(self) -> Held:
        far = Decimal(self.far)
        price = Decimal(self.ask if self.side is Side.BUY else self.bid)
        stop = price - far if self.side is Side.BUY else price + far
        view = await self.gate.line.gateway.submit(
            PlaceIntent(
                **PLACES,
                symbol=Symbol(self.symbol),
                side=self.side,
                order_type=OrderType.MARKET,
                quantity=Decimal(self.lot),
                stop_loss=stop,
            ),
            key=None,
            asker=AGENT,
        )
        if view.status != "filled":
            raise AssertionError(f"the position did not open: {view.status} {view.order.code}")
        await self._rest_an_opening(stop)
        (held,) = self._books().held
        return held

    async def _rest_an_opening(self, stop: Decimal) -> None:
        """Let an opening order of another symbol rest, to be cancelled later."""
        self.resting = self.chance.random() < 0.5
        if not self.resting:
            return
        other = "GBPUSD"
        self.market.set(other, "1.27000", "1.27010")
        view = await self.gate.line.gateway.submit(
            PlaceIntent(
                **PLACES,
                symbol=Symbol(other),
                side=Side.BUY,
                order_type=OrderType.LIMIT,
                quantity=Decimal("0.05"),
                limit_price=Decimal("1.26000"),
                stop_loss=Decimal("1.25500"),
            ),
            key=None,
            asker=AGENT,
        )
        if view.status != "working":
            raise AssertionError(f"the opening did not rest: {view.status} {view.order.code}")

    # trouble

    async def _trouble(self, held: Held) -> None:
        gate, market = self.gate, self.market
        if self.weather & {"caps", "denied", "throttled"}:
            self.limits = self._meaner()
            self._swap_limits()
        if "stale" in self.weather:
            self.seen.verdict = self.chance.choice(UNFIT)
        self.seen.blind = "blind" in self.weather
        self.seen.holiday = "calendar" in self.weather
        if "wide" in self.weather:
            self._widen()
        if "skewed" in self.weather:
            self.clock.advance(self.chance.choice((-3600.0, 3600.0, 86_400.0)))
        if "killed" in self.weather:
            scope, target = self.chance.choice(
                (
                    (ScopeKind.GLOBAL, ""),
                    (ScopeKind.ACCOUNT, "paper-1"),
                    (ScopeKind.SYMBOL, self.symbol),
                    (ScopeKind.AGENT, AGENT.id),
                )
            )
            await gate.line.gateway.engage(scope=scope, target=target, reason="chaos", asker=AGENT)
            self.resting = self.resting and scope not in (ScopeKind.GLOBAL, ScopeKind.ACCOUNT)
            self.resting = self.resting and scope is not ScopeKind.AGENT
        if "halted" in self.weather:
            await self._halt()
        if "night" in self.weather:
            self.night = True
            market.close_session(self.symbol)
        if "restart" in self.weather:
            await self._restart()
        if "disk" in self.weather:
            await fill(self.gate.store)
        if "lost" in self.weather:
            self._break_the_wire()
        del held

    def _meaner(self) -> Limits:
        limits = NEARLY_NOTHING if "caps" in self.weather else Limits()
        if "denied" in self.weather:
            limits = dataclasses.replace(
                limits, symbols_allow=(), symbols_deny=(self.symbol, "GBPUSD")
            )
        if "throttled" in self.weather:
            limits = dataclasses.replace(limits, orders_per_minute_max=Decimal(1))
        return limits

    def _swap_limits(self) -> None:
        self.gate.line.gateway._judge._limits = lambda: self.limits

    def _widen(self) -> None:
        bid, ask = Decimal(self.bid), Decimal(self.ask)
        wide = Decimal(self.far) / 4
        self.market.set(self.symbol, bid - wide, ask + wide)

    async def _halt(self) -> None:
        halt = self.gate.line.halt
        prepared = halt.prepare(
            kind=HaltKind.HALT,
            scope=ScopeKind.ACCOUNT,
            target="paper-1",
            reason="chaos",
            by=AGENT.id,
        )
        durable = await self.gate.store.write(lambda tx: halt.engage(tx, prepared))
        halt.settle(prepared, durable)

    async def _restart(self) -> None:
        await self._stop()
        self.gate = await self._start()

    def _break_the_wire(self) -> None:
        for _ in range(self.chance.randint(1, 3)):
            self.gate.venue.inject(
                Fault(
                    self.chance.choice(WIRE_FAULTS),
                    self.chance.choice(("submit", "submit", "modify", "cancel")),
                    count=self.chance.randint(1, 2),
                )
            )

    # exits

    async def _one_exit(self, opened: Held) -> None:
        held = self._held(opened.number)
        if held is None:
            return
        self.tally.exits += 1
        await self.chance.choice(self._acts())(held)
        await self._in_order(opened.number)
        after = self._held(opened.number)
        if after is not None and self._looser(held, after):
            raise AssertionError(f"the stop went from {held.stop} to {after.stop}")

    def _acts(self) -> tuple[Callable[[Held], Awaitable[None]], ...]:
        return (
            self._tighten,
            self._close_part,
            self._reduce,
            self._cancel_opening,
            self._strip,
        )

    async def _tighten(self, held: Held) -> None:
        tick = self._tick()
        nearer = (held.stop + 10 * held.side) * tick
        view = await self._ask(
            ModifyIntent(**self._named(held), position_id=_position(held), stop_loss=nearer)
        )
        now = self._held(held.number)
        if self._sound(view) and now is not None and now.stop * tick != nearer:
            raise Trapped(f"a nearer stop did not reach the venue: {_said(view)}")

    async def _close_part(self, held: Held) -> None:
        if held.steps < 2:
            return
        part = self.chance.randint(1, held.steps - 1) * self._step()
        view = await self._ask(
            CloseIntent(**self._named(held), position_id=_position(held), quantity=part)
        )
        self._must_be_less(held, view)

    async def _reduce(self, held: Held) -> None:
        if not self.netting:
            return
        steps = self.chance.choice((1, held.steps, held.steps + 5))
        sale = PlaceIntent(
            **self._named(held),
            side=Side.SELL if held.side > 0 else Side.BUY,
            order_type=OrderType.MARKET,
            quantity=steps * self._step(),
            reduce_only=True,
        )
        if steps > held.steps:
            with suppress(Refused):  # on a full disk there is no order to answer with
                await self._ask(sale)
            return
        self._must_be_less(held, await self._ask(sale))

    async def _cancel_opening(self, held: Held) -> None:
        del held
        if not self.resting:
            return
        (number,) = self._books().resting or (0,)
        if not number:
            return
        view = await self._ask(
            CancelIntent(
                **PLACES, symbol=Symbol("GBPUSD"), venue_order_id=VenueOrderId(f"O{number}")
            )
        )
        if self._sound(view) and number in self._books().resting:
            raise Trapped(f"an opening could not be cancelled: {_said(view)}")
        self.resting = bool(self._books().resting)

    async def _strip(self, held: Held) -> None:
        """Try to take the stop away: by removing it, or by moving it off."""
        self.tally.hostile += 1
        far = (held.stop - 200 * held.side) * self._tick()
        stop = self.chance.choice((None, far))
        with suppress(NotReady):  # on a full disk nothing is taken that adds risk
            await self._ask(
                ModifyIntent(**self._named(held), position_id=_position(held), stop_loss=stop)
            )

    async def _get_flat(self, opened: Held) -> None:
        """Ask to close until the venue's books are flat; a bounded number of asks must do."""
        for asks in range(1, ASKS_MAX + 1):
            held = self._books().position(opened.number)
            if held is None:
                self.tally.asks[asks - 1] += 1
                return
            if self.night and asks > 2:
                self._day_breaks()
            before = self._books().requests
            whole = CloseIntent(**self._named(held), position_id=_position(held), quantity=None)
            try:
                view = await self._ask(whole)
            except Refused as refused:
                if not self.night and "lost" not in self.weather:
                    raise Trapped(f"a close was refused: {refused}") from refused
                await self._find_out()
                continue
            if view.status in ("rejected", "denied", "expired") and self._sound(view):
                raise Trapped(f"a close was refused: {_said(view)}")
            quiet = "lost" not in self.weather
            if self.night and quiet and self._books().requests == before:
                raise Trapped(f"a close at night never reached the venue: {_said(view)}")
            await self._find_out()
        if self._books().position(opened.number) is not None:
            raise Trapped(f"not flat after {ASKS_MAX} asks")
        self.tally.asks[ASKS_MAX] += 1

    async def _make_room(self) -> None:
        """Give the books room again; what went out without them comes home, sent no second time."""
        if "disk" not in self.weather:
            return
        requests = self._books().requests
        await free(self.gate.store)
        await self._find_out()
        if self.gate.spool.held().bodies:
            raise AssertionError("the disk has room, and an exit is not in the books")
        if self._books().requests != requests and "lost" not in self.weather:
            raise AssertionError("an exit was sent again as it came home")

    def _day_breaks(self) -> None:
        self.night = False
        self.market.open_session(self.symbol)

    async def _find_out(self) -> None:
        full = (JournalUnwritable,) if "disk" in self.weather else ()
        with suppress(*full):  # the workers of a process go on, too
            await self.gate.line.settle.scan()

    async def _ask(self, intent: Intent) -> OrderView:
        gateway = self.gate.line.gateway
        match intent:
            case CloseIntent():
                return await gateway.close(intent, key=None, asker=AGENT)
            case ModifyIntent():
                return await gateway.modify(intent, key=None, asker=AGENT)
            case CancelIntent():
                return await gateway.cancel(intent, key=None, asker=AGENT)
            case PlaceIntent():
                return await gateway.submit(intent, key=None, asker=AGENT)

    # what must hold

    def _must_be_less(self, held: Held, view: OrderView) -> None:
        if not self._sound(view):
            return
        now = self._books().position(held.number)
        if now is not None and now.steps >= held.steps:
            raise Trapped(f"nothing was closed: {_said(view)}")

    def _sound(self, view: OrderView) -> bool:
        """Say whether the venue would have taken this request as it was sent."""
        return not self.night and "lost" not in self.weather and view.status != "approval_required"

    async def _in_order(self, number: int) -> None:
        """Wait for what the gate does beside a request: nothing, where the venue holds the stop."""

    def _looser(self, before: Held, after: Held) -> bool:
        if after.stop == 0 and after.resting_stop < after.steps:
            return True
        return after.stop != 0 and (after.stop - before.stop) * before.side < 0

    def _look_back(self, before_trouble: int) -> None:
        wrong = venue_books.overclosed(self.file) + venue_books.executed_twice(self.file)
        wrong += venue_books.opened_after(self.file, before_trouble)
        if wrong:
            raise AssertionError("; ".join(wrong))

    # short words

    def _held(self, number: int) -> Held | None:
        """Return the position with its stop, wherever that rests."""
        return self._books().position(number)

    def _books(self) -> Books:
        return venue_books.read(self.file)

    def _named(self, held: Held) -> dict[str, object]:
        return {**PLACES, "symbol": Symbol(held.symbol)}

    def _tick(self) -> Decimal:
        spec = self.market.instrument(Symbol(self.symbol))
        assert spec is not None
        return spec.tick_size

    def _step(self) -> Decimal:
        spec = self.market.instrument(Symbol(self.symbol))
        assert spec is not None
        return spec.lot_step


def _position(held: Held) -> PositionId:
    return PositionId(f"P{held.number}")


def _said(view: OrderView) -> str:
    failed = json.loads(view.order.decision_json or "{}").get("failed")
    return f"{view.status} {view.code} {failed or ''}"


@contextmanager
def proving(mode: Mode) -> Iterator[None]:
    """Let the venue prove another mode than paper: the account is live, and nobody armed it."""
    sound = statement.IDENTITY
    statement.IDENTITY = dataclasses.replace(sound, mode=mode)  # type: ignore[misc]  # a test's venue
    try:
        yield
    finally:
        statement.IDENTITY = sound  # type: ignore[misc]
