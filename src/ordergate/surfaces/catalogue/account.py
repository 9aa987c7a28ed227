"""Reading what is held and what happened: status, account, positions, fills, audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ordergate.identity.authority import Act, allowed
from ordergate.model.accounts import Mode
from ordergate.model.errors import DataUnavailable, NotFound
from ordergate.model.records import AuditRow
from ordergate.model.values import OrderId, plain
from ordergate.model.views import AccountView
from ordergate.surfaces.catalogue import requests
from ordergate.surfaces.catalogue.operation import READS, Example, Operation, Route, Toolset
from ordergate.surfaces.catalogue.rendering import (
    Source,
    fill_items,
    live_warning,
    masked,
    position_item,
    resting_item,
    text,
    time_text,
)
from ordergate.surfaces.catalogue.results import (
    AccountResult,
    AuditItem,
    AuditResult,
    FillsResult,
    PositionItem,
    PositionsResult,
    RestingOrderItem,
    StatusResult,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordergate.model.principals import Principal
    from ordergate.surfaces.catalogue.services import Services

AUDIT_LOOK_BACK: Final = 500  # newest records searched for an agent's own
SECTION_MAX: Final = 50  # rows of each part of get_account


def source_of(services: Services) -> Source:
    market = services.market
    return Source(market.source, market.synthetic, market.venue_now())


async def status(services: Services, asker: Principal, _: requests.Nothing) -> StatusResult:
    gate = services.status()
    source = source_of(services)
    safety = await services.gateway.safety()
    problems = list(gate.problems)
    mode: Mode | None = None
    try:
        mode = (await services.gateway.account(asker=asker)).identity.mode
    except DataUnavailable as unreadable:
        problems.append(f"the venue cannot be read: {unreadable.message}")
    return StatusResult(
        version=gate.version,
        ready=gate.ready,
        started_at=time_text(gate.started_at),
        venue=services.gateway.venue,
        account=masked(services.gateway.account_id, mode),
        mode=None if mode is None else mode.value,
        source=source.name,
        synthetic=source.synthetic,
        venue_time=time_text(source.now),
        replay_paused=gate.paused,
        replay_speed=text(gate.speed),
        killed=safety.killed,
        halts=len(safety.halts),
        you=asker.id,
        your_kind=asker.kind.value,
        may_trade_paper=allowed(asker.kind, Act.TRADE_PAPER),
        console_url=gate.console_url,
        problems=problems,
    )


async def account(services: Services, asker: Principal, request: requests.Account) -> AccountResult:
    view = await services.gateway.account(asker=asker)
    identity, state = view.identity, view.state
    source = Source(view.source, view.synthetic, services.market.venue_now())
    held = _positions(view, source) if request.section in ("all", "positions") else None
    resting = _resting(view) if request.section in ("all", "orders") else None
    return AccountResult(
        account=masked(identity.account, identity.mode),
        venue=identity.venue,
        mode=identity.mode.value,
        proof=identity.proof,
        warning=live_warning(identity.mode),
        currency=state.currency,
        balance=plain(state.balance),
        equity=plain(state.equity),
        margin_used=plain(state.margin_used),
        margin_free=plain(state.margin_free),
        open_pnl=plain(state.open_pnl),
        realised_today=plain(state.realised_today),
        day=state.day.isoformat(),
        day_start_equity=text(state.day_start_equity),
        positions=held and held[:SECTION_MAX],
        open_orders=resting and resting[:SECTION_MAX],
        left_out=sum(max(0, len(rows) - SECTION_MAX) for rows in (held or [], resting or [])),
        source=source.name,
        synthetic=source.synthetic,
        as_of=time_text(state.time),
        age_s=source.age(state.time),
    )


def _resting(view: AccountView) -> list[RestingOrderItem]:
    return [
        resting_item(item, identity=view.identity, external=item.venue_order_id in view.external)
        for item in view.open_orders
    ]


def _positions(view: AccountView, source: Source) -> list[PositionItem]:
    return [
        position_item(
            item,
            identity=view.identity,
            external=item.position_id in view.external,
            source=source,
        )
        for item in sorted(view.positions, key=lambda position: position.position_id)
    ]


async def positions(
    services: Services, asker: Principal, request: requests.Positions
) -> PositionsResult:
    view = await services.gateway.account(asker=asker)
    source = Source(view.source, view.synthetic, view.state.time)
    items = [
        item
        for item in _positions(view, source)
        if request.symbol in (None, item.symbol)
        and (request.cursor is None or item.position_id > request.cursor)
    ]
    page = items[: request.limit]
    more = len(items) > len(page)
    return PositionsResult(positions=page, next_cursor=page[-1].position_id if more else None)


async def fills(services: Services, asker: Principal, request: requests.Fills) -> FillsResult:
    page = await services.gateway.fills(limit=request.limit, cursor=request.cursor, asker=asker)
    view = await services.gateway.account(asker=asker)
    return FillsResult(
        fills=fill_items(page.items, identity=view.identity, source=source_of(services)),
        next_cursor=page.next_cursor,
    )


async def audit(services: Services, asker: Principal, request: requests.Audit) -> AuditResult:
    sees_all = allowed(asker.kind, Act.READ_AUDIT)
    # The newest records are mostly others': look further back for the asker's own.
    newest = request.after is None and not sees_all
    rows = await services.audit(
        after=request.after,
        limit=AUDIT_LOOK_BACK if newest else request.limit,
        kind=request.kind,
        corr=request.order_id,
    )
    visible = list(rows) if sees_all else await _own(services, asker, rows)
    more = request.after is not None and len(rows) == request.limit
    visible = visible[-request.limit :]
    return AuditResult(
        records=[
            AuditItem(
                seq=row.seq,
                time=time_text(row.ts),
                kind=row.kind,
                actor=row.actor,
                about=row.corr,
                body=row.body,
                hash=row.h,
            )
            for row in visible
        ],
        next_after=rows[-1].seq if more else None,
    )


async def _own(services: Services, asker: Principal, rows: Sequence[AuditRow]) -> list[AuditRow]:
    """Return the records an agent made, and those of its orders."""
    theirs: dict[str, bool] = {}
    for row in rows:
        if row.actor != asker.id and row.corr not in theirs:
            theirs[row.corr] = await _is_order_of(services, asker, row.corr)
    return [row for row in rows if row.actor == asker.id or theirs[row.corr]]


async def _is_order_of(services: Services, asker: Principal, order_id: str) -> bool:
    try:
        order = (await services.gateway.status(OrderId(order_id), asker=asker)).order
    except NotFound:
        return False
    return asker.id in (order.principal, order.drafted_by)


OPERATIONS: Final = (
    Operation(
        name="get_status",
        summary="Start here: mode, venue, price source, kill switch, who you are, what you may do.",
        act=Act.READ_MARKET,
        request=requests.Nothing,
        result=StatusResult,
        toolset=Toolset.ACCOUNT,
        hints=READS,
        route=Route(method="GET", path="/status"),
        handler=status,
        examples=(Example(name="plain", arguments={}),),
    ),
    Operation(
        name="get_account",
        summary="Balance, equity, margin and day's result; `section` adds positions or resting"
        " orders.",
        act=Act.READ_ACCOUNT,
        request=requests.Account,
        result=AccountResult,
        toolset=Toolset.ACCOUNT,
        hints=READS,
        route=Route(method="GET", path="/account"),
        handler=account,
        examples=(Example(name="everything", arguments={"section": "all"}),),
    ),
    Operation(
        name="get_positions",
        summary="Open positions. `external`: opened around the gate.",
        act=Act.READ_ACCOUNT,
        request=requests.Positions,
        result=PositionsResult,
        toolset=Toolset.ACCOUNT,
        hints=READS,
        route=Route(method="GET", path="/positions"),
        handler=positions,
        examples=(Example(name="all", arguments={}),),
    ),
    Operation(
        name="list_fills",
        summary="Executions, newest first. `origin`: gate, venue (a stop fired) or external.",
        act=Act.READ_ACCOUNT,
        request=requests.Fills,
        result=FillsResult,
        toolset=Toolset.ACCOUNT,
        hints=READS,
        route=Route(method="GET", path="/fills"),
        handler=fills,
        examples=(Example(name="newest", arguments={"limit": 10}),),
    ),
    Operation(
        name="get_audit",
        summary="Sealed records of your own orders and acts: newest, or from `after` on.",
        act=Act.READ_ACCOUNT,
        request=requests.Audit,
        result=AuditResult,
        toolset=Toolset.ACCOUNT,
        hints=READS,
        route=Route(method="GET", path="/audit", aliases=(("GET", "/audit/logs"),)),
        handler=audit,
        examples=(Example(name="newest", arguments={"limit": 10}),),
    ),
)
