"""The one path of every call, from whichever door: bound, validate, authorise, run, answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from ordergate.identity.authority import require
from ordergate.model.canonical import iso
from ordergate.model.errors import (
    Code,
    DataUnavailable,
    GateError,
    NotSupported,
    RateLimited,
    Refused,
)
from ordergate.model.principals import Principal
from ordergate.model.views import Change
from ordergate.surfaces.catalogue.arguments import read_request
from ordergate.surfaces.catalogue.envelope import Envelope, answer, failure, internal
from ordergate.surfaces.catalogue.fields import Request, Result
from ordergate.surfaces.catalogue.operation import Operation
from ordergate.surfaces.catalogue.services import Services
from ordergate.surfaces.catalogue.throttle import Throttle

ACTS_MAX: Final = 256
_log = structlog.get_logger("ordergate.dispatch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What an observer is told of a finished call; never its arguments."""

    principal: Principal
    tool: str
    code: str
    seconds: float


Observer = Callable[[Call], None]


class Dispatch:
    """Answers every call with an envelope; raises nothing but cancellation."""

    def __init__(
        self,
        services: Services,
        operations: Sequence[Operation],
        *,
        throttle: Throttle | None = None,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._services = services
        self._operations = {operation.name: operation for operation in operations}
        self._throttle = throttle
        self._observers = tuple(observers)
        self._acting: set[asyncio.Task[Result]] = set()

    async def __call__(
        self, principal: Principal, name: str, arguments: Mapping[str, Any]
    ) -> Envelope:
        """Run one operation for a principal."""
        started = self._services.clock.monotonic()
        envelope = await self._envelope(principal, name, arguments)
        tool = name if name in self._operations else "unknown"
        call = Call(
            principal=principal,
            tool=tool,
            code=envelope.code,
            seconds=self._services.clock.monotonic() - started,
        )
        self._tell(call)
        return envelope

    async def drain(self, timeout_s: float) -> None:
        """Wait for acts whose callers have left; what is still running then runs on."""
        if self._acting:
            await asyncio.wait(set(self._acting), timeout=timeout_s)

    async def _envelope(
        self, principal: Principal, name: str, arguments: Mapping[str, Any]
    ) -> Envelope:
        try:
            operation = self._operations.get(name)
            if operation is None:
                raise NotSupported("there is no such tool here", fix="tools/list has all of them.")
            require(principal, operation.act)
            if self._throttle is not None:
                self._throttle.take(principal.id, urgent=operation.urgent)
            request = read_request(operation.request, arguments)
            return answer(await self._run(operation, principal, request))
        except GateError as error:
            return failure(error)
        except Exception:  # noqa: BLE001 - the last wall: what is inside must not reach a caller
            correlation_id = self._services.ids.new_id()
            _log.exception("tool.failed", tool=name[:64], correlation_id=correlation_id)
            return internal(correlation_id)

    async def _run(self, operation: Operation, principal: Principal, request: Request) -> Result:
        work = operation.handler(self._services, principal, request)
        if not operation.acts:
            try:
                async with asyncio.timeout(operation.deadline_s):
                    return await work
            except TimeoutError:
                raise DataUnavailable(
                    f"no answer within {operation.deadline_s:g} s", fix="Ask again."
                ) from None
        return await self._act(operation, work)

    async def _act(self, operation: Operation, work: Any) -> Result:
        """Carry an act to its end, whatever becomes of its caller."""
        if len(self._acting) >= ACTS_MAX and not operation.urgent:
            work.close()
            raise RateLimited("too many acts are under way", fix="Wait a second.")
        task: asyncio.Task[Result] = asyncio.create_task(work, name=operation.name)
        self._acting.add(task)
        task.add_done_callback(self._acted)
        try:
            async with asyncio.timeout(operation.deadline_s):
                return await asyncio.shield(task)
        except TimeoutError:
            raise Refused(
                Code.ORDER_UNKNOWN,
                f"no outcome within {operation.deadline_s:g} s; it may still take effect",
                fix="Do not send it again. list_orders and wait_order say what became of it.",
            ) from None

    def _acted(self, task: asyncio.Task[Result]) -> None:
        self._acting.discard(task)
        if not task.cancelled():
            task.exception()  # seen: the caller has it, or left and list_orders tells

    def _tell(self, call: Call) -> None:
        _log.debug(
            "tool.called",
            tool=call.tool,
            principal=call.principal.id,
            code=call.code,
            ms=round(call.seconds * 1000, 2),
        )
        body = {"tool": call.tool, "code": call.code, "at": iso(self._services.clock.now())}
        principal = str(call.principal.id)
        change = Change(
            topic="activity", principal=principal, body={**body, "principal": principal}
        )
        self._services.publish(change)
        for observe in self._observers:
            observe(call)
