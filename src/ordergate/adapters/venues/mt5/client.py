"""The wire: MetaQuotes' package behind one worker thread, every call with a deadline.

The package is synchronous, talks to one terminal and is not made for several threads. A call that
outlasts its deadline is left to its thread, and a fresh one takes the next calls: nothing is
repeated. Only `order_send` writes; it is entered at most once for each request.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Generic, TypeVar

from ordergate.adapters.venues.mt5 import codes
from ordergate.model.errors import DataUnavailable, NotSupported
from ordergate.model.outcomes import NeverSent

READ_S: Final = 2.5  # below the gate's own 3 s for a look at the account
SEND_S: Final = 6.0  # with the look before it below the gate's 10 s
LEFT_BEHIND_MAX: Final = 4  # threads that hang in the terminal until no more are started

T = TypeVar("T")
Package = Any  # MetaTrader5, or what stands in its place


class Silent(TimeoutError):
    """The terminal did not answer in time; what it did meanwhile is not known."""


class Busy(Exception):
    """The call was never begun: the terminal had no turn for it in time."""


@dataclass(frozen=True, slots=True)
class Sign:
    """How to sign in; None everywhere = the terminal is signed in already."""

    login: int | None = None
    password: str | None = None
    server: str | None = None
    path: str | None = None

    def options(self) -> dict[str, Any]:
        named = {"login": self.login, "password": self.password, "server": self.server}
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Sent:
    """What `order_send` returned, and the error that stood right after it."""

    result: Any | None
    error: int | None
    words: str


def package() -> Package:
    """Import MetaQuotes' package; raises NotSupported where it is not installed."""
    try:
        import MetaTrader5  # type: ignore[import-not-found,unused-ignore]  # a wheel for Windows
    except ImportError:
        raise NotSupported(
            "the MetaTrader5 package is not installed here; it exists for Windows alone",
            fix="on Windows: pip install 'ordergate[mt5]'; elsewhere: --terminal simulated",
        ) from None
    return MetaTrader5


class Client:
    """Asks the terminal; reads may attach again, a send never does."""

    def __init__(self, load: Callable[[], Package], sign: Sign = Sign()) -> None:
        self._load = load
        self._sign = sign
        self._package: Package | None = None
        self._worker = _Worker(0)
        self._left_behind: list[_Worker] = []

    async def read(self, ask: Callable[[Package], T | None], what: str) -> T:
        """Return an answer; raises DataUnavailable where the terminal gives none in time."""
        try:
            return await self._in_turn(lambda: self._read(ask, what), READ_S)
        except (Silent, Busy):
            raise DataUnavailable(
                f"MetaTrader 5 did not answer within {READ_S} s: {what}",
                fix="look whether the terminal hangs or shows a dialog",
            ) from None

    async def find(self, ask: Callable[[Package], T | None], what: str) -> T | None:
        """Return an answer; None where the terminal says that there is no such thing."""

        def look(mt5: Package) -> tuple[T | None] | None:
            answer = ask(mt5)
            absent = answer is None and mt5.last_error()[0] in codes.ABSENT
            return None if answer is None and not absent else (answer,)

        return (await self.read(look, what))[0]

    def ask_now(self, ask: Callable[[Package], T | None], what: str, *, within_s: float) -> T:
        """Read from another thread than the event loop's."""
        asked = self._worker.put(lambda: self._read(ask, what))
        try:
            return asked.result(within_s)
        except TimeoutError:
            asked.cancel()
            raise DataUnavailable(
                f"MetaTrader 5 did not answer within {within_s} s: {what}", fix="ask again"
            ) from None

    async def send(self, request: Mapping[str, Any]) -> Sent:
        """Enter `order_send` once. Raises NeverSent where it was not entered, else Silent."""
        try:
            return await self._in_turn(lambda: self._send(request), SEND_S)
        except Busy as error:
            raise NeverSent(str(error)) from None

    def close(self) -> None:
        """Leave the terminal alone; it goes on running."""
        self._worker.put(self._leave)
        self._worker.stop()

    async def _in_turn(self, act: Callable[[], T], within_s: float) -> T:
        """Run in the worker thread; raises Busy where it was provably not begun, else Silent."""
        if sum(one.hangs for one in self._left_behind) >= LEFT_BEHIND_MAX:
            raise Busy("the terminal hangs, and has for several calls")
        worker = self._worker
        asked = worker.put(act)
        try:
            async with asyncio.timeout(within_s):
                return await asyncio.wrap_future(asked)
        except TimeoutError:
            if asked.cancel():  # a call that runs cannot be cancelled
                raise Busy("the terminal was busy") from None
            self._replace(worker)
            raise Silent(f"no answer within {within_s} s") from None
        except asyncio.CancelledError:
            if not asked.cancel():
                self._replace(worker)
            raise

    def _replace(self, worker: _Worker) -> None:
        if worker is not self._worker:
            return
        self._left_behind = [one for one in self._left_behind if one.hangs]
        self._left_behind.append(worker)
        self._worker = _Worker(worker.number + 1)
        worker.stop()

    def _attached(self) -> Package:
        if self._package is None:
            mt5 = self._load()
            if not self._attach(mt5):
                raise _no_link(mt5)
            self._package = mt5
        return self._package

    def _attach(self, mt5: Package) -> bool:
        path = () if self._sign.path is None else (self._sign.path,)
        return bool(mt5.initialize(*path, **self._sign.options()))

    def _read(self, ask: Callable[[Package], T | None], what: str) -> T:
        mt5 = self._attached()
        answer = ask(mt5)
        if answer is None and mt5.last_error()[0] in codes.NO_LINK and self._attach(mt5):
            answer = ask(mt5)
        if answer is None:
            number, words = mt5.last_error()
            if number in codes.NO_LINK:
                raise _no_link(mt5)
            raise DataUnavailable(
                f"MetaTrader 5 gave no {what}: {words} ({number})",
                fix="look whether the symbol is in Market Watch and the terminal is signed in",
            )
        return answer

    def _send(self, request: Mapping[str, Any]) -> Sent:
        mt5 = self._package
        if mt5 is None:
            raise NeverSent("no terminal is attached")
        result = mt5.order_send(dict(request))
        error = mt5.last_error()
        return Sent(result, *(error if result is None else (None, "")))

    def _leave(self) -> None:
        if self._package is not None:
            self._package.shutdown()


def _no_link(mt5: Package) -> DataUnavailable:
    number, words = mt5.last_error()
    return DataUnavailable(
        f"MetaTrader 5 does not answer: {words} ({number})",
        fix="start the terminal, sign in, and keep it running beside the gateway",
        details={"mt5_error": number},
    )


class _Worker:
    """One daemon thread that takes calls in turn; one that hangs keeps nobody from leaving."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._calls: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None]
        self._calls = queue.SimpleQueue()
        self._busy: Future[Any] | None = None
        threading.Thread(target=self._work, name=f"mt5-{number}", daemon=True).start()

    @property
    def hangs(self) -> bool:
        return self._busy is not None

    def put(self, act: Callable[[], T]) -> Future[T]:
        asked: Future[T] = Future()
        self._calls.put((asked, act))
        return asked

    def stop(self) -> None:
        """Take no call after those that wait already."""
        self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            asked, act = call
            if not asked.set_running_or_notify_cancel():
                continue
            self._busy = asked
            with _Delivering(asked):
                asked.set_result(act())
            self._busy = None


class _Delivering(Generic[T]):
    """Hands whatever a call raises to who waits for it: the thread lives on."""

    def __init__(self, asked: Future[T]) -> None:
        self._asked = asked

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if error is not None:
            self._asked.set_exception(error)
        return True
