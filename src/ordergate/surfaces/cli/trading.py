"""Commands about orders: place, modify, cancel, close, wait, draft, withdraw, show; risk check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from ordergate.surfaces.cli.exits import exit_of_order
from ordergate.surfaces.cli.policy_screen import draw_limits
from ordergate.surfaces.cli.screen import (
    Draw,
    Json,
    checklist,
    in_commands,
    pairs,
    plain,
    show,
    summary,
)
from ordergate.surfaces.cli.session import TokenFile, session

Side = Annotated[str, typer.Argument(help="buy or sell")]
SymbolName = Annotated[str, typer.Argument(help="For example EURUSD.")]
Quantity = Annotated[str, typer.Argument(help="Lots, for example 0.10.")]
Type = Annotated[
    str | None, typer.Option("--type", help="market limit stop stop_limit trailing_stop")
]
LimitPrice = Annotated[str | None, typer.Option("--limit", help="Limit price.")]
StopPrice = Annotated[str | None, typer.Option("--stop", help="Price that triggers a stop order.")]
TrailAmount = Annotated[str | None, typer.Option("--trail", help="Trailing distance, in price.")]
TrailPercent = Annotated[str | None, typer.Option(help="Trailing distance, in percent.")]
StopLoss = Annotated[str | None, typer.Option("--sl", help="Protective stop.")]
TakeProfit = Annotated[str | None, typer.Option("--tp", help="Target.")]
TimeInForce = Annotated[str | None, typer.Option("--tif", help="gtc day gtd ioc fok")]
GoodTill = Annotated[str | None, typer.Option(help="For gtd: 2026-01-07T14:00:00Z.")]
ReduceOnly = Annotated[bool, typer.Option("--reduce-only", help="Never open or turn a position.")]
Oco = Annotated[str | None, typer.Option("--oco", help="One cancels the other: the group's name.")]
Strategy = Annotated[str | None, typer.Option(help="A name to find the order by.")]
Note = Annotated[str | None, typer.Option(help="Your words, shown to the operator as untrusted.")]
Key = Annotated[str | None, typer.Option("--key", help="Idempotency key: repeating is safe.")]
OrderId = Annotated[str | None, typer.Option("--order", help="Our order id.")]
VenueOrderId = Annotated[str | None, typer.Option("--venue-order", help="The venue's order id.")]
PositionId = Annotated[str | None, typer.Option("--position", help="A position's id.")]
OfSymbol = Annotated[str | None, typer.Option("--symbol", help="Symbol it belongs to.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show every rule with its numbers.")]
REMOVE = "none"

order_app = typer.Typer(no_args_is_help=True, help="Place, change, end and watch orders.")
risk_app = typer.Typer(no_args_is_help=True, help="Ask the policy without sending anything.")


def register(app: typer.Typer) -> None:
    app.add_typer(order_app, name="order")
    app.add_typer(risk_app, name="risk")


def _terms_command(
    tool: str, *, acts: bool, draw: Callable[[bool], Draw], help_text: str
) -> Callable[..., None]:
    """Return the command that names a new order's terms and gives them to `tool`."""

    def command(
        context: typer.Context,
        symbol: SymbolName,
        side: Side,
        quantity: Quantity,
        order_type: Type = None,
        limit_price: LimitPrice = None,
        stop_price: StopPrice = None,
        trail_amount: TrailAmount = None,
        trail_percent: TrailPercent = None,
        stop_loss: StopLoss = None,
        take_profit: TakeProfit = None,
        time_in_force: TimeInForce = None,
        good_till: GoodTill = None,
        reduce_only: ReduceOnly = False,
        oco_group: Oco = None,
        strategy: Strategy = None,
        note: Note = None,
        key: Key = None,
        token_file: TokenFile = None,
        verbose: Verbose = False,
        as_json: Json = False,
    ) -> None:
        answer = session(context).call(
            tool,
            token_file=token_file,
            acts=acts,
            symbol=symbol,
            side=side,
            quantity=quantity,
            order_type=order_type,
            limit_price=limit_price,
            stop_price=stop_price,
            trail_amount=trail_amount,
            trail_percent=trail_percent,
            stop_loss=stop_loss,
            take_profit=take_profit,
            time_in_force=time_in_force,
            good_till=good_till,
            reduce_only=reduce_only or None,
            oco_group=oco_group,
            strategy=strategy,
            note=note,
            idempotency_key=key,
        )
        show(answer, as_json=as_json, draw=draw(verbose), exit_code=exit_of_order)

    command.__doc__ = help_text
    return command


