"""The list of the 36 controls: which rules each is, or where else in the gate it is enforced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ordergate.model.errors import Code
from ordergate.model.records import ScopeKind
from ordergate.order.policy.rules.checklist import RULES, Rule, Say

_LIMIT: Final = Code.EXCEEDS_LOCAL_LIMIT
_MISSING: Final = Code.DATA_UNAVAILABLE
_LOUDEST: Final = (Say.REFUSE, Say.WARN, Say.PASS, Say.NOT_APPLICABLE)
_NEVER: Final = (Say.NOT_APPLICABLE,) * 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One control of the list; `cells` and `where` are given where no rule of ours is it."""

    number: str
    name: str
    scope: str
    codes: tuple[Code, ...] = ()
    cells: tuple[Say, Say, Say, Say] | None = None  # open, tighten, close, cancel
    where: str = ""
    default: str = ""

    @property
    def rules(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in RULES if rule.control.number == self.number)

    @property
    def halts(self) -> ScopeKind | None:
        """Return the scope that a refusal stops until an operator releases it."""
        stopped = (rule.control.halts for rule in self.rules)
        return next((scope for scope in stopped if scope is not None), None)

    def says(self) -> tuple[Say, Say, Say, Say]:
        """Return the most the control may say in the lanes open, tighten, close and cancel."""
        if self.cells is not None:
            return self.cells
        rules = self.rules
        return (
            Say.REFUSE,
            min((rule.tighten for rule in rules), key=_LOUDEST.index),
            min((rule.close for rule in rules), key=_LOUDEST.index),
            min((rule.cancel for rule in rules), key=_LOUDEST.index),
        )


