"""A control's voice: builds its verdicts, so that every one carries number, limit and headroom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import lru_cache
from typing import Final

from ordergate.model.errors import Code
from ordergate.model.instruments import Instrument
from ordergate.model.records import ScopeKind
from ordergate.model.values import ZERO, plain, round_down
from ordergate.model.verdicts import Finding, RuleVerdict

MONEY: Final = "account currency"  # the unit of money; the checklist names the currency itself
CENT: Final = Decimal("0.01")
QUIET_MAX: Final = 512  # verdicts remembered
MILLIONTH: Final = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Control:
    """A rule's name, its place in the control list, and what it measures."""

    rule: str
    number: str  # "C1".."C36"
    limit_name: str | None = None
    unit: str = ""
    halts: ScopeKind | None = None  # what a refusal stops until an operator releases it

    def passes(self, message: str = "") -> RuleVerdict:
        return _passing(self, message)

    def silent(self, message: str) -> RuleVerdict:
        """Say that the rule has nothing to look at."""
        return _silent(self, message)

    def refuses(
        self, code: Code, message: str, *, fix: str, value: Decimal | None = None
    ) -> RuleVerdict:
        said = self.says(Finding.REFUSE, code=code, message=message, fix=fix, value=value)
        return said if self.halts is None else replace(said, halts=self.halts)

    def asks(self, code: Code, message: str, *, fix: str) -> RuleVerdict:
        return self.says(Finding.ASK, code=code, message=message, fix=fix)

    def warns(
        self, code: Code, message: str, *, fix: str, value: Decimal | None = None
    ) -> RuleVerdict:
        return self.says(Finding.WARN, code=code, message=message, fix=fix, value=value)

    def lacks(self, what: str) -> RuleVerdict:
        """Refuse because a fact is missing: nothing is made up."""
        return self.says(
            Finding.REFUSE,
            code=Code.DATA_UNAVAILABLE,
            message=f"{what} is not known now",
            fix="try again in a moment; closing and cancelling do not need it",
        )

    def measured(
        self,
        *,
        value: Decimal,
        limit: Decimal,
        room: Decimal,
        broken: bool,
        message: str,
        fix: Callable[[], str],
        code: Code = Code.EXCEEDS_LOCAL_LIMIT,
        finding: Finding = Finding.REFUSE,
    ) -> RuleVerdict:
        """Return the verdict of a number against its limit; `fix` is asked only when broken."""
        return RuleVerdict(
            rule=self.rule,
            control=self.number,
            finding=finding if broken else Finding.PASS,
            code=code if broken else None,
            limit_name=self.limit_name,
            value=value,
            limit=limit,
            headroom=max(room, ZERO),
            unit=self.unit,
            message=message,
            fix=fix() if broken else "",
            halts=self.halts if broken else None,
        )

    def says(
        self,
        finding: Finding,
        *,
        code: Code | None = None,
        message: str = "",
        fix: str = "",
        value: Decimal | None = None,
    ) -> RuleVerdict:
        return RuleVerdict(
            rule=self.rule,
            control=self.number,
            finding=finding,
            code=code,
            limit_name=self.limit_name,
            value=value,
            unit=self.unit,
            message=message,
            fix=fix,
        )


@lru_cache(maxsize=QUIET_MAX)  # most rules say the same of most orders
def _passing(control: Control, message: str) -> RuleVerdict:
    return control.says(Finding.PASS, message=message)


@lru_cache(maxsize=QUIET_MAX)
def _silent(control: Control, message: str) -> RuleVerdict:
    return control.says(Finding.NOT_ASKED, message=message)


def counted(
    control: Control, *, used: int, limit: Decimal, what: str, fix: str, code: Code
) -> RuleVerdict:
    """Return the verdict of one more against a cap on a number of things."""
    value = Decimal(used + 1)
    return control.measured(
        value=value,
        limit=limit,
        room=limit - used,
        broken=value > limit,
        message=f"{what}: {used} so far, at most {plain(limit)}",
        fix=lambda: fix,
        code=code,
    )


def cents_up(amount: Decimal) -> Decimal:
    """Round money up to the cent, for what an order uses."""
    return amount.quantize(CENT, ROUND_CEILING)


def cents_down(amount: Decimal) -> Decimal:
    """Round money down to the cent, for limits and what is left of them."""
    return amount.quantize(CENT, ROUND_FLOOR)


def fraction(amount: Decimal) -> Decimal:
    """Round a share to six decimals, for display."""
    return amount.quantize(MILLIONTH, ROUND_CEILING)


def fraction_left(amount: Decimal) -> Decimal:
    """Round what is left of a share down to six decimals."""
    return amount.quantize(MILLIONTH, ROUND_FLOOR)


def money(amount: Decimal, currency: str) -> str:
    return f"{amount:,.2f} {currency}"


def percent(share: Decimal) -> str:
    return f"{plain((share * 100).quantize(Decimal('0.0001')))} %"


def lots_that_fit(room: Decimal, *, per_lot: Decimal, instrument: Instrument) -> str:
    """Say how many lots a limit still has room for."""
    lots = round_down(max(room, ZERO) / per_lot, instrument.lot_step) if per_lot > 0 else ZERO
    if lots < instrument.lot_min:
        return "not even the smallest size fits under this limit now"
    return f"at most {plain(lots)} lots fit under this limit now"
