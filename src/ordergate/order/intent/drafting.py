"""Which refusals end a draft at once, and which a better hour may cure."""

from __future__ import annotations

from typing import Final

from ordergate.model.errors import Code
from ordergate.model.verdicts import Finding, Judgement, RuleVerdict

# What may be over by the time a human submits the draft.
CIRCUMSTANCES: Final = frozenset(
    {
        Code.KILL_SWITCH_ACTIVE,
        Code.HALTED,
        Code.MARKET_CLOSED,
        Code.DATA_UNAVAILABLE,
        Code.RATE_LIMIT_EXCEEDED,
        Code.LIVE_NOT_ARMED,
        Code.FORBIDDEN,  # to open with real money: the draft becomes the operator's own order
        Code.DUPLICATE_ORDER,
    }
)


def hopeless(judgement: Judgement) -> RuleVerdict | None:
    """Return the first refusal that lies in the order itself; None where waiting may help."""
    return next(
        (
            verdict
            for verdict in judgement.decision.verdicts
            if verdict.finding is Finding.REFUSE and verdict.code not in CIRCUMSTANCES
        ),
        None,
    )