CONTROLS: Final = (
    Entry(
        number="C1",
        name="Input sanity",
        scope="order",
        codes=(
            *(Code.INVALID_ARGUMENT, Code.INVALID_PRICE, Code.INVALID_VOLUME),
            *(Code.SYMBOL_NOT_FOUND, Code.RESOURCE_NOT_FOUND, _MISSING),
        ),
        default="on",
    ),
    Entry(number="C2", name="Order quantity", scope="order", codes=(_LIMIT,)),
    Entry(
        number="C3",
        name="Risk to the stop, order value",
        scope="order",
        codes=(_LIMIT, _MISSING),
    ),
    Entry(number="C4", name="Price collar", scope="order", codes=(_LIMIT, _MISSING)),
    Entry(
        number="C5",
        name="Collar over a period",
        scope="symbol, all agents' orders",
        codes=(_LIMIT, _MISSING),
    ),
    Entry(number="C6", name="Quote and spread", scope="symbol", codes=(_MISSING, _LIMIT)),
    Entry(
        number="C7",
        name="Position, at worst",
        scope="underlying",
        codes=(_LIMIT, _MISSING),
    ),
    Entry(
        number="C8",
        name="Gross and net exposure, free margin",
        scope="account",
        codes=(_LIMIT, Code.INSUFFICIENT_MARGIN, _MISSING),
    ),
    Entry(
        number="C9",
        name="Open opening orders, their value",
        scope="account",
        codes=(_LIMIT, _MISSING),
    ),
    Entry(
        number="C10",
        name="Loss of day and week, fall from the peak",
        scope="account",
        codes=(_LIMIT, _MISSING),
    ),
    Entry(
        number="C11",
        name="Orders and value a day",
        scope="agent; account",
        codes=(_LIMIT, _MISSING),
    ),
    Entry(
        number="C12",
        name="Message throttle",
        scope="agent; account",
        codes=(Code.RATE_LIMIT_EXCEEDED,),
    ),
    Entry(
        number="C13",
        name="Repeated execution, repeated asks",
        scope="agent",
        codes=(_LIMIT, Code.RATE_LIMIT_EXCEEDED),
    ),
    Entry(number="C14", name="Duplicate", scope="account", codes=(Code.DUPLICATE_ORDER,)),
    Entry(
        number="C15",
        name="Idempotency key",
        scope="principal",
        codes=(Code.IDEMPOTENCY_DIVERGED,),
        cells=(Say.REFUSE,) * 4,
        where="`order/intent/accept.py`, before anything is judged",
        default="for ever",
    ),
    Entry(
        number="C16",
        name="Self-trade",
        scope="account, all agents' orders",
        codes=(_LIMIT, _MISSING),
        default="on; an exit's way is cleared first",
    ),
    Entry(number="C17", name="Allow- and deny-list", scope="symbol", codes=(_LIMIT,)),
    Entry(
        number="C18",
        name="No accidental short, no flip",
        scope="position",
        codes=(
            *(Code.EXCEEDS_POSITION, Code.SHORT_NOT_ALLOWED, Code.STOP_REQUIRED),
            _MISSING,
        ),
        default="on",
    ),
    Entry(
        number="C19",
        name="Protective stop",
        scope="order",
        codes=(Code.STOP_REQUIRED, Code.INVALID_STOPS, _LIMIT, _MISSING),
    ),
    Entry(
        number="C20",
        name="Market state, trade mode, rollover, releases",
        scope="symbol; venue",
        codes=(Code.MARKET_CLOSED, _MISSING),
        default="on",
    ),
    Entry(
        number="C21",
        name="Account identity",
        scope="account",
        codes=(_MISSING, Code.RESOURCE_NOT_FOUND),
        default="on",
    ),
    Entry(
        number="C22",
        name="Live arming",
        scope="account",
        codes=(Code.LIVE_NOT_ARMED, _LIMIT, _MISSING),
        where="`order/arming.py` keeps who armed it, for how long and by which proof",
        default="off",
    ),
    Entry(
        number="C23",
        name="Human approval",
        scope="order",
        codes=(_LIMIT, Code.STOP_REQUIRED, Code.INVALID_ARGUMENT, _MISSING),
    ),
    Entry(
        number="C24",
        name="Kill switch",
        scope="global; account; agent; symbol",
        codes=(Code.KILL_SWITCH_ACTIVE,),
        default="released",
    ),
    Entry(
        number="C25",
        name="Cancel on disconnect",
        scope="venue link",
        cells=_NEVER,
        where="`order/deadman.py`: once the venue is reached again, what opens and rested through "
        "the silence is cancelled, protection never; no venue here cancels by itself",
        default="off, opt-in `link.cancel_on_disconnect`; 60 s",
    ),
    Entry(
        number="C26",
        name="Clocks and own pace",
        scope="gateway; venue",
        codes=(Code.NOT_READY, _MISSING),
    ),
    Entry(
        number="C27",
        name="Reconciliation, halts in force",
        scope="account",
        codes=(Code.HALTED,),
        where="`order/reconcile/` compares with the venue's books, `order/radar.py` finds what is "
        "not ours and money nothing explains; the rule is the halt",
        default="on",
    ),
    Entry(
        number="C28",
        name="Unknown openings",
        scope="symbol; account",
        codes=(Code.ORDER_UNKNOWN,),
    ),
    Entry(
        number="C29",
        name="Fail-closed audit",
        scope="global",
        codes=(Code.NOT_READY, _MISSING),
        where="a claim that is not durable is not sent: `order/gateway.py`; the rule keeps it so",
        default="on",
    ),
    Entry(
        number="C30",
        name="Limit changes audited",
        scope="global",
        cells=_NEVER,
        where="`order/loosen.py` seals who, old, new and the reason, and lets nothing looser in "
        "before its delay is over",
        default="on",
    ),
    Entry(
        number="C31",
        name="Segregation of duties",
        scope="principal",
        codes=(Code.FORBIDDEN,),
        cells=(Say.REFUSE, Say.NOT_APPLICABLE, Say.NOT_APPLICABLE, Say.NOT_APPLICABLE),
        where="`identity/authority.py`; `order/desk.py` takes operators alone",
        default="on",
    ),
    Entry(
        number="C32",
        name="Exits never trapped",
        scope="global",
        cells=(Say.NOT_APPLICABLE, Say.PASS, Say.PASS, Say.PASS),
        where="the lanes of this table: `order/policy/rules/lanes.py`",
        default="on",
    ),
    Entry(
        number="C33",
        name="Alerts",
        scope="global",
        cells=_NEVER,
        where="`alerts/push.py` tells the operator's phone, again until a human has taken note; "
        "`bootstrap/unanswered.py` engages the kill switch where nobody does",
        default="on; the kill switch after `notify.unanswered_s`: off",
    ),
    Entry(
        number="C34",
        name="SEBI pack",
        scope="venues that declare it",
        codes=(Code.NOT_READY, _MISSING),
    ),
    Entry(
        number="C35",
        name="One version",
        scope="all processes and agents",
        codes=(Code.NOT_READY, _MISSING),
        default="on",
    ),
    Entry(number="C36", name="Stress loss", scope="account", codes=(_LIMIT, _MISSING)),
)
BY_NUMBER: Final = {entry.number: entry for entry in CONTROLS}
