"""Judge: gather the facts once, ask every rule, and say what it comes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from ordergate.model.accounts import (
    PRACTICE,
    AccountIdentity,
    Position,
    VenueOrderState,
    VenueSnapshot,
)
from ordergate.model.instruments import Instrument
from ordergate.model.market import Quote
from ordergate.model.orders import (
    AttemptState,
    CancelIntent,
    CloseIntent,
    Intent,
    ModifyIntent,
    PlaceIntent,
)
from ordergate.model.principals import Grant, Kind, Principal
from ordergate.model.records import AttemptRecord, Tightening
from ordergate.model.values import (
    AttemptId,
    OrderId,
    Symbol,
)
from ordergate.model.verdicts import Finding, Judgement
from ordergate.model.views import LimitView
from ordergate.order.halt import in_scope
from ordergate.order.policy.band import band_of, exposure_of
from ordergate.order.policy.decision import decide
from ordergate.order.policy.exposure import (
    Book,
    Valuation,
    Worth,
    book,
    is_exit,
    larger,
    reserved,
    resting_exits,
    seen_at_rest,
    value,
)
from ordergate.order.policy.facts import (
    MINUTE,
    Activity,
    Facts,
    Request,
    doubt,
    malformed,
    order_as_asked,
    protects,
    recorded,
    seconds,
    subject,
    terms_of,
)
from ordergate.order.policy.limits import Limits, policy_hash
from ordergate.order.policy.on_live import RealMoney, on_live
from ordergate.order.policy.tightenings import limit_views, tightened
from ordergate.ports.journal import JournalTx
from ordergate.ports.market_facts import MarketFacts
from ordergate.ports.system import Clock

IN_DOUBT: Final = frozenset({AttemptState.UNKNOWN, AttemptState.PARKED})


@dataclass(frozen=True, slots=True)
class _Effective:
    """The limits in force, remembered with what they were made of."""

    file: Limits
    tightenings: tuple[Tightening, ...]
    live: bool
    limits: Limits
    policy_hash: str


@dataclass(frozen=True, slots=True)
class _Target:
    """What the request names: a position, a resting order, and our own attempt behind it."""

    position: Position | None
    resting: VenueOrderState | None
    attempt: AttemptRecord | None

    def opens(self, spec: Instrument | None, snapshot: VenueSnapshot | None) -> bool | None:
        """Say whether the named order adds risk, by the venue's books or else by ours."""
        if self.resting is None:
            return None if self.attempt is None else self.attempt.opening
        if is_exit(self.resting):
            return False
        if self.attempt is not None:
            return self.attempt.opening
        return not protects(self.resting, () if snapshot is None else snapshot.positions, spec)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ask:
    """One call of `judge`; `snapshot` is None when the account could not be read."""

    intent: Intent
    asker: Principal
    snapshot: VenueSnapshot | None
    age_s: Decimal | None
    mark: int
    order_id: OrderId | None


