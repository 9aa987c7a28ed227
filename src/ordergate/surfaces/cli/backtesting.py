"""`ordergate backtest run`: one strategy on stored bars, costs and refusals beside the result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from ordergate.model.errors import GateError
from ordergate.surfaces.cli.doors import Envelope, success
from ordergate.surfaces.cli.screen import Json, pairs, plain, show
from ordergate.surfaces.cli.session import envelope_of, session
from ordergate.surfaces.cli.starts import RunWanted

backtest_app = typer.Typer(no_args_is_help=True, help="Backtests on stored bars.")


Parameters = Annotated[list[str] | None, typer.Option("--set", help="Of the strategy: fast=10")]
LongWhen = Annotated[str | None, typer.Option("--rule", "--long-when", help="Own rule to buy.")]
Program = Annotated[Path | None, typer.Option(help="A file of yours with a class Strategy.")]


def register(app: typer.Typer) -> None:
    app.add_typer(backtest_app, name="backtest")


@backtest_app.callback()
def _group() -> None:
    """Backtests on stored bars."""


@backtest_app.command("run")
def run(
    context: typer.Context,
    symbols: Annotated[
        list[str], typer.Argument(help="Such as EURUSD; several share the account.")
    ],
    strategy: Annotated[str | None, typer.Option(help="Default: rule_baseline.")] = None,
    parameter: Parameters = None,
    long_when: LongWhen = None,
    short_when: Annotated[str | None, typer.Option(help="Own rule to sell.")] = None,
    program: Program = None,
    style: Annotated[str, typer.Option(help="bracket, reverse or target.")] = "bracket",
    venue: Annotated[str, typer.Option(help="As in `ordergate data list`.")] = "file",
    timeframe: Annotated[str, typer.Option(help="M1 M5 M15 M30 H1 H4 D1")] = "H1",
    begin: Annotated[str | None, typer.Option("--from", help="2020-01-31, UTC.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Excluded.")] = None,
    size: Annotated[str, typer.Option(help="Lots, percent of risk, or money.")] = "0.1",
    size_by: Annotated[str, typer.Option(help="lots, risk or notional.")] = "lots",
    balance: Annotated[str, typer.Option(help="At the beginning.")] = "100000",
    currency: Annotated[str, typer.Option(help="Of the account.")] = "USD",
    spread: Annotated[str | None, typer.Option(help="Points, for bars of one side.")] = None,
    slippage: Annotated[str, typer.Option(help="Points, market and stop orders.")] = "0",
    commission: Annotated[str | None, typer.Option(help="Per lot and side.")] = None,
    commission_rate: Annotated[str, typer.Option(help="Of the notional and side.")] = "0",
    swap: Annotated[bool, typer.Option(help="Charge the nights.")] = True,
    scale: Annotated[str, typer.Option(help="Of all costs: 0, 1, 1.5, 2.")] = "1",
    delay_bars: Annotated[int, typer.Option(help="Bars between decision and fill, more.")] = 0,
    delay_ms: Annotated[int, typer.Option(help="Milliseconds between decision and fill.")] = 0,
    wait: Annotated[bool, typer.Option(help="Orders wait while the market is closed.")] = False,
    gate: Annotated[bool, typer.Option(help="Refuse what the gate's limits refuse.")] = True,
    as_json: Json = False,
) -> None:
    """Backtest a strategy on stored bars, with every cost."""
    wanted = RunWanted(
        symbols=tuple(symbols),
        venue=venue,
        timeframe=timeframe,
        strategy=strategy,
        parameters=tuple(parameter or ()),
        long_when=long_when,
        short_when=short_when,
        program=program,
        style=style,
        begin=begin,
        end=end,
        size=size,
        size_by=size_by,
        balance=balance,
        currency=currency,
        spread=spread,
        slippage=slippage,
        commission=commission,
        commission_rate=commission_rate,
        swap=swap,
        scale=scale,
        delay_bars=delay_bars,
        delay_ms=delay_ms,
        wait=wait,
        gate=gate,
    )
    show(_answer(context, wanted), as_json=as_json, draw=_result)


def _answer(context: typer.Context, wanted: RunWanted) -> Envelope:
    try:
        return success(session(context).starts.backtest(wanted))
    except GateError as error:
        return envelope_of(error)


def _result(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    parts, low_high = found["parts"], found["band"]
    title = f"{' '.join(found['symbols'])} {found['timeframe']} {found['venue']}"
    yield pairs(
        f"{title}, {found['strategy']} ({found['style']}), in {found['currency']}",
        [
            ("bars", f"{found['bars']}, {found['first']} to {found['last']}"),
            ("net", found["net"]),
            ("of closed trades", found["closed_net"]),
            ("drawdown", found["drawdown"]),
            ("trades", f"{found['trades']}, {found['won']} won"),
            ("still open, marked", found["open_trades"]),
            ("before costs", parts["gross"]),
            ("spread", parts["spread"]),
            ("slippage", parts["slippage"]),
            ("delay", parts["delay"]),
            ("commission", parts["commission"]),
            ("swap, as credited", parts["swap"]),
            ("refused", ", ".join(f"{code} {n}" for code, n in found["refused"].items())),
            ("stop-outs", found["stop_outs"] or None),
            ("ambiguous bars", found["ambiguous"]),
            ("trials on this data", found["trials"]),
            (
                "net, stops or targets first",
                None if not found["ambiguous"] else " or ".join(low_high),
            ),
        ],
    )
    for words in found["leakage"]:
        yield Text(plain(words), style="bold red")
    how = "compiled" if found["compiled"] else "plain Python; the extra `research` compiles it"
    yield Text(f"engine {found['engine']}, {how}; data {found['data_sha256'][:12]}", style="dim")
