"""A gate's judge with its market, clock and books, all set by hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from ordergate.model.accounts import (
    AccountIdentity,
    AccountState,
    Elsewhere,
    Mode,
    Position,
    SebiPack,
    VenueOrderState,
    VenueSnapshot,
)
from ordergate.model.orders import (
    Action,
    AttemptState,
    CancelIntent,
    CloseIntent,
    Intent,
    Lane,
    ModifyIntent,
    OrderType,
    PlaceIntent,
    Side,
    TimeInForce,
)
from ordergate.model.outcomes import VenueStatus
from ordergate.model.principals import Kind, Principal
from ordergate.model.records import (
    AttemptRecord,
    BaselineRecord,
    HaltKind,
    HaltRecord,
    RecentOrder,
    Reservation,
    ScopeKind,
    Usage,
)
from ordergate.model.values import (
    AccountId,
    AttemptId,
    OrderId,
    PositionId,
    PrincipalId,
    Symbol,
    Tag,
    VenueName,
    VenueOrderId,
)
from ordergate.model.verdicts import Judgement, RuleVerdict
from ordergate.order.policy.baselines import BookTerms
from ordergate.order.policy.facts import terms_of
from ordergate.order.policy.judge import Around, Judge
from ordergate.order.policy.limits import Limits
from ordergate.order.policy.on_live import RealMoney
from ordergate.order.policy.surroundings import Machine, Peer
from support.manual_clock import ManualClock
from support.manual_market import ManualMarket
from support.memory_journal import Books, MemoryTx

ACCOUNT = AccountId("paper-1")
VENUE = VenueName("paper")
AGENT = Principal(PrincipalId("local-agent"), Kind.AGENT, "local agent")
EURUSD = Symbol("EURUSD")
STEADY = Machine(lag_s=Decimal(0), jump_s=Decimal(0), writable=True)
DAY = date(2026, 1, 7)


def D(number: str | int) -> Decimal:  # noqa: N802 - stands for Decimal in tables of numbers
    return Decimal(number)


def place(**terms: Any) -> PlaceIntent:
    """Return a newcomer's order: buy 0.10 EURUSD at market, stop 50 pips away."""
    base: dict[str, Any] = {
        "account": ACCOUNT,
        "venue": VENUE,
        "symbol": EURUSD,
        "side": Side.BUY,
        "order_type": OrderType.MARKET,
        "quantity": D("0.10"),
        "stop_loss": D("1.08010"),
    }
    return PlaceIntent(**{**base, **terms})


def modify(**terms: Any) -> ModifyIntent:
    return ModifyIntent(**{"account": ACCOUNT, "venue": VENUE, "symbol": EURUSD, **terms})


def cancel(order_id: str = "v1", **terms: Any) -> CancelIntent:
    base = {"account": ACCOUNT, "venue": VENUE, "symbol": EURUSD}
    return CancelIntent(**{**base, "venue_order_id": VenueOrderId(order_id), **terms})


def close(position_id: str = "p1", **terms: Any) -> CloseIntent:
    base = {"account": ACCOUNT, "venue": VENUE, "symbol": EURUSD}
    return CloseIntent(**{**base, "position_id": PositionId(position_id), **terms})


def state(**terms: Any) -> AccountState:
    base: dict[str, Any] = {
        "currency": "USD",
        "balance": D(100_000),
        "equity": D(100_000),
        "margin_used": D(0),
        "margin_free": D(100_000),
        "open_pnl": D(0),
        "day": DAY,
        "day_start_equity": D(100_000),
        "realised_today": D(0),
        "time": datetime(2026, 1, 7, 14, 0, tzinfo=UTC),
    }
    return AccountState(**{**base, **terms})


def position(**terms: Any) -> Position:
    """Return a long position of 0.10 EURUSD with its stop at 1.08000."""
    base: dict[str, Any] = {
        "position_id": PositionId("p1"),
        "symbol": EURUSD,
        "side": Side.BUY,
        "quantity": D("0.10"),
        "open_price": D("1.08500"),
        "current_price": D("1.08500"),
        "stop_loss": D("1.08000"),
        "take_profit": None,
        "open_pnl": D(0),
        "swap": D(0),
        "opened_at": datetime(2026, 1, 7, 13, 0, tzinfo=UTC),
        "tag": None,
    }
    return Position(**{**base, **terms})


