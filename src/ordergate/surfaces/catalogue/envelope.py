"""The one envelope {ok, data, error}, and what each code means to a program and to HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ordergate.model.errors import Code, GateError, Refused
from ordergate.surfaces.catalogue.fields import Result


@dataclass(frozen=True, slots=True)
class Meaning:
    status: int  # HTTP
    retryable: bool = False
    requires_human: bool = False


MEANINGS: Final[Mapping[Code, Meaning]] = {
    Code.INVALID_ARGUMENT: Meaning(400),
    Code.INVALID_PRICE: Meaning(422),
    Code.INVALID_VOLUME: Meaning(422),
    Code.INVALID_STOPS: Meaning(422),
    Code.INVALID_TICKET: Meaning(422),
    Code.SYMBOL_NOT_FOUND: Meaning(404),
    Code.RESOURCE_NOT_FOUND: Meaning(404),
    Code.NOT_SUPPORTED: Meaning(422),
    Code.PAYLOAD_TOO_LARGE: Meaning(413),
    Code.UNAUTHENTICATED: Meaning(401, requires_human=True),
    Code.FORBIDDEN: Meaning(403, requires_human=True),
    Code.RATE_LIMIT_EXCEEDED: Meaning(429, retryable=True),
    Code.LIVE_NOT_ARMED: Meaning(409, requires_human=True),
    Code.EXCEEDS_LOCAL_LIMIT: Meaning(422),
    Code.STOP_REQUIRED: Meaning(422),
    Code.MARKET_CLOSED: Meaning(409, retryable=True),
    Code.DUPLICATE_ORDER: Meaning(409),
    Code.HALTED: Meaning(409, requires_human=True),
    Code.KILL_SWITCH_ACTIVE: Meaning(409, requires_human=True),
    Code.EXCEEDS_POSITION: Meaning(422),
    Code.SHORT_NOT_ALLOWED: Meaning(422),
    Code.IDEMPOTENCY_DIVERGED: Meaning(409),
    Code.INVALID_APPROVAL: Meaning(409, requires_human=True),
    Code.NEEDS_REAPPROVAL: Meaning(409, requires_human=True),
    Code.APPROVAL_DENIED: Meaning(409, requires_human=True),
    Code.APPROVAL_EXPIRED: Meaning(409),
    Code.ILLEGAL_STATE: Meaning(409),
    Code.REQUOTE: Meaning(409, retryable=True),
    Code.REJECTED_BY_SERVER: Meaning(422),
    Code.INSUFFICIENT_MARGIN: Meaning(422),
    Code.DATA_UNAVAILABLE: Meaning(503, retryable=True),
    Code.ORDER_UNKNOWN: Meaning(409),
    Code.NOT_READY: Meaning(503, retryable=True),
    Code.INTERNAL_ERROR: Meaning(500),
}


class ErrorBody(Result):
    code: str
    message: str
    retryable: bool
    requires_human: bool
    details: dict[str, Any]
    fix: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """An answer of any door. Exactly one of `data` and `error` is set."""

    data: dict[str, Any] | None
    error: ErrorBody | None

    @property
    def ok(self) -> bool:
        return self.error is None

    @property
    def code(self) -> str:
        return "OK" if self.error is None else self.error.code

    @property
    def status(self) -> int:
        return 200 if self.error is None else MEANINGS[Code(self.error.code)].status

    def body(self) -> dict[str, Any]:
        """Return the envelope as JSON's own types."""
        error = None if self.error is None else self.error.model_dump()
        return {"ok": self.ok, "data": self.data, "error": error}

    @property
    def line(self) -> str:
        """Return `CODE: reason, fix` of an error; "" of an answer."""
        if self.error is None:
            return ""
        reason = f"{self.error.code}: {self.error.message}"
        return f"{reason} {self.error.fix}".strip()


def read_envelope(body: Mapping[str, Any]) -> Envelope:
    """Read what `Envelope.body` wrote, from another process; raise ValueError for anything else."""
    error = body.get("error")
    data = body.get("data")
    if (error is None) == (data is None) or not isinstance(data, dict | None):
        raise ValueError("not an envelope")
    return Envelope(data, None if error is None else ErrorBody.model_validate(error))


def answer(result: Result) -> Envelope:
    return Envelope(result.model_dump(exclude_unset=True), None)


def failure(error: GateError) -> Envelope:
    """Return the envelope of a "no"."""
    if isinstance(error, Refused):
        meaning = MEANINGS[error.refusal]
        return _failure(error.refusal, error, meaning.retryable, meaning.requires_human)
    return _failure(error.code, error, error.retryable, error.requires_human)


def internal(correlation_id: str) -> Envelope:
    """Return what may be said of an unexpected exception: that it happened, and its id."""
    error = ErrorBody(
        code=Code.INTERNAL_ERROR,
        message="something inside failed; nothing of it is shown here",
        retryable=False,
        requires_human=True,
        details={"correlation_id": correlation_id},
        fix="Report the correlation_id to the operator; the log has the rest.",
    )
    return Envelope(None, error)


def _failure(code: Code, error: GateError, retryable: bool, requires_human: bool) -> Envelope:
    body = ErrorBody(
        code=code.value,
        message=error.message,
        retryable=retryable,
        requires_human=requires_human,
        details=error.details,
        fix=error.fix,
    )
    return Envelope(None, body)
