"""The named steps of the crash table, put into production seams; a step kills its own process.

Only a child that a harness has forked installs them: nothing in `src` knows of them.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

from ordergate.adapters.emergency_file import EmergencyJournal
from ordergate.bootstrap.line import OrderLine
from ordergate.model.orders import CancelIntent, OrderState, PlaceIntent
from ordergate.model.records import ScopeKind
from ordergate.order.dispatch.send import Send
from ordergate.order.emergency import Emergency
from ordergate.order.exits.protect import Protect
from ordergate.order.gateway import GATEWAY, Gateway
from ordergate.order.intent.accept import Accept
from ordergate.order.kill import Kill
from ordergate.order.reconcile.settle import Settle

# step -> (row of the crash table, the task that comes past it)
STEPS: dict[str, tuple[str, str]] = {
    "draft_written": ("X0", "draft"),
    "before_proposed": ("X1", "enter"),
    "plan_proposed": ("X2", "leave"),
    "asked": ("X3", "ask"),
    "approved": ("X4", "ask"),
    "in_claim": ("X5", "enter"),
    "claimed": ("X6", "enter"),
    "mid_write": ("X7", "enter"),
    "written": ("X8", "enter"),
    "answered": ("X9", "enter"),
    "acked": ("X12", "enter"),
    "fill_read": ("X13", "partial"),
    "cancel_written": ("X14", "rest"),
    "rec_start": ("X15", "enter"),
    "rec_unknown": ("X15", "lost"),
    "rec_query": ("X15", "lost"),
    "rec_done": ("X15", "enter"),
    "kill_committed": ("X16", "kill"),
    "kill_before_wire": ("X17", "enter"),
    "disk_full": ("X18", "disk"),
    "requoted": ("X19", "requote"),
    "restored": ("X20", "enter"),
    "stops_dropped": ("XE1", "leave"),
    "close_written": ("XE2", "leave"),
    "filled_bare": ("XE3", "enter"),
    "both_legs": ("XE4", "bracket"),
    "ratcheted": ("XE5", "trail"),
    "spooled": ("XE6", "disk"),
    "imported": ("XE6", "disk"),
}
NOT_THERE = {
    "X10": "no IBKR adapter yet: no venue asks a question",
    "X11": "as X10",
    "XA1-XA7": "no MT5 agent yet",
    "XP1": "SIGKILL keeps the page cache: power loss has its own test",
}


class Crash:
    """The one step at which this process ends, at its `nth` passing."""

    def __init__(self, step: str | None, nth: int, say: Callable[[dict[str, Any]], None]) -> None:
        self.step = step
        self._left = nth
        self._say = say

    def here(self, step: str) -> bool:
        """Say whether this passing of the step is the one to end at."""
        if step != self.step:
            return False
        self._left -= 1
        return self._left == 0

    def at(self, step: str) -> None:
        if self.here(step):
            self.now()

    def now(self) -> None:
        self._say({"say": "step", "step": self.step})
        os.kill(os.getpid(), signal.SIGKILL)


def after(owner: Any, name: str, then: Callable[..., object]) -> None:
    """Let `then(result, *arguments)` follow an async method."""
    sound = getattr(owner, name)

    async def wrapped(*args: Any, **more: Any) -> Any:
        result = await sound(*args, **more)
        then(result, *args)
        return result

    setattr(owner, name, wrapped)


def before(owner: Any, name: str, first: Callable[..., object]) -> None:
    """Let `first(*arguments)` come before an async method."""
    sound: Callable[..., Awaitable[Any]] = getattr(owner, name)

    async def wrapped(*args: Any, **more: Any) -> Any:
        first(*args, **more)
        return await sound(*args, **more)

    setattr(owner, name, wrapped)


def install(crash: Crash) -> None:
    """Put every step into its seam."""
    _before_the_wire(crash)
    _around_the_wire(crash)
    _recovering(crash)
    _stops(crash)
    _exits(crash)
    _books_full(crash)


def _before_the_wire(crash: Crash) -> None:
    after(Gateway, "draft", lambda *_: crash.at("draft_written"))
    after(Gateway, "propose", lambda *_: crash.at("plan_proposed"))
    accept, attempt = Accept.accept, Send._open_attempt

    def accepted(self: Accept, *args: Any, **more: Any) -> Any:
        receipt = accept(self, *args, **more)
        if isinstance(receipt.order.intent, PlaceIntent) and receipt.fresh:
            crash.at("before_proposed")
        return receipt

    def opened(self: Send, *args: Any, **more: Any) -> Any:
        if more.get("approved") is not None:
            crash.at("approved")
        claim = attempt(self, *args, **more)
        crash.at("in_claim")
        return claim

    Accept.accept = accepted  # type: ignore[method-assign]
    Send._open_attempt = opened  # type: ignore[method-assign]

    def finishing(_: Gateway, claim: Any) -> None:
        if claim.attempt is None and claim.ticket is not None:
            crash.at("asked")

    before(Gateway, "_finish", finishing)


def _around_the_wire(crash: Crash) -> None:
    before(Gateway, "_wire", lambda *_: crash.at("claimed"))
    after(Send, "_once", lambda *_: crash.at("answered"))

    def journaled(result: Any, *_: Any) -> None:
        order, attempt = result
        if order.state is OrderState.REQUOTED:
            crash.at("requoted")
        if attempt.opening:
            crash.at("acked")

    after(Send, "write", journaled)


def _recovering(crash: Crash) -> None:
    before(OrderLine, "recover", lambda *_, **__: crash.at("rec_start"))
    after(OrderLine, "recover", lambda *_: crash.at("rec_done"))

    def disowned(_: None, settle: Settle) -> None:
        if settle._last_scan is None:
            crash.at("rec_unknown")

    def booking(settle: Settle, found: Any, *_: Any) -> None:
        if settle._last_scan is None:
            crash.at("rec_query")
        if any(step.fills for step in found.steps):
            crash.at("fill_read")

    after(Settle, "_disown", disowned)
    before(Settle, "_book", booking)


def _stops(crash: Crash) -> None:
    before(Kill, "_cancel_all", lambda *_: crash.at("kill_committed"))
    wire = Gateway._wire

    async def stopped(self: Gateway, claim: Any, attempt: Any) -> Any:
        """Engage the kill switch between the claim's commit and its first byte."""
        if attempt.opening and crash.here("kill_before_wire"):
            await self.engage(scope=ScopeKind.GLOBAL, target="", reason="drill", asker=GATEWAY)
            await self._send._once(claim)
            crash.now()
        return await wire(self, claim, attempt)

    Gateway._wire = stopped  # type: ignore[method-assign]


def _exits(crash: Crash) -> None:
    before(Protect, "_reduce", lambda *_: crash.at("stops_dropped"))

    def sending(_: Protect, guard: Any, intent: Any) -> None:
        if not isinstance(intent, CancelIntent) and guard.keep is None:
            crash.at("filled_bare")

    def changed(_: Any, protect: Protect, guard: Any, event: str) -> None:
        if event == "ratcheted":
            crash.at("ratcheted")

    before(Protect, "_send", sending)
    after(Protect, "change", changed)


def _books_full(crash: Crash) -> None:
    before(Emergency, "_begin", lambda *_: crash.at("disk_full"))
    after(EmergencyJournal, "append", lambda *_: crash.at("spooled"))
    before(EmergencyJournal, "renew", lambda *_: crash.at("imported"))
