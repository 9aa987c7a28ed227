"""What is checked: every lane of ours, every broken variant, and that a zero is not empty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Expected = Literal["holds", "fails", "is reached"]


@dataclass(frozen=True, slots=True)
class Run:
    """One search of one model: what is defined for it, and how it must end."""

    model: str
    name: str
    expected: Expected
    defines: str = ""  # names, or NAME=number
    first: str = "true"  # where `expected` is "is reached": this, and some time after it
    then: str = ""
    bits: bool = False  # bitstate: a sample of a space too large to hold


def _ours(model: str, *lanes: tuple[str, str]) -> tuple[Run, ...]:
    return tuple(Run(model, name, "holds", defines) for name, defines in lanes)


def _broken(model: str, *variants: tuple[str, str]) -> tuple[Run, ...]:
    return tuple(Run(model, name, "fails", defines) for name, defines in variants)


def _reached(model: str, *states: tuple[str, str, str, str]) -> tuple[Run, ...]:
    return tuple(
        Run(model, name, "is reached", defines, first, then)
        for name, defines, first, then in states
    )


def _deep(model: str, *lanes: tuple[str, str]) -> tuple[Run, ...]:
    return tuple(Run(model, name, "holds", defines, bits=True) for name, defines in lanes)


ORDER = (
    *_ours(
        "order",
        ("ours", ""),
        ("ours, 4 crashes", "CRASHES=4"),
        ("ours, 3 gateways", "GATEWAYS=3"),
        ("ours, an operator settles what is parked", "HUMAN"),
        ("ours, the same, 4 crashes", "HUMAN CRASHES=4"),
        ("ours, exit lane", "EXIT"),
        ("ours, exit lane, 4 crashes", "EXIT CRASHES=4"),
        ("ours, older books restored", "RESTORE"),
        ("ours, older books restored, 4 crashes", "RESTORE CRASHES=4"),
        ("ours, requotes: 3 attempts, replies twice", "REQUOTE"),
        ("ours, requotes and an operator", "REQUOTE HUMAN"),
        ("not ours: resend to a venue that refuses a tag for ever", "RESEND_IF_NOT_FOUND DEDUPES"),
    ),
    *_broken(
        "order",
        ("sent again at a time-out", "BLIND_RESEND"),
        ("sent again when not found", "RESEND_IF_NOT_FOUND"),
        ("sent, then journaled", "SEND_THEN_JOURNAL"),
        ("claim that reads, then writes", "READ_THEN_WRITE"),
        ("not found means rejected", "NOT_FOUND_IS_REJECTED"),
        ("a restart takes SENDING for unsent", "RECOVER_TO_READY"),
        ("kill switch read outside the claim", "KILL_READ_OUTSIDE"),
        ("parked orders looked for no more", "PARKED_FORGOTTEN"),
        ("an outcome that was not written is not looked for", "OWN_SENDING_FORGOTTEN"),
        ("an operator settles at once", "HUMAN RESOLVE_AT_ONCE"),
        ("no deadline before the first byte", "HUMAN NO_SEND_DEADLINE"),
        ("kill switch stops exits too", "EXIT KILL_STOPS_EXITS"),
        ("restored books just go on", "RESTORE RESTORED_GOES_ON"),
        ("a refusal counts for any attempt", "REQUOTE REFUSAL_OF_ANY_ATTEMPT"),
    ),
    *_reached(
        "order",
        (
            "tracked after all crashes, by the other gateway",
            "",
            "true",
            "st == TRACKED && crashes == CRASHES && execs == 1 && owner == 1",
        ),
        ("parked, then adopted", "", "st == PARKED && execs == 0", "st == TRACKED && execs == 1"),
        ("claimed, and not sent after all", "", "true", "st == NOT_SENT"),
        ("settled as not placed", "HUMAN", "st == PARKED", "st == NOT_PLACED && replaced"),
        ("an exit sent under the kill switch", "EXIT", "killed && st == READY", "execs == 1"),
        (
            "restored, ended, and found by its tag",
            "RESTORE",
            "st == STOPPED",
            "found && execs == 1",
        ),
        ("executed at the third attempt", "REQUOTE", "att == 2", "att == 3 && st == TRACKED"),
    ),
)

AGENT = (
    *_ours(
        "agent",
        ("ours", ""),
        ("ours, 4 crashes", "CRASHES=4"),
        ("ours, exit job", "EXIT"),
        ("ours, exit job, 4 crashes", "EXIT CRASHES=4"),
    ),
    *_broken(
        "agent",
        ("one-phase claim, queued again", "ONE_PHASE"),
        ("the agent runs its journal again", "JOURNAL_RUN_AGAIN"),
        ("STARTED is offered again", "STARTED_OFFERED_AGAIN"),
        ("start without the token", "NO_TOKEN_CHECK"),
        ("start without the kill switch", "NO_KILL_CHECK"),
        ("kill switch stops exit jobs too", "EXIT KILL_STOPS_EXITS"),
    ),
    *_reached(
        "agent",
        (
            "done after all crashes and two offers",
            "",
            "true",
            "job == DONE && crashes == CRASHES && token >= 2 && execs == 1",
        ),
        ("parked, then found", "", "job == PARKED", "job == DONE && execs == 1"),
    ),
)

LIMITS = (
    *_ours("limits", ("ours", ""), ("ours, 2 crashes", "CRASHES=2"), ("ours, limit 1", "LIMIT=1")),
    *_broken(
        "limits",
        ("checked outside the claim", "CHECK_OUTSIDE_CLAIM"),
        ("two gateways that read, then write", "READ_THEN_WRITE"),
        ("released at a time-out", "RELEASE_ON_TIMEOUT"),
        ("unknown and parked not counted", "UNKNOWN_NOT_COUNTED"),
        ("parking releases", "PARKING_RELEASES"),
        ("an operator settles at once", "RESOLVE_AT_ONCE"),
        ("a release counts at once, also for an older look", "NO_MARK"),
        ("the mark taken after the look", "MARK_AFTER_LOOK"),
    ),
    *_reached(
        "limits",
        ("full, and one more refused", "", "COUNT(there) == LIMIT", "st[2] == DENIED"),
        (
            "room again after a close",
            "",
            "closed && COUNT(there) == 1",
            "COUNT(there) == LIMIT && crashes == CRASHES",
        ),
        ("a release during a look", "", "true", "since[2] == 3"),
        ("parked, then executed", "", "st[0] == PARKED", "there & 1"),
    ),
)

EXITS = (
    *_ours("exits", ("ours", ""), ("ours, 2 crashes", "CRASHES=2")),
    *_broken(
        "exits",
        ("the old stop goes before the new one rests", "STOP_DROPPED_FIRST"),
        ("closed while the stop rests", "CLOSE_OVER_STOP"),
        ("a cancel without reply taken for done", "CANCEL_TAKEN_FOR_DONE"),
        ("the plan in memory alone", "GUARD_IN_MEMORY"),
        ("closed again while a close is in doubt", "CLOSE_AGAIN_IN_DOUBT"),
        ("unprotected while a close is in doubt", "DOUBT_UNPROTECTED"),
        ("stops left that outlived the position", "STRAYS_LEFT"),
    ),
    *_reached(
        "exits",
        (
            "closed after all crashes and faults",
            "",
            "true",
            "held == 0 && closes == LOTS && crashes == CRASHES && faults == FAULTS && !guarded",
        ),
        (
            "half closed, half protected by the nearer stop",
            "",
            "true",
            "held == 1 && closes == 1 && keep == NONE && STOPS == 1 && !far && calm",
        ),
        ("a close parked, then found", "", "parked && keep == 0", "held == 0 && closes == LOTS"),
        ("turned round by a late close, and closed", "", "held < 0", "turned && held == 0"),
    ),
)

EVERY_CHANGE = (*ORDER, *AGENT, *LIMITS, *EXITS)

DEEP = (
    *_deep(
        "order",
        ("ours, 3 gateways, 6 crashes", "GATEWAYS=3 CRASHES=6"),
        ("ours, 3 gateways, exit lane", "GATEWAYS=3 EXIT CRASHES=6"),
        ("ours, 3 gateways, books restored", "GATEWAYS=3 RESTORE CRASHES=4"),
        ("ours, 3 gateways, requotes, no crash", "GATEWAYS=3 REQUOTE CRASHES=0"),
    ),
    *_deep("agent", ("ours, 12 crashes", "CRASHES=12")),
    *_deep(
        "limits",
        ("ours, 4 orders, 2 crashes", "ORDERS=4 CRASHES=2"),
    ),
    *_ours("exits", ("ours, 2 faults", "FAULTS=2")),
)
