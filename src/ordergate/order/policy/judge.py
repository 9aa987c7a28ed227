"""Judge: gather the facts once, ask every rule, and say what it comes to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from ordergate.model.accounts import (
    PRACTICE,
    AccountIdentity,
    AccountState,
    Elsewhere,
    VenueOrderState,
    VenueSnapshot,
)
from ordergate.model.instruments import Instrument
from ordergate.model.market import Quote
from ordergate.model.orders import AttemptState, Intent, Lane, PlaceIntent
from ordergate.model.principals import Grant, Kind, Principal
from ordergate.model.records import AttemptRecord, Guard, Reservation
from ordergate.model.values import AttemptId, OrderId, PositionId
from ordergate.model.verdicts import Finding, Halting, Judgement
from ordergate.model.views import LimitView
from ordergate.order.halt import covering
from ordergate.order.policy.activity import Asking, activity
from ordergate.order.policy.at_rest import exits_held, resting_openings
from ordergate.order.policy.baselines import BookTerms
from ordergate.order.policy.budget import Budget, budget_of, gather
from ordergate.order.policy.decision import decide
from ordergate.order.policy.exposure import (
    Book,
    book,
    larger,
    reserved,
    seen_at_rest,
    valued,
)
from ordergate.order.policy.facts import (
    Facts,
    Request,
    doubt,
    opening_order,
    recorded,
    subject,
)
from ordergate.order.policy.limits import Limits
from ordergate.order.policy.loosening import KEPT_FACT
from ordergate.order.policy.managed import managed
from ordergate.order.policy.on_live import RealMoney
from ordergate.order.policy.policybook import PolicyBook
from ordergate.order.policy.rules.crossing import in_the_way
from ordergate.order.policy.rules.losses import lost
from ordergate.order.policy.stress import shock
from ordergate.order.policy.surroundings import Machine, Peer, ReleaseAway, version_identity
from ordergate.order.policy.target import (
    Target,
    band,
    exposure,
    group,
    opposing,
    order_named,
    target,
)
from ordergate.order.policy.tightenings import EVERYONE, InForce, Scope, in_force
from ordergate.order.policy.underlyings import Underlyings
from ordergate.order.policy.wholebook import Counting
from ordergate.ports.journal import JournalTx
from ordergate.ports.market_facts import MarketFacts
from ordergate.ports.system import Clock

IN_DOUBT: Final = frozenset({AttemptState.UNKNOWN, AttemptState.PARKED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a judgement asks besides books and market; each is answered from memory or `tx`."""

    machine: Callable[[], Machine]
    peers: Callable[[], tuple[Peer, ...]] = tuple
    release_away_s: ReleaseAway = lambda *_: None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """What the request is about, and the market it is about."""

    named: Target
    opens: bool | None
    order: PlaceIntent | None
    resting: tuple[tuple[VenueOrderState, AttemptId | None], ...]
    opposing: tuple[VenueOrderState, ...]
    instrument: Instrument | None
    quote: Quote | None
    state: AccountState | None
    rate: Decimal | None
    held: Sequence[Reservation]  # but for the order that is judged or changed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ask:
    """One call of `judge`; `snapshot` is None when the account could not be read."""

    intent: Intent
    asker: Principal
    snapshot: VenueSnapshot | None
    age_s: Decimal | None
    mark: int
    order_id: OrderId | None
    others: tuple[Elsewhere, ...] = ()


