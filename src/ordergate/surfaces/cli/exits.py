"""What the exit code of a command means; scripts and agents may rely on it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, Final

from ordergate.model.errors import Code


class Exit(enum.IntEnum):
    OK = 0
    REFUSED = 1
    USAGE = 2
    NOT_RUNNING = 3
    NEEDS_APPROVAL = 4
    UNKNOWN_OUTCOME = 5
    NOT_PERMITTED = 6
    BAD_SETTINGS = 7


MEANING: Final[Mapping[Exit, str]] = {
    Exit.OK: "done",
    Exit.REFUSED: "refused or failed; the code says why",
    Exit.USAGE: "wrong arguments; nothing was done",
    Exit.NOT_RUNNING: "no gateway is running, or it is not ready",
    Exit.NEEDS_APPROVAL: "a human must say yes first",
    Exit.UNKNOWN_OUTCOME: "nobody knows yet what became of the order; never send it again blindly",
    Exit.NOT_PERMITTED: "this token or person may not do that",
    Exit.BAD_SETTINGS: "the settings are refused",
}

_BY_CODE: Final = {
    Code.INVALID_ARGUMENT: Exit.USAGE,
    Code.NOT_READY: Exit.NOT_RUNNING,
    Code.NEEDS_REAPPROVAL: Exit.NEEDS_APPROVAL,
    Code.ORDER_UNKNOWN: Exit.UNKNOWN_OUTCOME,
    Code.FORBIDDEN: Exit.NOT_PERMITTED,
    Code.UNAUTHENTICATED: Exit.NOT_PERMITTED,
    Code.LIVE_NOT_ARMED: Exit.NOT_PERMITTED,
}
_BY_STATUS: Final = {
    "approval_required": Exit.NEEDS_APPROVAL,
    "unknown": Exit.UNKNOWN_OUTCOME,
    "parked": Exit.UNKNOWN_OUTCOME,
    "rejected": Exit.REFUSED,
    "denied": Exit.REFUSED,
    "blocked": Exit.REFUSED,
    "killed": Exit.REFUSED,
    "not_sent": Exit.REFUSED,
    "not_applied": Exit.REFUSED,
}


def exit_of(envelope: Mapping[str, Any]) -> Exit:
    """Return the exit code of an answer about anything but one order."""
    if envelope["ok"]:
        return Exit.OK
    return _BY_CODE.get(envelope["error"]["code"], Exit.REFUSED)


def exit_of_order(envelope: Mapping[str, Any]) -> Exit:
    """Return the exit code of an answer about one order: its status counts, too."""
    if not envelope["ok"]:
        return exit_of(envelope)
    return _BY_STATUS.get(envelope["data"].get("status", ""), Exit.OK)


# `audit verify` alone: what its caller asks is what became of the record.
PROVEN: Final = "0 whole; 1 tampered with; 2 cut or rolled back; 3 not to be verified"
_UNVERIFIABLE: Final = 3


def exit_of_proof(envelope: Mapping[str, Any]) -> int:
    """Return the exit code of `audit verify`, which is the verdict's."""
    if envelope["ok"]:
        return Exit.OK
    return int(envelope["error"]["details"].get("exit_code", _UNVERIFIABLE))


def epilog() -> str:
    """Return the table of exit codes for --help."""
    return "Exit codes: " + "; ".join(f"{code.value} {text}" for code, text in MEANING.items())