class Judge:
    """Judges intents inside the caller's transaction; keeps nothing but the last limits read."""

    def __init__(
        self,
        *,
        markets: MarketFacts,
        limits: Callable[[], Limits],
        clock: Clock,
        real: RealMoney | None = None,
    ) -> None:
        self._markets = markets
        self._limits = limits
        self._clock = clock
        self._real = real or RealMoney()
        self._live = False  # what the venue proved last
        self._last: _Effective | None = None

    def seen(self, identity: AccountIdentity | None) -> None:
        """Take note of what the venue proves: real money has stricter limits."""
        if identity is not None:
            self._live = identity.mode not in PRACTICE

    def effective(self, tx: JournalTx) -> Limits:
        """Return the limits in force: the strictest of the file and every tightening."""
        return self._in_force(tx).limits

    def views(self, tx: JournalTx) -> tuple[LimitView, ...]:
        """Return every limit in force with its unit, meaning and source."""
        return limit_views(self._limits(), tx.tightenings(), self._in_force(tx).limits)

    def policy_hash(self, tx: JournalTx) -> str:
        """Return the hash of the limits in force."""
        return self._in_force(tx).policy_hash

    def judge(
        self,
        tx: JournalTx,
        intent: Intent,
        *,
        asker: Principal,
        snapshot: VenueSnapshot | None,
        read_at: float,
        mark: int,
        order_id: OrderId | None,
    ) -> Judgement:
        """Return the whole checklist for `intent`, with the facts it rests on.

        `snapshot` was read at `read_at` (monotonic seconds), after audit record `mark`; older than
        limits.facts_age_max_s it opens nothing. `order_id` is the order itself: judged again,
        it is no duplicate of itself.
        """
        self.seen(None if snapshot is None else snapshot.identity)
        in_force = self._in_force(tx)
        age_s = Decimal(round((self._clock.monotonic() - read_at) * 1000)).scaleb(-3)
        facts = self._facts(
            tx,
            _Ask(
                intent=intent,
                asker=asker,
                snapshot=snapshot,
                age_s=None if snapshot is None else age_s,
                mark=mark,
                order_id=order_id,
            ),
            limits=in_force.limits,
        )
        decision = decide(intent, facts)
        price, low, high = band_of(facts)
        return Judgement(
            decision=decision,
            exposure=exposure_of(decision, facts),
            reference_price=price,
            band_low=low,
            band_high=high,
            facts_json=recorded(Request(intent, decision.lane), facts),
            policy_hash=in_force.policy_hash,
            subject=subject(facts),
            halt_reasons=tuple(
                verdict.rule
                for verdict in decision.verdicts
                if verdict.halts and verdict.finding is Finding.REFUSE
            ),
        )

    def _in_force(self, tx: JournalTx) -> _Effective:
        file, tightenings = self._limits(), tuple(tx.tightenings())
        last = self._last
        made_of = (file, tightenings, self._live)
        if last is None or (last.file, last.tightenings, last.live) != made_of:
            limits = tightened(file, tightenings)
            limits = on_live(limits) if self._live else limits
            last = _Effective(*made_of, limits, policy_hash(limits))
            self._last = last
        return last

    def _facts(self, tx: JournalTx, ask: _Ask, *, limits: Limits) -> Facts:
        intent, snapshot, markets = ask.intent, ask.snapshot, self._markets
        now = self._clock.now()
        instrument, quote = markets.instrument(intent.symbol), markets.quote(intent.symbol)
        target = _target(tx, intent, snapshot)
        opens = target.opens(instrument, snapshot)
        order = _opening(intent, target.resting if opens else None)
        state = None if snapshot is None else snapshot.account
        rate = (
            None
            if instrument is None or state is None
            else markets.rate(instrument.quote_currency, state.currency)
        )
        return Facts(
            account=intent.account,
            venue=intent.venue,
            symbol=intent.symbol,
            principal=ask.asker.id,
            limits=limits,
            wall_now=now,
            venue_now=markets.venue_now(),
            instrument=instrument,
            quote=quote,
            quality=markets.quality(intent.symbol),
            session=markets.session(intent.symbol),
            rate=rate,
            identity=None if snapshot is None else snapshot.identity,
            state=state,
            book=None if snapshot is None else self._book(tx, ask, snapshot, target),
            snapshot_age_s=ask.age_s,
            position=target.position,
            resting=target.resting,
            resting_opens=opens,
            order=order,
            valued=_valued(order, quote, instrument, rate=rate, limits=limits),
            group=_group(intent, snapshot),
            halts=tuple(
                halt
                for halt in tx.halts()
                if in_scope(
                    halt, account=intent.account, principal=ask.asker.id, symbol=intent.symbol
                )
            ),
            used=None if state is None else tx.usage(intent.account, ask.asker.id, state.day),
            account_used=None if state is None else tx.usage(intent.account, None, state.day),
            activity=_activity(tx, ask, now=now, limits=limits),
            doubt=doubt(
                tx.attempts_in(IN_DOUBT, account=intent.account), symbol=intent.symbol, now=now
            ),
            armed_until=self._real.armed_until(intent.account, intent.venue),
            may_open_live=ask.asker.kind is Kind.OPERATOR or Grant.LIVE in ask.asker.grants,
            stops_rest=self._real.stops_rest(),
        )

    def _book(self, tx: JournalTx, ask: _Ask, snapshot: VenueSnapshot, target: _Target) -> Book:
        """Return all that is held or may fill; the order that is judged or changed left out."""
        intent = ask.intent
        ours = [
            row
            for row in tx.reservations(intent.account, mark=ask.mark)
            if row.order_id != ask.order_id
            and (target.attempt is None or row.attempt_id != target.attempt.attempt_id)
        ]
        symbols = {intent.symbol, *(row.symbol for row in ours)}
        symbols.update(position.symbol for position in snapshot.positions)
        symbols.update(order.symbol for order in snapshot.open_orders)
        worths = {symbol: self._worth(symbol, snapshot.account.currency) for symbol in symbols}
        pending = {row.attempt_id: reserved(row) for row in ours}
        around = []
        for order, attempt_id in _resting_openings(tx, snapshot, target):
            seen = seen_at_rest(order, worths[order.symbol])
            if attempt_id in pending:
                pending[attempt_id] = larger(pending[attempt_id], seen)
            else:
                around.append(seen)
        return book(
            intent.symbol,
            positions=snapshot.positions,
            pending=(*pending.values(), *around),
            exits=resting_exits(intent.symbol, snapshot.open_orders, besides=target.resting),
            worths=worths,
        )

    def _worth(self, symbol: Symbol, currency: str) -> Worth:
        instrument, quote = self._markets.instrument(symbol), self._markets.quote(symbol)
        price = None if quote is None else quote.ask
        if instrument is None:
            return Worth(underlying=symbol, leverage=1, unit=None, price=price)
        rate = self._markets.rate(instrument.quote_currency, currency)
        return Worth(
            underlying=instrument.underlying or symbol,
            leverage=instrument.leverage,
            unit=None if rate is None else instrument.contract_size * rate,
            price=price,
        )