@order_app.command()
def modify(
    context: typer.Context,
    order_id: OrderId = None,
    venue_order_id: VenueOrderId = None,
    position_id: PositionId = None,
    symbol: OfSymbol = None,
    stop_loss: Annotated[str | None, typer.Option("--sl", help="New stop; none = away.")] = None,
    take_profit: Annotated[
        str | None, typer.Option("--tp", help="New target; none = away.")
    ] = None,
    limit_price: LimitPrice = None,
    stop_price: StopPrice = None,
    quantity: Annotated[str | None, typer.Option(help="New size in lots.")] = None,
    note: Note = None,
    key: Key = None,
    token_file: TokenFile = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Change a resting order, or a position's stop and target. Tightening needs no yes."""
    removed = {
        name: None
        for name, value in (("stop_loss", stop_loss), ("take_profit", take_profit))
        if value == REMOVE
    }
    answer = session(context).call(
        "modify_order",
        token_file=token_file,
        acts=True,
        removed=removed,
        order_id=order_id,
        venue_order_id=venue_order_id,
        position_id=position_id,
        symbol=symbol,
        stop_loss=stop_loss,
        take_profit=take_profit,
        limit_price=limit_price,
        stop_price=stop_price,
        quantity=quantity,
        note=note,
        idempotency_key=key,
    )
    show(answer, as_json=as_json, draw=order_as(verbose), exit_code=exit_of_order)


@order_app.command()
def cancel(
    context: typer.Context,
    order_id: Annotated[str | None, typer.Argument(help="Our order id.")] = None,
    venue_order_id: VenueOrderId = None,
    symbol: OfSymbol = None,
    note: Note = None,
    key: Key = None,
    token_file: TokenFile = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Cancel a resting order."""
    answer = session(context).call(
        "cancel_order",
        token_file=token_file,
        acts=True,
        order_id=order_id,
        venue_order_id=venue_order_id,
        symbol=symbol,
        note=note,
        idempotency_key=key,
    )
    show(answer, as_json=as_json, draw=order_as(verbose), exit_code=exit_of_order)


@order_app.command()
def close(
    context: typer.Context,
    position_id: Annotated[str | None, typer.Argument(help="A position's id.")] = None,
    symbol: OfSymbol = None,
    quantity: Annotated[str | None, typer.Option(help="Lots; default: all of it.")] = None,
    note: Note = None,
    key: Key = None,
    token_file: TokenFile = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Close a position, all of it or a part. Never needs approval."""
    answer = session(context).call(
        "close_position",
        token_file=token_file,
        acts=True,
        position_id=position_id,
        symbol=symbol,
        quantity=quantity,
        note=note,
        idempotency_key=key,
    )
    show(answer, as_json=as_json, draw=order_as(verbose), exit_code=exit_of_order)


@order_app.command()
def wait(
    context: typer.Context,
    order_id: str,
    timeout_s: Annotated[
        int | None, typer.Option("--timeout", help="Seconds, at most 120.")
    ] = None,
    token_file: TokenFile = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Wait until an order is decided, then say where it stands."""
    answer = session(context).call(
        "wait_order", token_file=token_file, order_id=order_id, timeout_s=timeout_s
    )
    show(answer, as_json=as_json, draw=order_as(verbose), exit_code=exit_of_order)


@order_app.command("show")
def show_order(
    context: typer.Context, order_id: str, token_file: TokenFile = None, as_json: Json = False
) -> None:
    """Show one order with its checklist."""
    answer = session(context).call("get_order", token_file=token_file, order_id=order_id)
    show(answer, as_json=as_json, draw=draw_whole_order)


@order_app.command()
def withdraw(
    context: typer.Context, order_id: str, token_file: TokenFile = None, as_json: Json = False
) -> None:
    """Take back a draft or an order that waits for approval."""
    answer = session(context).call(
        "withdraw_order", token_file=token_file, acts=True, order_id=order_id
    )
    show(answer, as_json=as_json, draw=draw_order)


@risk_app.command()
def limits(context: typer.Context, token_file: TokenFile = None, as_json: Json = False) -> None:
    """Show every limit in force and which source set it."""
    answer = session(context).call("get_limits", token_file=token_file)
    show(answer, as_json=as_json, draw=draw_limits)


@risk_app.command()
def tighten(
    context: typer.Context,
    limit_name: str,
    value: str,
    reason: Annotated[str | None, typer.Option(help="Why; goes into the audit.")] = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Make a limit stricter, at once; only the operator takes it back."""
    answer = session(context).call(
        "tighten_limit",
        token_file=token_file,
        acts=True,
        limit_name=limit_name,
        value=value,
        reason=reason,
    )
    show(answer, as_json=as_json, draw=lambda found: draw_limits(found, only=limit_name))


def draw_order(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    """Draw one order: what it is, where it stands, what to do next, and its checklist."""
    yield pairs(
        f"{found['status']}  {order_line(found)}",
        [
            (name.replace("_", " "), found.get(name))
            for name in (
                "order_id",
                "filled_quantity",
                "average_price",
                "stop_loss",
                "take_profit",
                "venue_order_id",
                "position_id",
                "approval_id",
                "approve_url",
                "code",
                "venue_code",
                "mode",
                "idempotency_key",
            )
        ],
    )
    if found.get("approval"):
        yield Text(f"number to match: {found['approval']['number']:02d}")
    if found.get("replayed"):
        yield Text("this key was known: the stored answer, nothing new happened", style="dim")
    if found.get("message"):
        yield Text(in_commands(found["message"]))
    if found.get("checklist"):
        yield summary(found["checklist"])


def draw_whole_order(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    """Draw one order with every rule that was asked."""
    yield from draw_order({**found, "checklist": []})
    yield checklist(found["checklist"])


def order_as(verbose: bool) -> Draw:
    return draw_whole_order if verbose else draw_order


def order_line(order: Mapping[str, Any]) -> str:
    """Say an order in one line: side, size, symbol, kind and prices."""
    price = order.get("limit_price") or order.get("stop_price")
    words = (
        order.get("action"),
        order.get("side"),
        order.get("quantity"),
        order.get("symbol"),
        order.get("order_type"),
        f"at {price}" if price else None,
    )
    return plain(" ".join(str(word) for word in words if word))


def _judgement_as(verbose: bool) -> Draw:
    rules = checklist if verbose else summary

    def draw(found: Mapping[str, Any]) -> Iterable[RenderableType]:
        names = ("code", "lane", "notional", "risk", "reference_price", "worst_price")
        yield pairs(
            f"verdict: {found['verdict']}  {plain(found['message'])}",
            [(name.replace("_", " "), found.get(name)) for name in names],
        )
        yield rules(found["checklist"])

    return draw


order_app.command("place")(
    _terms_command(
        "place_order",
        acts=True,
        draw=order_as,
        help_text="Place an order; the policy judges it.",
    )
)
order_app.command("draft")(
    _terms_command(
        "draft_order",
        acts=True,
        draw=order_as,
        help_text="Draft an order for a human to submit.",
    )
)
risk_app.command("check")(
    _terms_command(
        "check_risk",
        acts=False,
        draw=_judgement_as,
        help_text="Judge an order by every rule; nothing is stored, nothing is sent.",
    )
)