class Judge:
    """Judges intents inside the caller's transaction; keeps nothing but the last limits read."""

    def __init__(
        self,
        *,
        markets: MarketFacts,
        limits: Callable[[], Limits],
        clock: Clock,
        around: Around,
        terms: BookTerms = BookTerms(),  # noqa: B008 - frozen
        real: RealMoney | None = None,
    ) -> None:
        self._around = around
        self._markets = markets
        self._terms = terms
        self._limits = limits
        self._clock = clock
        self._real = real or RealMoney()
        self._live = False  # what the venue proved last
        self._last: PolicyBook | None = None
        self.unwritten: dict[PositionId, Guard] = {}  # guards that hold while no disk takes them

    def seen(self, identity: AccountIdentity | None) -> None:
        """Take note of what the venue proves: real money has stricter limits."""
        if identity is not None:
            self._live = identity.mode not in PRACTICE

    def effective(self, tx: JournalTx, scope: Scope = EVERYONE) -> Limits:
        """Return the limits in force: the strictest of the file, its tables and tightenings."""
        return self._policy(tx).of(self._at(scope)).limits

    def views(self, tx: JournalTx, scope: Scope = EVERYONE) -> tuple[LimitView, ...]:
        """Return every limit in force with its unit, meaning and source."""
        return self._policy(tx).views(self._at(scope))

    def untightened(self, tx: JournalTx) -> Limits:
        """Return the limits in force for everyone as they would be without any tightening."""
        return in_force(self._policy(tx).limits, ()).limits

    def lost(self, tx: JournalTx, snapshot: VenueSnapshot) -> Halting | None:
        """Return the loss that has ended an account's trading, also when nobody asks for more."""
        shown = snapshot.identity
        limits = self.effective(tx, Scope(venue=shown.venue, account=shown.account))
        baselines = self._counting(tx, limits).baselines(snapshot)
        return lost(snapshot.account, baselines, limits)

    def policy_hash(self, tx: JournalTx) -> str:
        """Return the hash of all limits in force, those of single agents and accounts too."""
        return self._policy(tx).whole_hash(self._at(EVERYONE))

    def hash_for(self, tx: JournalTx, scope: Scope) -> str:
        """Return the hash of the limits in force for one asker: what an ask is bound to."""
        return self._policy(tx).hash_of(self._at(scope))

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
        others: tuple[Elsewhere, ...] = (),
    ) -> Judgement:
        """Return the whole checklist for `intent`, with the facts it rests on.

        `snapshot` was read at `read_at` (monotonic seconds), after audit record `mark`; older than
        limits.facts_age_max_s it opens nothing; so were `others`, which make up the whole book with
        it. `order_id` is the order itself: judged again,
        it is no duplicate of itself.
        """
        self.seen(None if snapshot is None else snapshot.identity)
        scope = self._at(Scope(venue=intent.venue, account=intent.account, principal=asker.id))
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
                others=others,
            ),
            standing=policy.of(scope),
            version=version_identity(policy.whole_hash(self._at(EVERYONE))),
        )
        decision = decide(intent, facts)
        price, low, high = band(facts)
        return Judgement(
            decision=decision,
            exposure=exposure(decision, facts),
            reference_price=price,
            band_low=low,
            band_high=high,
            facts_json=recorded(Request(intent, decision.lane), facts),
            policy_hash=policy.hash_of(scope),
            subject=subject(facts),
            halt_reasons=tuple(
                Halting(verdict.rule, verdict.halts)
                for verdict in decision.verdicts
                if verdict.halts is not None and verdict.finding is Finding.REFUSE
            ),
            clear_first=in_the_way(facts) if decision.lane is Lane.CLOSE else (),
        )

    def _at(self, scope: Scope) -> Scope:
        return replace(scope, live=True) if self._live else scope

    def _policy(self, tx: JournalTx) -> PolicyBook:
        made_of = (self._limits(), tx.fact(KEPT_FACT), tuple(tx.tightenings()))
        last = self._last  # another thread may judge on another snapshot meanwhile
        if last is None or not last.is_of(*made_of):
            last = self._last = PolicyBook(*made_of)
        return last

    def _facts(self, tx: JournalTx, ask: _Ask, *, standing: InForce, version: str) -> Facts:
        intent, symbol, snapshot = ask.intent, ask.intent.symbol, ask.snapshot
        limits, now, venue_now = standing.limits, self._clock.now(), self._markets.venue_now()
        scene = self._scene(tx, ask)
        named, spec, quote, state = scene.named, scene.instrument, scene.quote, scene.state
        counting = self._counting(tx, limits)
        holds = None if snapshot is None else self._book(tx, ask, snapshot, scene, counting)
        return Facts(
            account=intent.account,
            venue=intent.venue,
            symbol=symbol,
            principal=ask.asker.id,
            limits=limits,
            limit_sources=standing.sources,
            wall_now=now,
            venue_now=venue_now,
            instrument=spec,
            quote=quote,
            quality=self._markets.quality(symbol),
            session=self._markets.session(symbol),
            rate=scene.rate,
            identity=None if snapshot is None else snapshot.identity,
            state=state,
            book=holds,
            whole=counting.whole(
                intent.symbol, intent.venue, own=snapshot, holds=holds, others=ask.others
            ),
            baselines=counting.baselines(snapshot),
            aliases=counting.aliases(intent.symbol, intent.venue),
            snapshot_age_s=ask.age_s,
            position=named.position,
            resting=named.resting,
            resting_opens=scene.opens,
            order=scene.order,
            valued=valued(scene.order, quote, spec, rate=scene.rate, limits=limits),
            managed=managed(ask.asker, intent, named, tx.guards(), self.unwritten.values()),
            group=group(intent, snapshot),
            halts=covering(
                tx.halts(), account=intent.account, principal=ask.asker.id, symbol=intent.symbol
            ),
            used=None if state is None else tx.usage(intent.account, ask.asker.id, state.day),
            account_used=None if state is None else tx.usage(intent.account, None, state.day),
            budget=None if snapshot is None else self._budget(tx, ask, snapshot, scene, counting),
            activity=activity(
                tx, intent, Asking(ask.asker.id, ask.order_id, now, venue_now), limits=limits
            ),
            doubt=doubt(tx.attempts_in(IN_DOUBT, account=intent.account), symbol=symbol, now=now),
            opposing=scene.opposing,
            ours=frozenset(row.venue_order_id for row, attempt in scene.resting if attempt),
            shock=None if spec is None else shock(spec, limits, at=venue_now),
            venue_time=None if snapshot is None else snapshot.venue_time,
            sebi=None if snapshot is None else snapshot.sebi,
            release_away_s=self._around.release_away_s(spec, venue_now),
            machine=self._around.machine(),
            version=version,
            peers=self._around.peers(),
            armed_until=self._real.armed_until(intent.account, intent.venue),
            may_open_live=ask.asker.kind is Kind.OPERATOR or Grant.LIVE in ask.asker.grants,
            stops_rest=self._real.stops_rest(),
        )

    def _scene(self, tx: JournalTx, ask: _Ask) -> _Scene:
        intent, snapshot, markets = ask.intent, ask.snapshot, self._markets
        instrument = markets.instrument(intent.symbol)
        state = None if snapshot is None else snapshot.account
        named = target(intent, snapshot, _attempt_named(tx, intent))
        opens = named.opens(instrument, snapshot)
        order = opening_order(intent, named.resting if opens else None)
        resting = (
            ()
            if snapshot is None
            else resting_openings(
                snapshot.open_orders, besides=named.resting, tagged=tx.attempts_tagged
            )
        )
        rate = None
        if instrument is not None and state is not None:
            rate = markets.rate(instrument.quote_currency, state.currency)
        return _Scene(
            named=named,
            opens=opens,
            order=order,
            resting=resting,
            opposing=opposing(intent, named, order, (row for row, _ in resting)),
            instrument=instrument,
            quote=markets.quote(intent.symbol),
            state=state,
            rate=rate,
            held=_held(tx, ask, named),
        )

    def _book(
        self, tx: JournalTx, ask: _Ask, snapshot: VenueSnapshot, scene: _Scene, counting: Counting
    ) -> Book:
        """Return all that is held or may fill; the order that is judged or changed left out."""
        named, intent, held = scene.named, ask.intent, scene.held
        ours = [row for row in held if not row.reduces]
        symbols = {intent.symbol, *(row.symbol for row in ours)}
        symbols.update(position.symbol for position in snapshot.positions)
        symbols.update(order.symbol for order in snapshot.open_orders)
        currency, venue = snapshot.account.currency, snapshot.identity.venue
        worths = {symbol: counting.worth(symbol, venue, currency) for symbol in symbols}
        pending = {row.attempt_id: reserved(row) for row in ours}
        around = []
        for order, attempt_id in scene.resting:
            seen = seen_at_rest(order, worths[order.symbol])
            if attempt_id in pending:
                pending[attempt_id] = larger(pending[attempt_id], seen)
            else:
                around.append(seen)
        return book(
            intent.symbol,
            positions=snapshot.positions,
            pending=(*pending.values(), *around),
            exits=exits_held(
                intent.symbol,
                snapshot.open_orders,
                besides=named.resting,
                on_way=[row for row in held if row.reduces],
                tagged=tx.attempts_tagged,
            ),
            worths=worths,
        )

    def _budget(
        self, tx: JournalTx, ask: _Ask, snapshot: VenueSnapshot, scene: _Scene, counting: Counting
    ) -> Budget:
        positions, currency = snapshot.positions, snapshot.account.currency
        symbols = {row.symbol for row in positions}
        return budget_of(
            ask.asker.id,
            positions=gather(
                positions,
                tx.openers(ask.intent.account, [row.position_id for row in positions]),
                {one: counting.worth(one, ask.intent.venue, currency).unit for one in symbols},
            ),
            pending=(
                row for row in scene.held if row.principal == ask.asker.id and not row.reduces
            ),
        )

    def _counting(self, tx: JournalTx, limits: Limits) -> Counting:
        return Counting(
            terms=self._terms,
            rate=self._markets.rate,
            instrument=self._markets.instrument,
            quote=self._markets.quote,
            shock=lambda spec: shock(spec, limits, at=self._markets.venue_now()),
            named=Underlyings(tuple(tx.underlyings())),
            keeper=tx,
        )


def _held(tx: JournalTx, ask: _Ask, named: Target) -> list[Reservation]:
    """Return what is reserved, but not for the order that is judged or changed."""
    return [
        row
        for row in tx.reservations(ask.intent.account, mark=ask.mark)
        if row.order_id != ask.order_id
        and (named.attempt is None or row.attempt_id != named.attempt.attempt_id)
    ]


def _attempt_named(tx: JournalTx, intent: Intent) -> AttemptRecord | None:
    order_id = order_named(intent)
    return None if order_id is None else tx.attempt_for_venue_order(intent.account, order_id)
