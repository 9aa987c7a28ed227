"""What stands between a terminal and a trade, each with the next click. It changes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from ordergate.adapters.venues.mt5 import codes
from ordergate.adapters.venues.mt5.client import Package
from ordergate.adapters.venues.mt5.link import Link
from ordergate.model.errors import DataUnavailable, GateError, NotSupported

PASS, WARN, FAIL = "PASS", "WARN", "FAIL"
LOOKS: Final = 15  # for a quote that comes meanwhile
BETWEEN_S: Final = 0.2
AUTH_FAILED: Final = -6


@dataclass(frozen=True, slots=True)
class Check:
    level: str  # PASS, WARN or FAIL
    name: str
    message: str
    action: str = ""


async def checkup(link: Link, *, login: int | None, looks: int = LOOKS) -> list[Check]:
    """Return every finding, the first that stops all others last."""
    try:
        terminal = await link.client.read(lambda mt5: mt5.terminal_info(), "terminal")
    except NotSupported as error:
        return [Check(FAIL, "MetaTrader 5 package", error.message, error.fix)]
    except DataUnavailable as error:
        return [_unreachable(error)]
    found = [Check(PASS, "MetaTrader 5 terminal", f"{terminal.name}, build {terminal.build}")]
    try:
        account = await link.client.read(lambda mt5: mt5.account_info(), "account")
    except DataUnavailable:
        return [*found, _NOT_SIGNED_IN]
    if not account.login:
        return [*found, _NOT_SIGNED_IN]
    found += [_account(account, login), *_switches(terminal, account)]
    found += await _symbols(link)
    found.append(await _clock(link, looks))
    return found


_NOT_SIGNED_IN: Final = Check(
    FAIL,
    "MetaTrader 5 account",
    "the terminal is not signed in to an account",
    "in the terminal: File, Login to Trade Account",
)


def _unreachable(error: GateError) -> Check:
    if error.details.get("mt5_error") == AUTH_FAILED:
        return _NOT_SIGNED_IN
    return Check(
        FAIL,
        "MetaTrader 5 terminal",
        f"is not running, or does not answer: {error.message}",
        "start the terminal on this machine, as the same user, and sign in",
    )


def _account(account: Any, login: int | None) -> Check:
    if login is not None and account.login != login:
        return Check(
            FAIL,
            "MetaTrader 5 account",
            f"the terminal is on {account.login}, the settings name {login}",
            f"in the terminal: File, Login to Trade Account, {login}; or correct mt5.login",
        )
    if account.trade_mode == codes.DEMO:
        return Check(PASS, "MetaTrader 5 account", f"{account.login} at {account.server}: demo")
    return Check(
        WARN,
        "MetaTrader 5 account",
        f"{account.login} at {account.server} moves real money",
        "read docs/how-to/arm-live.md, or sign in to a demo account",
    )


def _switches(terminal: Any, account: Any) -> list[Check]:
    """Say what forbids trading: five different switches in five different places."""
    rows = (
        (
            terminal.connected,
            "connection to the broker",
            "there is none",
            "in the terminal: click the connection bars at the bottom right, Rescan servers",
        ),
        (
            terminal.trade_allowed,
            "AlgoTrading button",
            "is off",
            "in the terminal: press AlgoTrading in the toolbar, so that it is green",
        ),
        (
            not terminal.tradeapi_disabled,
            "Python API",
            "is disabled in the terminal",
            "in the terminal: Tools, Options, Expert Advisors: untick 'Disable automated trading"
            " via external Python API'",
        ),
        (
            account.trade_allowed,
            "trading password",
            "the account is signed in with the investor (read-only) password, or cannot trade",
            "in the terminal: File, Login to Trade Account, with the master password",
        ),
        (
            account.trade_expert,
            "programs at this broker",
            "the broker lets no programs trade on this account",
            "ask the broker to allow Expert Advisors, or use another account",
        ),
    )
    return [
        Check(PASS, name, "as it must be") if good else Check(FAIL, name, message, action)
        for good, name, message, action in rows
    ]


async def _symbols(link: Link) -> list[Check]:
    def read(mt5: Package) -> list[tuple[str, Any]]:
        return [(name, mt5.symbol_info(name)) for name in link.symbols]

    found = []
    for name, info in await link.client.read(read, "symbols"):
        if info is None:
            action = "write it as the broker does (EURUSD.m?) in mt5.symbols"
            found.append(Check(FAIL, name, "the broker has no such symbol", action))
        elif not info.select:
            action = "in the terminal: Ctrl+M, Show; a gateway that starts does it by itself"
            found.append(Check(WARN, name, "is not in Market Watch", action))
        else:
            found.append(Check(PASS, name, "is in Market Watch"))
    return found


async def _clock(link: Link, looks: int) -> Check:
    name = "broker's clock"
    for _ in range(looks):
        await link.ticks()
        known = link.clock.known
        if known is not None and known.source.value != "configured":
            break
        await asyncio.sleep(BETWEEN_S)
    known = link.clock.known
    if known is None:
        action = "wait for the market to open, or set mt5.broker_utc_offset_minutes"
        return Check(WARN, name, "how far it is ahead of UTC is not known: nothing opens", action)
    minutes = int(known.ahead.total_seconds() // 60)
    return Check(PASS, name, f"{minutes:+d} minutes from UTC ({known.source.value})")
