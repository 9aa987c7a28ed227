"""Limits in force, the judgement of an order that is not sent, and the stops an agent may pull."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ordergate.identity.authority import Act
from ordergate.model.errors import InvalidArgument
from ordergate.model.records import HaltRecord, ScopeKind
from ordergate.model.values import parse_decimal
from ordergate.model.verdicts import Judgement, Verb
from ordergate.model.views import SafetyView
from ordergate.surfaces.catalogue import requests
from ordergate.surfaces.catalogue.account import source_of
from ordergate.surfaces.catalogue.operation import READS, Example, Hints, Operation, Route, Toolset
from ordergate.surfaces.catalogue.orders import place_intent
from ordergate.surfaces.catalogue.rendering import Source, cleaned, text, time_text, verdict_item
from ordergate.surfaces.catalogue.results import (
    HaltItem,
    HaltResult,
    JudgementResult,
    LimitItem,
    LimitsResult,
    LooseningItem,
)

if TYPE_CHECKING:
    from ordergate.model.principals import Principal
    from ordergate.surfaces.catalogue.services import Services

_HEADROOM: Final = "check_risk and every order's checklist say what is left of each limit."
_MESSAGES: Final = {
    Verb.ALLOW: "It would be sent at once.",
    Verb.ASK: "It would wait for the operator's yes.",
    Verb.DENY: "It would be refused.",
}


async def limits(services: Services, asker: Principal, _: requests.Nothing) -> LimitsResult:
    return _limits(await services.gateway.safety(asker=asker))


async def tighten(services: Services, asker: Principal, request: requests.Tighten) -> LimitsResult:
    safety = await services.gateway.tighten(
        request.limit_name, parse_decimal(request.value), reason=request.reason, asker=asker
    )
    return _limits(safety)


async def check(services: Services, asker: Principal, request: requests.Terms) -> JudgementResult:
    intent = place_intent(services, request, None)
    judgement = await services.gateway.check(intent, asker=asker)
    account = await services.gateway.account(asker=asker)
    return _judgement(
        judgement,
        source=source_of(services),
        mode=account.identity.mode.value,
        venue=services.gateway.venue,
    )


async def engage(services: Services, asker: Principal, request: requests.Engage) -> HaltResult:
    scope = ScopeKind(request.scope)
    if scope is not ScopeKind.GLOBAL and request.target is None:
        raise InvalidArgument(
            f"target: is missing for scope {scope.value}",
            fix='Name the account, agent or symbol, or use scope "global".',
        )
    halt = await services.gateway.engage(
        scope=scope, target=request.target or "", reason=request.reason, asker=asker
    )
    return HaltResult(
        **_halt(halt).model_dump(),
        message="New risk is stopped here, resting opening orders are cancelled. Closing and"
        " cancelling stay possible. Only the operator releases it.",
    )


def _halt(halt: HaltRecord) -> HaltItem:
    return HaltItem(
        halt_id=halt.halt_id,
        kind=halt.kind.value,
        scope=halt.scope.value,
        target=halt.target,
        reason=cleaned(halt.reason),
        engaged_by=halt.engaged_by,
        engaged_at=time_text(halt.engaged_at),
    )


def _limits(safety: SafetyView) -> LimitsResult:
    return LimitsResult(
        killed=safety.killed,
        halts=[_halt(halt) for halt in safety.halts],
        limits=[
            LimitItem(
                name=limit.name,
                value=limit.value,
                unit=limit.unit,
                source=limit.source,
                meaning=limit.meaning,
                agents_may_tighten=limit.agents_may_tighten,
            )
            for limit in safety.limits
        ],
        loosenings=[
            LooseningItem(
                limit_name=row.limit_name,
                source=row.source or "file",
                old=row.old,
                new=row.new,
                announced_at=time_text(row.announced_at),
                effective_at=time_text(row.effective_at),
                by=row.by,
            )
            for row in safety.loosenings
            if not row.withdrawn
        ],
        policy_hash=safety.policy_hash,
        headroom=_HEADROOM,
    )


def _judgement(judgement: Judgement, *, source: Source, mode: str, venue: str) -> JudgementResult:
    decision, exposure = judgement.decision, judgement.exposure
    failed = decision.failed
    return JudgementResult(
        verdict=decision.verb.value,
        lane=decision.lane.value,
        code=None if failed is None or failed.code is None else failed.code.value,
        message=failed.message if failed and failed.message else _MESSAGES[decision.verb],
        checklist=[verdict_item(verdict) for verdict in decision.verdicts],
        notional=None if exposure is None else text(exposure.notional),
        risk=None if exposure is None else text(exposure.risk),
        reference_price=None if exposure is None else text(exposure.reference_price),
        worst_price=None if exposure is None else text(exposure.worst_price),
        band_low=text(judgement.band_low),
        band_high=text(judgement.band_high),
        source=source.name,
        synthetic=source.synthetic,
        mode=mode,
        venue=venue,
    )


OPERATIONS: Final = (
    Operation(
        name="get_limits",
        summary="Limits in force with their source, halts and kill switch.",
        act=Act.READ_SAFETY,
        request=requests.Nothing,
        result=LimitsResult,
        toolset=Toolset.RISK,
        hints=READS,
        route=Route(method="GET", path="/limits"),
        handler=limits,
        examples=(Example(name="plain", arguments={}),),
    ),
    Operation(
        name="check_risk",
        summary="Judge an order without sending or storing it: every rule's verdict, number and"
        " headroom.",
        act=Act.READ_ACCOUNT,
        request=requests.Terms,
        result=JudgementResult,
        toolset=Toolset.RISK,
        hints=READS,
        route=Route(method="POST", path="/risk/check", aliases=(("POST", "/risk/check"),)),
        handler=check,
        examples=(
            Example(
                name="small",
                arguments={
                    "symbol": "EURUSD",
                    "side": "buy",
                    "quantity": "0.05",
                    "stop_loss": "1.07",
                },
            ),
        ),
    ),
    Operation(
        name="engage_kill_switch",
        summary="Stop all new risk in a scope and cancel resting opening orders; exits stay"
        " possible. Only the operator releases it.",
        act=Act.ENGAGE_KILL,
        request=requests.Engage,
        result=HaltResult,
        toolset=Toolset.RISK,
        hints=Hints(read_only=False, destructive=True, idempotent=True),
        route=Route(method="POST", path="/killswitch", aliases=(("POST", "/killswitch/trigger"),)),
        handler=engage,
        acts=True,
        urgent=True,
        examples=(Example(name="everything", arguments={"reason": "prices look wrong"}),),
    ),
    Operation(
        name="tighten_limit",
        summary="Make one limit stricter, at once. Nothing here can loosen one.",
        act=Act.TIGHTEN,
        request=requests.Tighten,
        result=LimitsResult,
        toolset=Toolset.RISK,
        hints=Hints(read_only=False, destructive=False, idempotent=True),
        route=Route(method="POST", path="/limits/tighten"),
        handler=tighten,
        acts=True,
        urgent=True,
        examples=(
            Example(
                name="risk",
                arguments={"limit_name": "risk_per_trade_fraction", "value": "0.005"},
            ),
        ),
    ),
)
