"""The closed list of error codes, and the one error every door shows the same way."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, ClassVar


class Code(enum.StrEnum):
    # input
    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    INVALID_PRICE = "INVALID_PRICE"
    INVALID_VOLUME = "INVALID_VOLUME"
    INVALID_STOPS = "INVALID_STOPS"
    INVALID_TICKET = "INVALID_TICKET"
    SYMBOL_NOT_FOUND = "SYMBOL_NOT_FOUND"
    RESOURCE_NOT_FOUND = "RESOURCE_NOT_FOUND"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    # who may
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    RATE_LIMIT_EXCEEDED = "RATE_LIMIT_EXCEEDED"
    LIVE_NOT_ARMED = "LIVE_NOT_ARMED"
    # the gate's no
    EXCEEDS_LOCAL_LIMIT = "EXCEEDS_LOCAL_LIMIT"
    STOP_REQUIRED = "STOP_REQUIRED"
    MARKET_CLOSED = "MARKET_CLOSED"
    DUPLICATE_ORDER = "DUPLICATE_ORDER"
    HALTED = "HALTED"
    KILL_SWITCH_ACTIVE = "KILL_SWITCH_ACTIVE"
    EXCEEDS_POSITION = "EXCEEDS_POSITION"
    SHORT_NOT_ALLOWED = "SHORT_NOT_ALLOWED"
    IDEMPOTENCY_DIVERGED = "IDEMPOTENCY_DIVERGED"
    INVALID_APPROVAL = "INVALID_APPROVAL"
    NEEDS_REAPPROVAL = "NEEDS_REAPPROVAL"
    APPROVAL_DENIED = "APPROVAL_DENIED"
    APPROVAL_EXPIRED = "APPROVAL_EXPIRED"
    ILLEGAL_STATE = "ILLEGAL_STATE"
    # the venue's no
    REQUOTE = "REQUOTE"
    REJECTED_BY_SERVER = "REJECTED_BY_SERVER"
    INSUFFICIENT_MARGIN = "INSUFFICIENT_MARGIN"
    # what nobody knows
    DATA_UNAVAILABLE = "DATA_UNAVAILABLE"
    ORDER_UNKNOWN = "ORDER_UNKNOWN"
    NOT_READY = "NOT_READY"
    INTERNAL_ERROR = "INTERNAL_ERROR"


class GateError(Exception):
    """An answer of "no" for programs first: code, retryable, requires_human, details, fix."""

    code: ClassVar[Code] = Code.INTERNAL_ERROR
    retryable: ClassVar[bool] = False
    requires_human: ClassVar[bool] = False

    def __init__(
        self, message: str, *, fix: str = "", details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.details = dict(details or {})


class Refused(GateError):
    """A request was refused, denied or blocked; the code of its own says why."""

    def __init__(
        self, code: Code, message: str, *, fix: str = "", details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message, fix=fix, details=details)
        self.refusal = code


class InvalidArgument(GateError):
    code = Code.INVALID_ARGUMENT


class SymbolNotFound(GateError):
    code = Code.SYMBOL_NOT_FOUND


class NotFound(GateError):
    code = Code.RESOURCE_NOT_FOUND


class NotSupported(GateError):
    code = Code.NOT_SUPPORTED


class Unauthenticated(GateError):
    code = Code.UNAUTHENTICATED


class Forbidden(GateError):
    """The principal's kind may never do this."""

    code = Code.FORBIDDEN
    requires_human = True


class RateLimited(GateError):
    code = Code.RATE_LIMIT_EXCEEDED
    retryable = True


class KeyDiverged(GateError):
    """The key was used before for another order. Use a fresh key."""

    code = Code.IDEMPOTENCY_DIVERGED


class InvalidApproval(GateError):
    code = Code.INVALID_APPROVAL


class IllegalState(GateError):
    """The order or ticket is not in a state where this can be done."""

    code = Code.ILLEGAL_STATE


class DataUnavailable(GateError):
    """A fact is missing; nothing was made up."""

    code = Code.DATA_UNAVAILABLE
    retryable = True


class NotReady(GateError):
    """The gateway is starting, stopping or recovering."""

    code = Code.NOT_READY
    retryable = True
