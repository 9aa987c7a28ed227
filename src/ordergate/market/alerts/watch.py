"""Keep the price alerts: look at them on the gateway's own clock, fire each once, for good.

A firing is one transaction: the alert's new state and the sealed record that the push to the human
is made of. So a kill before it fires again from the same price, and a kill after it loses nothing.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from ordergate.audit.seal import Seal
from ordergate.market.alerts.closed.read import Reader
from ordergate.market.alerts.condition import Span, View, after, side_of
from ordergate.market.feed.subscribe import Market
from ordergate.model.canonical import iso
from ordergate.model.errors import DataUnavailable, IllegalState, NotFound, NotReady
from ordergate.model.hours import bar_window
from ordergate.model.market import Timeframe
from ordergate.model.price_alerts import AlertState, ConditionKind, PriceAlert, Watchlist, Wish
from ordergate.model.values import PrincipalId, Symbol, plain
from ordergate.model.views import Change
from ordergate.ports.price_alerts import WatchStore, WatchTx
from ordergate.ports.system import Clock, Ids

TICK_S: Final = 0.25
ARMED_MAX: Final = 50  # of one principal
KEPT_MAX: Final = 100  # of one principal, those that are done counted; the oldest of them go first
ALL_MAX: Final = 2_000  # of everybody; a look at them takes some milliseconds of the event loop
LISTS_MAX: Final = 20  # of one principal
FIRED: Final = "price_alert.fired"
TOPIC: Final = "alerts"
_log = structlog.get_logger("ordergate.watch")


class Watch:
    """Holds every alert that is not done in memory; the books have them all."""

    def __init__(
        self,
        *,
        store: WatchStore,
        seal: Seal,
        market: Market,
        clock: Clock,
        ids: Ids,
        publish: Callable[[Change], None],
    ) -> None:
        self._store = store
        self._seal = seal
        self._market = market
        self._clock = clock
        self._ids = ids
        self._publish = publish
        self._alerts: dict[str, PriceAlert] = {}
        self._spans: dict[str, Span] = {}
        self._closed = Reader(market=market, clock=clock)
        self._loaded = False
        self._one_at_a_time = asyncio.Lock()  # a look and a change of what is looked at

    # what the principals ask

    async def create(self, wish: Wish) -> PriceAlert:
        """Keep an alert; raises IllegalState (too many), DataUnavailable (nothing to cross)."""
        alert = PriceAlert(
            alert_id=self._ids.new_id(),
            principal=wish.principal,
            symbol=wish.symbol,
            kind=wish.kind,
            level=wish.level,
            window_s=wish.window_s,
            repeats=wish.repeats,
            hysteresis_percent=wish.hysteresis_percent,
            side=self._side(wish),
            note=wish.note,
            state=AlertState.ARMED,
            fired=0,
            created_at=self._clock.now(),
            rule=wish.rule,
            timeframe=wish.timeframe,
            seen_to=self._seen_to(wish),
        )
        async with self._one_at_a_time:
            await self._load()
            if len(self._alerts) >= ALL_MAX:
                raise IllegalState(
                    f"{ALL_MAX} alerts are kept here, and no more", fix="Delete some first."
                )
            await self._store.write(lambda tx: _add(tx, alert))
            self._hold(alert)
        return alert

    async def listed(self, principal: PrincipalId) -> Sequence[PriceAlert]:
        """Return the principal's own alerts, oldest first."""
        return await self._store.read(lambda tx: tx.price_alerts_of(principal, limit=KEPT_MAX))

    def problem(self, alert: PriceAlert) -> str | None:
        """Say what is not known that an alert needs: bars of a rule, the window of a change."""
        span = self._spans.get(alert.alert_id)
        if span is not None:
            return span.missing(self._market.venue_now())
        if alert.kind is not ConditionKind.RULE or alert.state is AlertState.DONE:
            return None
        heard = self._closed.heard.get(alert.alert_id)
        return "not looked at yet" if heard is None else heard.problem

    async def delete(self, principal: PrincipalId, alert_id: str) -> PriceAlert:
        """Forget one of the principal's own alerts; raises NotFound."""

        def work(tx: WatchTx) -> PriceAlert:
            alert = tx.price_alert(alert_id)
            if alert is None or alert.principal != principal:
                raise NotFound("you have no such alert", fix='price_alerts with action "list".')
            tx.remove_price_alert(alert_id)
            return alert

        async with self._one_at_a_time:
            gone = await self._store.write(work)
            self._let_go(alert_id)
        return gone

    async def watchlists(self, principal: PrincipalId) -> Sequence[Watchlist]:
        return await self._store.read(lambda tx: tx.watchlists_of(principal, limit=LISTS_MAX))

    async def keep_list(
        self, principal: PrincipalId, name: str, symbols: Sequence[Symbol]
    ) -> Watchlist:
        """Keep a list under its name, in the place of one that has it; raises IllegalState."""
        now = self._clock.now()

        def work(tx: WatchTx) -> Watchlist:
            known = {one.name: one for one in tx.watchlists_of(principal, limit=LISTS_MAX)}
            if name not in known and len(known) >= LISTS_MAX:
                raise IllegalState(
                    f"you keep {len(known)} lists, at most {LISTS_MAX}", fix="Delete one first."
                )
            kept = Watchlist(
                principal=principal,
                name=name,
                symbols=" ".join(symbols),
                created_at=known[name].created_at if name in known else now,
                updated_at=now,
            )
            tx.put_watchlist(kept)
            return kept

        return await self._store.write(work)

    async def delete_list(self, principal: PrincipalId, name: str) -> None:
        """Forget a list; raises NotFound."""

        def work(tx: WatchTx) -> None:
            if all(one.name != name for one in tx.watchlists_of(principal, limit=LISTS_MAX)):
                raise NotFound(
                    "you have no list of this name", fix='watchlists with action "list".'
                )
            tx.remove_watchlist(principal, name)

        await self._store.write(work)

    # what the gateway does

    @property
    def armed(self) -> bool:
        """Say whether somebody waits for a price: no reason to stop for want of calls."""
        return bool(self._alerts)

    async def run(self, stop: asyncio.Event) -> None:
        """Look four times a second until `stop` is set; what cannot be written is tried again."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._run_prices(stop))
            both.create_task(self._run_bars(stop))

    async def _run_bars(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self.look()
            await self._clock.sleep(TICK_S)

    async def look(self) -> None:
        """Read the bars that have closed, for the rules; slow sources hold up no other alert."""
        await self._closed.round(
            [one for one in self._alerts.values() if one.kind is ConditionKind.RULE]
        )

    async def _run_prices(self, stop: asyncio.Event) -> None:
        told = False
        while not stop.is_set():
            try:
                await self.tick()
                told = False
            except NotReady as error:
                if not told:
                    _log.error("watch.unwritable", reason=str(error))
                told = True
            await self._clock.sleep(TICK_S)

    async def tick(self) -> int:
        """Look at every alert once; return how many fired. Raises NotReady: nothing was told."""
        async with self._one_at_a_time:
            await self._load()
            changed = [*self._moved(), *self._ruled()]
            if not changed:
                return 0
            bodies = await self._store.write(lambda tx: self._write(tx, changed))
            for alert, view in changed:
                self._hold(alert)
                self._heard(alert, view)
        for principal, body in bodies:
            self._publish(Change(topic=TOPIC, principal=principal, body=body))
        return len(bodies)

    def _moved(self) -> list[tuple[PriceAlert, View]]:
        """Return the alerts that the prices of now change."""
        priced = [one for one in self._alerts.values() if one.kind is not ConditionKind.RULE]
        known = {symbol: self._known(symbol) for symbol in {alert.symbol for alert in priced}}
        now = self._clock.now()
        return [
            (changed, view)
            for alert in priced
            for view in (self._view(alert, known[alert.symbol]),)
            if (changed := after(alert, view, now=now)) is not None
        ]

    def _ruled(self) -> list[tuple[PriceAlert, View]]:
        """Return what the bars that have closed since do to the rules, bar by bar."""
        found = []
        now = self._clock.now()
        for alert_id, heard in self._closed.heard.items():
            alert = self._alerts.get(alert_id)
            for word in heard.words:
                if alert is None or alert.state is AlertState.DONE:
                    break
                known = self._known(alert.symbol)
                view = View(quote=known.quote, quality=known.quality, word=word)
                changed = after(alert, view, now=now)
                if changed is not None:
                    alert = dataclasses.replace(changed, seen_to=word.ends)
                    found.append((alert, view))
            if not found or found[-1][0].alert_id != alert_id:
                heard.words = ()  # nothing came of them
        return found

    def _heard(self, alert: PriceAlert, view: View) -> None:
        """Forget the words that are on the books now."""
        heard = self._closed.heard.get(alert.alert_id)
        if heard is not None and view.word is not None:
            done = view.word.ends
            heard.words = tuple(word for word in heard.words if word.ends > done)

    def _write(
        self, tx: WatchTx, changed: Sequence[tuple[PriceAlert, View]]
    ) -> list[tuple[PrincipalId, dict[str, str]]]:
        bodies = []
        for alert, view in changed:
            tx.put_price_alert(alert)
            if alert.state is AlertState.ARMED:
                continue  # armed again: nobody is told of that
            body = told_of(alert, view)
            self._seal.append(tx, FIRED, actor=alert.principal, corr=alert.alert_id, body=body)
            bodies.append((alert.principal, body))
        return bodies

    async def _load(self) -> None:
        if self._loaded:
            return
        for alert in await self._store.read(lambda tx: tx.price_alerts(limit=ALL_MAX)):
            self._hold(alert)
        self._loaded = True

    def _known(self, symbol: Symbol) -> View:
        return View(quote=self._market.quote(symbol), quality=self._market.quality(symbol))

    def _view(self, alert: PriceAlert, known: View) -> View:
        """Return what is known of the symbol, with the alert's own window."""
        span = self._spans.get(alert.alert_id)
        if span is None or known.price is None:
            return known
        span.add(self._market.venue_now(), known.price)
        return View(quote=known.quote, quality=known.quality, low=span.low, high=span.high)

    def _hold(self, alert: PriceAlert) -> None:
        """Hold an alert as it is now; one that is done is let go."""
        if alert.state is AlertState.DONE:
            self._let_go(alert.alert_id)
            return
        again = self._alerts.get(alert.alert_id)
        self._alerts[alert.alert_id] = alert
        # A change that was told is measured anew from there.
        if alert.kind is ConditionKind.CHANGE_PERCENT and (
            again is None or alert.state is not again.state
        ):
            self._spans[alert.alert_id] = Span(timedelta(seconds=alert.window_s))

    def _let_go(self, alert_id: str) -> None:
        self._alerts.pop(alert_id, None)
        self._spans.pop(alert_id, None)
        self._closed.forget(alert_id)

    def _seen_to(self, wish: Wish) -> datetime | None:
        """Return from when on bars count: the one that closed last is the first."""
        if wish.kind is not ConditionKind.RULE:
            return None
        running = bar_window(Timeframe(wish.timeframe), self._market.venue_now())
        return running.opens - timedelta(microseconds=1)

    def _side(self, wish: Wish) -> str:
        if wish.kind is not ConditionKind.PRICE_CROSSES:
            return ""
        view = self._known(wish.symbol)
        if view.price is None:
            raise DataUnavailable(
                f"{wish.symbol} has no usable price to cross from",
                fix="Ask again when it has one, or use price_above or price_below.",
            )
        return side_of(view.price, wish.level)


