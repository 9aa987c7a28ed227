"""The operator's yes and no: asks, drafts, parked orders, tightenings. They sign in over HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from ordergate.model.errors import Code
from ordergate.surfaces.cli.doors import Envelope, OperatorDoor, failure
from ordergate.surfaces.cli.exits import exit_of_order
from ordergate.surfaces.cli.looking import source_of
from ordergate.surfaces.cli.policy_screen import draw_limits
from ordergate.surfaces.cli.screen import Json, checklist, pairs, say, table
from ordergate.surfaces.cli.session import (
    OPERATOR,
    OperatorName,
    PasswordStdin,
    Reason,
    Yes,
    ask_operator,
    confirm,
)
from ordergate.surfaces.cli.trading import order_app, order_line, risk_app

approvals_app = typer.Typer(no_args_is_help=True, help="The asks that wait for a human.")


def register(app: typer.Typer) -> None:
    app.add_typer(approvals_app, name="approvals")


@approvals_app.command("list")
def list_approvals(
    context: typer.Context,
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """List the asks that wait for an answer."""
    ask_operator(
        context, lambda door: door.get("/approvals"), (name, password_stdin, as_json), _waiting
    )


@approvals_app.command("show")
def show_approval(
    context: typer.Context,
    approval_id: str,
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Show one ask in full: the order, its price band and the whole checklist."""
    ask_operator(
        context,
        lambda door: door.get(f"/approvals/{approval_id}"),
        (name, password_stdin, as_json),
        _ticket,
    )