def resting(**terms: Any) -> VenueOrderState:
    """Return a resting BUY LIMIT 0.10 EURUSD at 1.08000 with its stop at 1.07500."""
    base: dict[str, Any] = {
        "venue_order_id": VenueOrderId("v1"),
        "tag": None,
        "symbol": EURUSD,
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "quantity": D("0.10"),
        "filled_quantity": D(0),
        "average_price": None,
        "status": VenueStatus.WORKING,
        "time_in_force": TimeInForce.GTC,
        "limit_price": D("1.08000"),
        "stop_loss": D("1.07500"),
    }
    return VenueOrderState(**{**base, **terms})


def protective_stop(**terms: Any) -> VenueOrderState:
    """Return a reduce-only SELL STOP 0.10 EURUSD at 1.08000."""
    base: dict[str, Any] = {
        "side": Side.SELL,
        "order_type": OrderType.STOP,
        "limit_price": None,
        "stop_price": D("1.08000"),
        "stop_loss": None,
        "reduce_only": True,
    }
    return resting(**{**base, **terms})


def halt(
    kind: HaltKind = HaltKind.KILL, *, scope: ScopeKind = ScopeKind.GLOBAL, target: str = ""
) -> HaltRecord:
    return HaltRecord(
        halt_id=f"h-{kind.value}-{scope.value}",
        kind=kind,
        scope=scope,
        target=target,
        reason="test",
        engaged_by=AGENT.id,
        engaged_at=datetime(2026, 1, 7, 13, 59, tzinfo=UTC),
    )


@dataclass
class Court:
    """Everything a judgement needs; change a part, then ask `judge`."""

    market: ManualMarket = field(default_factory=ManualMarket)
    clock: ManualClock = field(default_factory=ManualClock)
    books: Books = field(default_factory=Books)
    limits: Limits = field(default_factory=Limits)
    account: AccountState = field(default_factory=state)
    mode: Mode = Mode.PAPER
    positions: tuple[Position, ...] = ()
    open_orders: tuple[VenueOrderState, ...] = ()
    snapshot_known: bool = True
    snapshot_age: float = 0.0
    machine: Machine = STEADY
    peers: tuple[Peer, ...] = ()
    sebi: SebiPack | None = None
    clock_skew: float = 0.0  # of the venue
    trade_allowed: bool = True
    simulated: bool = False
    others: tuple[Elsewhere, ...] = ()
    terms: BookTerms = field(default_factory=BookTerms)
    real: RealMoney | None = None
    release_away: Decimal | None = None  # seconds; None = no calendar

    def __post_init__(self) -> None:
        self.market.set("EURUSD", "1.08500", "1.08510")
        self.market.set("GBPUSD", "1.27000", "1.27010")
        self.market.set("USDJPY", "157.000", "157.010")
        self.market.set("XAUUSD", "2650.00", "2650.30")
        self.market.set("AAPL", "190.00", "190.02")
        self.market.set("BTCUSD", "95000.00", "95010.00")
        self._judge = Judge(
            markets=self.market,
            limits=lambda: self.limits,
            clock=self.clock,
            around=Around(
                machine=lambda: self.machine,
                peers=lambda: self.peers,
                release_away_s=lambda *_: self.release_away,
            ),
            terms=self.terms,
            real=self.real,
        )

    @property
    def tx(self) -> MemoryTx:
        return MemoryTx(self.books)

    @property
    def seat(self) -> Judge:
        return self._judge

    def snapshot(self) -> VenueSnapshot:
        return VenueSnapshot(
            identity=AccountIdentity(
                ACCOUNT,
                VENUE,
                self.mode,
                "embedded",
                trade_allowed=self.trade_allowed,
                simulated=self.simulated,
            ),
            account=self.account,
            positions=self.positions,
            open_orders=self.open_orders,
            venue_time=self.ago(self.snapshot_age - self.clock_skew),
            sebi=self.sebi,
        )

    def judge(
        self,
        intent: Intent,
        *,
        asker: Principal = AGENT,
        mark: int = 0,
        order_id: OrderId | None = None,
    ) -> Judgement:
        return self._judge.judge(
            self.tx,
            intent,
            asker=asker,
            snapshot=self.snapshot() if self.snapshot_known else None,
            read_at=self.clock.monotonic() - self.snapshot_age,
            mark=mark,
            order_id=order_id,
            others=self.others,
        )

    def verdict(self, rule: str, intent: Intent, **call: Any) -> RuleVerdict:
        """Judge, and return what one rule said."""
        verdicts = self.judge(intent, **call).decision.verdicts
        return next(verdict for verdict in verdicts if verdict.rule == rule)

    def limit(self, **values: Any) -> Court:
        self.limits = replace(self.limits, **values)
        return self

    def equity(self, equity: str | int, **more: Any) -> Court:
        self.account = state(equity=D(equity), margin_free=D(equity), **more)
        return self

    def halted(self, *halts: HaltRecord) -> Court:
        for record in halts:
            self.books.halts[record.halt_id] = record
        return self

    def used(self, *, orders: int = 0, notional: str = "0", by: Principal = AGENT) -> Court:
        self.books.usage[ACCOUNT, by.id, DAY] = Usage(orders=orders, notional=D(notional))
        return self

    def reserve(self, *rows: Reservation) -> Court:
        for row in rows:
            self.books.reservations[row.attempt_id] = row
        return self

    def measured_from(self, *rows: BaselineRecord) -> Court:
        for row in rows:
            self.books.baselines[row.account] = row
        return self

    def claimed(self, *rows: RecentOrder) -> Court:
        self.books.recent.extend(rows)
        return self

    def attempted(self, *rows: AttemptRecord) -> Court:
        for row in rows:
            self.books.attempts[row.attempt_id] = row
        return self

    def ago(self, seconds: float) -> datetime:
        return self.clock.now() - timedelta(seconds=seconds)