def _target(tx: JournalTx, intent: Intent, snapshot: VenueSnapshot | None) -> _Target:
    position_id = intent.position_id if isinstance(intent, ModifyIntent | CloseIntent) else None
    order_id = intent.venue_order_id if isinstance(intent, ModifyIntent | CancelIntent) else None
    positions = () if snapshot is None or position_id is None else snapshot.positions
    orders = () if snapshot is None or order_id is None else snapshot.open_orders
    attempt = None if order_id is None else tx.attempt_for_venue_order(intent.account, order_id)
    return _Target(
        position=next((row for row in positions if row.position_id == position_id), None),
        resting=next((row for row in orders if row.venue_order_id == order_id), None),
        attempt=None if attempt is None or attempt.symbol != intent.symbol else attempt,
    )


def _group(intent: Intent, snapshot: VenueSnapshot | None) -> tuple[VenueOrderState, ...]:
    if snapshot is None or not isinstance(intent, PlaceIntent) or intent.oco_group is None:
        return ()
    return tuple(row for row in snapshot.open_orders if row.oco_group == intent.oco_group)


def _opening(intent: Intent, resting: VenueOrderState | None) -> PlaceIntent | None:
    if malformed(intent) is not None:
        return None
    order = order_as_asked(intent, resting)
    return order if order is not None and order.quantity > 0 else None


def _valued(
    order: PlaceIntent | None,
    quote: Quote | None,
    instrument: Instrument | None,
    *,
    rate: Decimal | None,
    limits: Limits,
) -> Valuation | None:
    if order is None or quote is None or instrument is None or rate is None:
        return None
    return value(order, quote, instrument=instrument, rate=rate, limits=limits)


def _resting_openings(
    tx: JournalTx, snapshot: VenueSnapshot, target: _Target
) -> list[tuple[VenueOrderState, AttemptId | None]]:
    """Return the opening orders at rest, each with our attempt behind it (None: not ours)."""
    rows = [row for row in snapshot.open_orders if not is_exit(row) and row is not target.resting]
    tags = [row.tag for row in rows if row.tag is not None]
    attempts = {row.tag: row.attempt_id for row in tx.attempts_tagged(tags)} if tags else {}
    return [(row, None if row.tag is None else attempts.get(row.tag)) for row in rows]


def _activity(tx: JournalTx, ask: _Ask, *, now: datetime, limits: Limits) -> Activity:
    """Count the recent claims that throttle, repetition and duplicate look at."""
    intent, asker = ask.intent, ask.asker.id
    side = intent.side if isinstance(intent, PlaceIntent) else None
    twin = tx.recent_twin(
        intent.account,
        terms_of(intent),
        since=now - timedelta(seconds=float(limits.duplicate_window_s)),
        but=ask.order_id,
    )
    return Activity(
        in_minute=tx.recent_requests(asker, since=now - MINUTE),
        repeats=tx.recent_openings(
            asker,
            intent.symbol,
            side,
            since=now - timedelta(seconds=float(limits.repeat_window_s)),
            but=ask.order_id,
        ),
        duplicate_of=None if twin is None else twin.order_id,
        duplicate_age_s=None if twin is None else seconds(now - twin.claimed_at),
    )