@approvals_app.command()
def approve(
    context: typer.Context,
    approval_id: str,
    yes: Yes = False,
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Say yes to exactly the order that is shown; it is judged again and sent at once."""

    def act(door: OperatorDoor) -> Envelope:
        asked = door.get(f"/approvals/{approval_id}")
        if not asked["ok"]:
            return asked
        if not as_json:
            say(*_ticket(asked["data"]))
        confirm("Approve this order?", yes=yes, password_stdin=password_stdin, as_json=as_json)
        seen = {"fingerprint": asked["data"]["ticket"]["fingerprint"]}
        return door.act("approve", f"/approvals/{approval_id}/approve", seen)

    ask_operator(context, act, (name, password_stdin, as_json), _order, exit_code=exit_of_order)


@approvals_app.command()
def deny(
    context: typer.Context,
    approval_id: str,
    reason: Reason = "",
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Say no; the order ends."""
    ask_operator(
        context,
        lambda door: door.post(f"/approvals/{approval_id}/deny", {"reason": reason}),
        (name, password_stdin, as_json),
        _order,
    )


@order_app.command("submit-draft")
def submit_draft(
    context: typer.Context,
    order_id: str,
    yes: Yes = False,
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Submit an agent's draft as your own order."""

    def act(door: OperatorDoor) -> Envelope:
        drafts = door.get("/drafts")
        if not drafts["ok"]:
            return drafts
        draft = next((one for one in drafts["data"] if one["order_id"] == order_id), None)
        if draft is None:
            return failure(
                Code.RESOURCE_NOT_FOUND,
                "no draft has this id",
                fix="ordergate orders --scope draft",
            )
        if not as_json:
            say(*_order(draft), Text(f"price now {draft['price_now']}: {_price_source(draft)}"))
        confirm("Submit this order?", yes=yes, password_stdin=password_stdin, as_json=as_json)
        return door.act("submit the draft", f"/drafts/{order_id}/submit", {})

    ask_operator(context, act, (name, password_stdin, as_json), _order, exit_code=exit_of_order)


@order_app.command()
def resolve(
    context: typer.Context,
    order_id: str,
    placed: Annotated[
        bool,
        typer.Option("--placed/--not-placed", help="It was there and is gone; it never arrived."),
    ],
    reason: Reason,
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Say what became of a parked order: its fate could not be found out."""
    found = {"placed": placed, "reason": reason}
    ask_operator(
        context,
        lambda door: door.act("resolve", f"/orders/{order_id}/resolve", found),
        (name, password_stdin, as_json),
        _order,
    )


@order_app.command()
def parked(
    context: typer.Context,
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """List the orders whose fate you must settle."""
    ask_operator(
        context, lambda door: door.get("/parked"), (name, password_stdin, as_json), _parked
    )


@risk_app.command()
def loosen(
    context: typer.Context,
    limit_name: str,
    reason: Reason,
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Take back a limit's tightenings; after the delay ordergate.toml's number counts again."""
    ask_operator(
        context,
        lambda door: door.act("loosen", f"/limits/{limit_name}/loosen", {"reason": reason}),
        (name, password_stdin, as_json),
        lambda found: draw_limits(found, only=limit_name),
    )


@risk_app.command()
def withdraw(
    context: typer.Context,
    limit_name: str,
    reason: Reason,
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Call off a looser number that waits; the stricter one stays in force."""
    ask_operator(
        context,
        lambda door: door.post(f"/limits/{limit_name}/withdraw", {"reason": reason}),
        (name, password_stdin, as_json),
        lambda found: draw_limits(found, only=limit_name),
    )


def _parked(orders: list[Mapping[str, Any]]) -> Iterable[RenderableType]:
    if not orders:
        yield Text("no order is parked")
        return
    yield table(
        "Parked: look at the venue by the tag, then `ordergate order resolve`",
        ("order id", "order", "sent", "parked since", "tag"),
        (
            (
                one["order_id"],
                order_line(_terms(one["order"])),
                one["attempt"]["claimed_at"],
                one["attempt"]["updated_at"],
                one["attempt"]["tag"],
            )
            for one in orders
        ),
    )


def _waiting(tickets: list[Mapping[str, Any]]) -> Iterable[RenderableType]:
    if not tickets:
        yield Text("nothing waits for a yes")
        return
    yield table(
        "Waiting for a yes",
        ("approval id", "number", "order", "band", "price", "expires"),
        (
            (
                one["ticket_id"],
                one["ticket"]["number"],
                order_line(_terms(one["order"])),
                f"{one['ticket']['band_low']} .. {one['ticket']['band_high']}",
                one["price_now"],
                one["ticket"]["expires_at"],
            )
            for one in tickets
        ),
    )


def _ticket(view: Mapping[str, Any]) -> Iterable[RenderableType]:
    ticket, order = view["ticket"], view["order"]
    terms = _terms(order)
    yield pairs(
        f"Ask {ticket['number']:02d}: {order_line(terms)}",
        [
            ("approval id", view["ticket_id"]),
            ("asked by", f"{order['principal']} ({order['principal_kind']})"),
            ("side", terms.get("side")),
            ("quantity", terms.get("quantity")),
            ("symbol", terms.get("symbol")),
            ("stop loss", terms.get("stop_loss")),
            ("take profit", terms.get("take_profit")),
            ("time in force", terms.get("time_in_force")),
            ("notional", _rule(order, "order_notional").get("value")),
            ("price now", view["price_now"]),
            ("price from", _price_source(view)),
            ("price band", f"{ticket['band_low']} .. {ticket['band_high']}"),
            ("expires", ticket["expires_at"]),
            ("the asker's words (untrusted)", terms.get("note")),
        ],
    )
    yield checklist(_verdicts(order))


def _order(view: Mapping[str, Any]) -> Iterable[RenderableType]:
    attempt = view.get("attempt") or {}
    yield pairs(
        f"{view['status']}  {order_line(_terms(view['order']))}",
        [
            ("order id", view["order_id"]),
            ("mode", view["mode"]),
            ("filled", attempt.get("filled_quantity")),
            ("average price", attempt.get("average_price")),
            ("code", view["code"]),
            ("the venue's word", view["venue_code"]),
        ],
    )


def _price_source(view: Mapping[str, Any]) -> str:
    age = f", {view['price_age_s']} s old" if view["price_age_s"] is not None else ""
    return f"{source_of(view)}{age}"


def _terms(order: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"action": order["action"], **order["intent"]}


def _verdicts(order: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list((order.get("decision") or {}).get("verdicts") or ())


def _rule(order: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return next((one for one in _verdicts(order) if one["rule"] == name), {})