def told_of(alert: PriceAlert, view: View) -> dict[str, str]:
    """Return what a firing says: to the stream, the record and the human."""
    origin = view.word or view.quote
    at = view.word.ends if view.word else view.quote.time if view.quote else None
    return {
        "alert_id": alert.alert_id,
        "symbol": alert.symbol,
        "condition": alert.kind.value,
        "level": plain(alert.level),
        "window_s": str(alert.window_s),
        "price": "" if alert.fired_price is None else plain(alert.fired_price),
        "quality": view.quality.verdict.value,
        "as_of": "" if at is None else iso(at),
        "source": "" if origin is None else origin.source,
        "synthetic": "" if origin is None else str(origin.synthetic).lower(),
        **({"rule": alert.rule, "timeframe": alert.timeframe} if alert.rule else {}),
        "number": str(alert.fired),
        "note": alert.note,
        "fired_at": "" if alert.fired_at is None else iso(alert.fired_at),
    }


def _add(tx: WatchTx, alert: PriceAlert) -> None:
    own = tx.price_alerts_of(alert.principal, limit=KEPT_MAX)
    armed = [one for one in own if one.state is not AlertState.DONE]
    if len(armed) >= ARMED_MAX:
        raise IllegalState(
            f"you keep {len(armed)} alerts, at most {ARMED_MAX}", fix="Delete one first."
        )
    if len(own) >= KEPT_MAX:
        tx.remove_price_alert(next(one.alert_id for one in own if one.state is AlertState.DONE))
    tx.put_price_alert(alert)
