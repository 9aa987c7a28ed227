"""Judge: gather the facts once, ask every rule, and say what it comes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from ordergate.model.accounts import Position, VenueOrderState, VenueSnapshot
from ordergate.model.instruments import Instrument
from ordergate.model.orders import (
    AttemptState,
    CancelIntent,
    CloseIntent,
    Intent,
    Lane,
    ModifyIntent,
    PlaceIntent,
    Side,
)
from ordergate.model.principals import Principal
from ordergate.model.records import AttemptRecord, Reservation
from ordergate.model.values import (
    ZERO,
    AttemptId,
    OrderId,
    Symbol,
    round_ceiling,
    round_floor,
)
from ordergate.model.verdicts import Decision, Exposure, Finding, Judgement
from ordergate.model.views import LimitView
from ordergate.order.halt import in_scope
from ordergate.order.policy.budget import Budget, budget_of, gather
from ordergate.order.policy.decision import decide
from ordergate.order.policy.exposure import (
    Book,
    Worth,
    book,
    is_exit,
    larger,
    reference_price,
    reserved,
    resting_exits,
    seen_at_rest,
    valued,
)
from ordergate.order.policy.facts import (
    MINUTE,
    Activity,
    Facts,
    Request,
    doubt,
    opening_order,
    protects,
    recorded,
    seconds,
    subject,
    terms_of,
)
from ordergate.order.policy.limits import Limits
from ordergate.order.policy.loosening import KEPT_FACT
from ordergate.order.policy.policybook import PolicyBook
from ordergate.order.policy.tightenings import EVERYONE, InForce, Scope, in_force
from ordergate.ports.journal import JournalTx
from ordergate.ports.market_facts import MarketFacts
from ordergate.ports.system import Clock

IN_DOUBT: Final = frozenset({AttemptState.UNKNOWN, AttemptState.PARKED})


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

    def __init__(self, *, markets: MarketFacts, limits: Callable[[], Limits], clock: Clock) -> None:
        self._markets = markets
        self._limits = limits
        self._clock = clock
        self._last: PolicyBook | None = None

    def effective(self, tx: JournalTx, scope: Scope = EVERYONE) -> Limits:
        """Return the limits in force: the strictest of the file, its tables and tightenings."""
        return self._policy(tx).of(scope).limits

    def views(self, tx: JournalTx, scope: Scope = EVERYONE) -> tuple[LimitView, ...]:
        """Return every limit in force with its unit, meaning and source."""
        return self._policy(tx).views(scope)

    def untightened(self, tx: JournalTx) -> Limits:
        """Return the limits in force for everyone as they would be without any tightening."""
        return in_force(self._policy(tx).limits, ()).limits

    def policy_hash(self, tx: JournalTx) -> str:
        """Return the hash of all limits in force, those of single agents and accounts too."""
        return self._policy(tx).whole_hash()

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
        scope = Scope(venue=intent.venue, account=intent.account, principal=asker.id)
        policy = self._policy(tx)
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
            standing=policy.of(scope),
        )
        decision = decide(intent, facts)
        price, low, high = _band(facts)
        return Judgement(
            decision=decision,
            exposure=_exposure(decision, facts),
            reference_price=price,
            band_low=low,
            band_high=high,
            facts_json=recorded(Request(intent, decision.lane), facts),
            policy_hash=policy.hash_of(scope),
            subject=subject(facts),
            halt_reasons=tuple(
                verdict.rule
                for verdict in decision.verdicts
                if verdict.halts and verdict.finding is Finding.REFUSE
            ),
        )

    def _policy(self, tx: JournalTx) -> PolicyBook:
        made_of = (self._limits(), tx.fact(KEPT_FACT), tuple(tx.tightenings()))
        last = self._last  # another thread may judge on another snapshot meanwhile
        if last is None or not last.is_of(*made_of):
            last = self._last = PolicyBook(*made_of)
        return last

    def _facts(self, tx: JournalTx, ask: _Ask, *, standing: InForce) -> Facts:
        intent, snapshot, markets = ask.intent, ask.snapshot, self._markets
        limits = standing.limits
        now = self._clock.now()
        instrument, quote = markets.instrument(intent.symbol), markets.quote(intent.symbol)
        target = _target(tx, intent, snapshot)
        opens = target.opens(instrument, snapshot)
        order = opening_order(intent, target.resting if opens else None)
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
            limit_sources=standing.sources,
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
            valued=valued(order, quote, instrument, rate=rate, limits=limits),
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
            budget=None if snapshot is None else self._budget(tx, ask, snapshot, target),
            activity=_activity(tx, ask, now=now, limits=limits),
            doubt=doubt(
                tx.attempts_in(IN_DOUBT, account=intent.account), symbol=intent.symbol, now=now
            ),
        )

    def _book(self, tx: JournalTx, ask: _Ask, snapshot: VenueSnapshot, target: _Target) -> Book:
        """Return all that is held or may fill; the order that is judged or changed left out."""
        intent, ours = ask.intent, _held(tx, ask, target)
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

    def _budget(self, tx: JournalTx, ask: _Ask, snapshot: VenueSnapshot, target: _Target) -> Budget:
        account, currency = ask.intent.account, snapshot.account.currency
        return budget_of(
            ask.asker.id,
            positions=gather(
                snapshot.positions,
                lambda position_id: tx.openers(account, position_id),
                lambda position: self._worth(position.symbol, currency).unit,
            ),
            pending=(row for row in _held(tx, ask, target) if row.principal == ask.asker.id),
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


def _held(tx: JournalTx, ask: _Ask, target: _Target) -> list[Reservation]:
    """Return what is reserved, but not for the order that is judged or changed."""
    return [
        row
        for row in tx.reservations(ask.intent.account, mark=ask.mark)
        if row.order_id != ask.order_id
        and (target.attempt is None or row.attempt_id != target.attempt.attempt_id)
    ]


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


def _exposure(decision: Decision, facts: Facts) -> Exposure | None:
    """Return what the request adds; a widened stop adds no size, only its price is of interest."""
    if decision.lane is not Lane.OPEN:
        return None
    if facts.valued is not None:
        return Exposure(
            notional=facts.valued.worst_notional,
            risk=facts.valued.risk,
            reference_price=facts.valued.reference,
            worst_price=facts.valued.worst,
        )
    price = _reference(facts)
    if price is None or facts.order is not None:
        return None
    return Exposure(notional=ZERO, risk=None, reference_price=price, worst_price=price)


def _reference(facts: Facts) -> Decimal | None:
    if facts.quote is None:
        return None
    side = Side.BUY if facts.order is None else facts.order.side
    return reference_price(side, facts.quote)


def _band(facts: Facts) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """Return the market's price and those between which a yes stays good, whole ticks, outwards."""
    if facts.quote is None or facts.instrument is None:
        return None, None, None
    side = Side.BUY if facts.order is None else facts.order.side
    price, tick = reference_price(side, facts.quote), facts.instrument.tick_size
    away = price * facts.limits.approval_band_fraction
    return price, round_floor(price - away, tick), round_ceiling(price + away, tick)
