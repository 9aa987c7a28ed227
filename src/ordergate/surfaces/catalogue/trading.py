"""The entries of the order operations: their names, routes and examples."""

from __future__ import annotations

from typing import Any, Final

from ordergate.identity.authority import Act
from ordergate.surfaces.catalogue import orders, requests
from ordergate.surfaces.catalogue.operation import READS, Example, Hints, Operation, Route, Toolset
from ordergate.surfaces.catalogue.results import ApprovalResult, OrderResult, OrdersResult

WAIT_DEADLINE_S: Final = 130.0
SEND_DEADLINE_S: Final = 30.0
_SMALL: Final[dict[str, Any]] = {
    "symbol": "EURUSD",
    "side": "buy",
    "quantity": "0.05",
    "stop_loss": "1.07",
    "idempotency_key": "morning-1",
}
_REST_OF_AN_ORDER: Final = "0123456789abcdef0123456789abcdef"

READING: Final = (
    Operation(
        name="list_orders",
        summary="Your orders, newest first; scope open by default.",
        act=Act.READ_ACCOUNT,
        request=requests.Orders,
        result=OrdersResult,
        toolset=Toolset.ACCOUNT,
        hints=READS,
        route=Route(method="GET", path="/orders"),
        handler=orders.many,
        examples=(Example(name="drafts", arguments={"scope": "draft"}),),
    ),
    Operation(
        name="get_order",
        summary="One order with its checklist, approval and fill state.",
        act=Act.READ_ACCOUNT,
        request=requests.OneOrder,
        result=OrderResult,
        toolset=Toolset.ACCOUNT,
        hints=READS,
        route=Route(method="GET", path="/orders/{order_id}"),
        handler=orders.one,
        examples=(Example(name="one", arguments={"order_id": _REST_OF_AN_ORDER}),),
    ),
    Operation(
        name="wait_order",
        summary="Wait until an order leaves its pending state or the time is over; then as"
        " get_order.",
        act=Act.READ_ACCOUNT,
        request=requests.Wait,
        result=OrderResult,
        toolset=Toolset.ACCOUNT,
        hints=READS,
        route=Route(method="GET", path="/orders/{order_id}/wait"),
        handler=orders.wait,
        deadline_s=WAIT_DEADLINE_S,
        examples=(
            Example(name="a minute", arguments={"order_id": _REST_OF_AN_ORDER, "timeout_s": 60}),
        ),
    ),
    Operation(
        name="get_approval",
        summary="How an approval stands, by approval_id or order_id. Reads only: the operator"
        " approves in the console.",
        act=Act.READ_ACCOUNT,
        request=requests.Approval,
        result=ApprovalResult,
        toolset=Toolset.ACCOUNT,
        hints=READS,
        route=Route(
            method="GET", path="/approvals/{approval_id}", aliases=(("POST", "/approval/create"),)
        ),
        handler=orders.approval,
        examples=(Example(name="one", arguments={"approval_id": _REST_OF_AN_ORDER}),),
    ),
)

TRADING: Final = (
    Operation(
        name="draft_order",
        summary="Draft an order for a human to submit. Nothing is sent. Terms as place_order.",
        act=Act.DRAFT,
        request=requests.Order,
        result=OrderResult,
        toolset=Toolset.ORDERS_PAPER,
        hints=Hints(read_only=False, idempotent=False),
        route=Route(method="POST", path="/drafts"),
        handler=orders.draft,
        acts=True,
        examples=(Example(name="small", arguments=_SMALL),),
    ),
    Operation(
        name="place_order",
        summary="Place an order. Judged first; may answer approval_required. A stop_loss is"
        " required to open. Repeat a call with its idempotency_key: one order, the stored answer.",
        act=Act.TRADE_PAPER,
        request=requests.Order,
        result=OrderResult,
        toolset=Toolset.ORDERS_PAPER,
        hints=Hints(read_only=False, destructive=True, idempotent=False, open_world=True),
        route=Route(method="POST", path="/orders", aliases=(("POST", "/orders/paper"),)),
        handler=orders.place,
        acts=True,
        deadline_s=SEND_DEADLINE_S,
        examples=(Example(name="small", arguments=_SMALL),),
    ),
    Operation(
        name="modify_order",
        summary="Change a resting order (order_id or venue_order_id) or a position's stop and"
        " target (position_id). Left out: kept. Widening a stop needs approval.",
        act=Act.MODIFY,
        request=requests.Modify,
        result=OrderResult,
        toolset=Toolset.ORDERS_PAPER,
        hints=Hints(read_only=False, destructive=True, idempotent=False, open_world=True),
        route=Route(method="POST", path="/orders/modify"),
        handler=orders.modify,
        acts=True,
        urgent=True,
        deadline_s=SEND_DEADLINE_S,
        examples=(Example(name="tighten", arguments={"position_id": "p1", "stop_loss": "1.0780"}),),
    ),
    Operation(
        name="cancel_order",
        summary="Cancel a resting order, by order_id or venue_order_id.",
        act=Act.CANCEL,
        request=requests.Cancel,
        result=OrderResult,
        toolset=Toolset.ORDERS_PAPER,
        hints=Hints(read_only=False, destructive=True, idempotent=True, open_world=True),
        route=Route(method="POST", path="/orders/cancel"),
        handler=orders.cancel,
        acts=True,
        urgent=True,
        deadline_s=SEND_DEADLINE_S,
        examples=(Example(name="own", arguments={"order_id": _REST_OF_AN_ORDER}),),
    ),
    Operation(
        name="close_position",
        summary="Close a position, all or a part; by position_id, or symbol where only one is"
        " open. Needs no approval.",
        act=Act.CLOSE,
        request=requests.Close,
        result=OrderResult,
        toolset=Toolset.ORDERS_PAPER,
        hints=Hints(read_only=False, destructive=True, idempotent=False, open_world=True),
        route=Route(method="POST", path="/positions/close"),
        handler=orders.close,
        acts=True,
        urgent=True,
        deadline_s=SEND_DEADLINE_S,
        examples=(Example(name="all of it", arguments={"position_id": "p1"}),),
    ),
    Operation(
        name="withdraw_order",
        summary="Take back a draft or an order that waits for approval.",
        act=Act.WITHDRAW,
        request=requests.OneOrder,
        result=OrderResult,
        toolset=Toolset.ORDERS_PAPER,
        hints=Hints(read_only=False, destructive=True, idempotent=True),
        route=Route(method="POST", path="/orders/withdraw"),
        handler=orders.withdraw,
        acts=True,
        urgent=True,
        examples=(Example(name="own", arguments={"order_id": _REST_OF_AN_ORDER}),),
    ),
)
