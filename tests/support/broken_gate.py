"""Safeguards of the order line that more than one harness breaks on purpose: patches, no copies."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from ordergate.order.intent.accept import Accept
from ordergate.order.policy import decision
from ordergate.order.policy.rules import standing
from ordergate.order.policy.rules.checklist import RULES, Say
from ordergate.order.policy.rules.control import Control

Patch = pytest.MonkeyPatch


def exits_refused_by(control: Control) -> Callable[[Patch], None]:
    """Let the exit lanes ask a rule that belongs to the open lane."""

    def broken(patch: Patch) -> None:
        rules = tuple(
            dataclasses.replace(rule, tighten=Say.REFUSE, close=Say.REFUSE, cancel=Say.REFUSE)
            if rule.control is control
            else rule
            for rule in RULES
        )
        assert rules != RULES
        patch.setattr(decision, "RULES", rules)

    return broken


def exits_under_the_switch_refused(patch: Patch) -> None:
    exits_refused_by(standing.KILL)(patch)


def keys_forgotten(patch: Patch) -> None:
    """Take every request for a new one, whatever key it carries."""
    sound = Accept.accept

    def fresh(self: Accept, *given: Any, key: object, **more: Any) -> Any:
        del key
        return sound(self, *given, key=None, **more)

    patch.setattr(Accept, "accept", fresh)