def reservation(n: int = 1, **terms: Any) -> Reservation:
    """Return what our resting buy of 0.10 EURUSD at 1.08000 holds."""
    base: dict[str, Any] = {
        "attempt_id": AttemptId(f"a{n}"),
        "order_id": OrderId(f"o{n}"),
        "account": ACCOUNT,
        "venue": VENUE,
        "principal": AGENT.id,
        "symbol": EURUSD,
        "side": Side.BUY,
        "quantity": D("0.10"),
        "notional": D(10_800),
        "risk": D(50),
    }
    return Reservation(**{**base, **terms})


def baseline(**terms: Any) -> BaselineRecord:
    """Return the baselines of an account that began its week and day with 100,000."""
    base: dict[str, Any] = {
        "account": ACCOUNT,
        "currency": "USD",
        "week": "2026-W02",
        "week_start": D(100_000),
        "peak": D(100_000),
        "day": DAY,
        "day_start": D(100_000),
        "last": D(100_000),
        "seen_at": datetime(2026, 1, 7, 13, 0, tzinfo=UTC),
    }
    return BaselineRecord(**{**base, **terms})


def attempt(n: int = 1, **terms: Any) -> AttemptRecord:
    """Return our working attempt `a<n>`, tagged `t<n>`, at the venue as `v<n>`."""
    base: dict[str, Any] = {
        "attempt_id": AttemptId(f"a{n}"),
        "order_id": OrderId(f"o{n}"),
        "n": 1,
        "ver": 1,
        "state": AttemptState.WORKING,
        "action": Action.PLACE,
        "tag": Tag(f"t{n}"),
        "magic": n,
        "account": ACCOUNT,
        "venue": VENUE,
        "symbol": EURUSD,
        "side": Side.BUY,
        "quantity": D("0.10"),
        "opening": True,
        "claimed_at": datetime(2026, 1, 7, 13, 59, 50, tzinfo=UTC),
        "venue_day": DAY,
        "owner": "me",
        "epoch": 1,
        "venue_order_id": VenueOrderId(f"v{n}"),
    }
    return AttemptRecord(**{**base, **terms})


def claims(
    intent: Intent,
    *ages: float,
    now: datetime,
    principal: Principal = AGENT,
    lane: Lane = Lane.OPEN,
    order_id: OrderId | None = None,
) -> Iterable[RecentOrder]:
    """Return claims of equal orders, so many seconds ago, each under an order of its own."""
    for n, age in enumerate(ages):
        yield RecentOrder(
            order_id=order_id or OrderId(f"r{n}"),
            principal=principal.id,
            account=intent.account,
            symbol=intent.symbol,
            side=intent.side if isinstance(intent, PlaceIntent) else None,
            action=intent.action,
            lane=lane,
            terms=terms_of(intent),
            claimed_at=now - timedelta(seconds=age),
        )
