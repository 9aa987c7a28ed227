"""`ordergate` with one safeguard broken, by name: what hostile agents must be seen to escape by.

Run as a program: the name of the broken variant, then the words of the command line. Every variant
is a patch to the product's own code; nothing here is written anew.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ordergate.__main__ import main
from ordergate.adapters.storage.session import SqlTx
from ordergate.identity import authority, tokens
from ordergate.identity.bearers.recognise import Bearers
from ordergate.model.principals import Principal
from ordergate.order.approval import approve
from ordergate.order.approval.ticket import Answerable
from ordergate.order.halt import Halt
from ordergate.order.policy import decision, judge
from ordergate.order.policy.rules import lanes
from ordergate.order.policy.rules.checklist import RULES
from ordergate.surfaces import edge
from ordergate.surfaces.console import acts
from ordergate.surfaces.console.entry import Entry
from support import broken_gate


def _passing(name: str) -> None:
    """Let one rule of the checklist find nothing, ever."""
    blind = tuple(
        dataclasses.replace(rule, check=lambda *_, control=rule.control: control.passes())
        if rule.control.rule == name
        else rule
        for rule in RULES
    )
    assert blind != RULES, name
    decision.RULES = blind  # type: ignore[attr-defined]


def stop_not_required() -> None:
    _passing("stop_required")


def no_yes_needed() -> None:
    _passing("approval")


def switch_not_asked() -> None:
    judge.covering = lambda *_, **__: ()  # type: ignore[attr-defined]
    Halt.stops = lambda *_: False  # type: ignore[assignment,method-assign]


def stripping_called_tightening() -> None:
    lanes._farther = lambda *_, **__: False


def nothing_reserved() -> None:
    SqlTx.reservations = lambda *_, **__: []  # type: ignore[assignment,method-assign]


def keys_forgotten() -> None:
    broken_gate.keys_forgotten(pytest.MonkeyPatch())


def a_yes_to_anything() -> None:
    """Let the operator's yes to one ask count for another: fingerprint and target unread."""
    approve.answerable = lambda *_, **__: Answerable.YES  # type: ignore[attr-defined]
    acts.seen = lambda visit, fingerprint: fingerprint
    _any_factor()


def _any_factor() -> None:
    async def prove(self: Entry, request: Any, visit: Any, *_: Any) -> Any:
        del self, request
        return visit

    Entry.prove = prove  # type: ignore[method-assign]


def a_cookie_is_enough() -> None:
    _any_factor()


def every_kind_may_everything() -> None:
    authority.allowed = lambda *_, **__: True


def revoked_tokens_good() -> None:
    sound = Bearers.bearer

    async def lenient(self: Bearers, token: str) -> Principal:
        given = tokens.parse(token)
        record = await self._look_up(given.token_id)
        if record is not None and record.revoked_at is not None:
            return Principal(record.principal, record.kind, record.name, tokens.grants_of(record))
        return await sound(self, token)

    Bearers.bearer = lenient  # type: ignore[method-assign]


def any_host() -> None:
    edge.HostGuard._refusal = lambda *_: None  # type: ignore[method-assign]


BROKEN: dict[str, Callable[[], None]] = {
    one.__name__: one
    for one in (
        *(stop_not_required, no_yes_needed, switch_not_asked, stripping_called_tightening),
        *(nothing_reserved, keys_forgotten, a_yes_to_anything, a_cookie_is_enough),
        *(every_kind_may_everything, revoked_tokens_good, any_host),
    )
}


if __name__ == "__main__":
    BROKEN[sys.argv.pop(1)]()
    sys.exit(main())
