"""The terminal as venue and feed see it: one client, one clock, one proof of the account."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ordergate.adapters.venues.mt5 import codes
from ordergate.adapters.venues.mt5.broker_clock import BrokerClock
from ordergate.adapters.venues.mt5.client import Client, Package
from ordergate.model.accounts import AccountIdentity, Mode
from ordergate.model.errors import DataUnavailable
from ordergate.model.values import AccountId, VenueName

VENUE = VenueName("mt5")


def account_id(login: int) -> AccountId:
    return AccountId(f"mt5-{login}")


def identity(account: Any, terminal: Any, *, simulated: bool) -> AccountIdentity:
    """Return who the terminal says it is: only a demo account is one; a contest counts as live."""
    mode = Mode.DEMO if account.trade_mode == codes.DEMO else Mode.LIVE
    words = {codes.DEMO: "demo", codes.CONTEST: "contest", codes.REAL: "real"}
    told = words.get(account.trade_mode, f"unknown ({account.trade_mode})")
    where = "simulated terminal" if simulated else f"{account.company}, {account.server}"
    return AccountIdentity(
        account=account_id(account.login),
        venue=VENUE,
        mode=mode,
        proof=f"MetaTrader 5 trade_mode: {told}; login {account.login} at {where}",
        trade_allowed=bool(
            terminal.connected
            and terminal.trade_allowed
            and not terminal.tradeapi_disabled
            and account.trade_allowed
            and account.trade_expert
        ),
        simulated=simulated,
    )


class Link:
    """Ticks are read for all symbols at once; what they tell of the broker's clock is kept."""

    def __init__(
        self,
        client: Client,
        *,
        now: Callable[[], datetime],
        symbols: Sequence[str],
        offset: timedelta | None = None,
        simulated: bool = False,
    ) -> None:
        self.client = client
        self.now = now
        self.symbols = tuple(symbols)
        self.clock = BrokerClock(offset)
        self.simulated = simulated

    async def select(self) -> None:
        """Put the symbols into Market Watch: outside of it they have no quotes."""
        await self.client.read(
            lambda mt5: [mt5.symbol_select(name, True) for name in self.symbols], "Market Watch"
        )

    async def ticks(self) -> Mapping[str, Any]:
        """Return the newest quote of each symbol that has one."""

        def read(mt5: Package) -> dict[str, Any]:
            found = {name: mt5.symbol_info_tick(name) for name in self.symbols}
            return {name: tick for name, tick in found.items() if tick is not None}

        seen = await self.client.read(read, "quotes")
        self.clock.see({name: tick.time_msc for name, tick in seen.items()}, self.now())
        return seen

    def ahead(self) -> timedelta:
        """Return the broker's clock less UTC; raises DataUnavailable while it is not known."""
        known = self.clock.known
        if known is None:
            raise DataUnavailable(
                "how far the broker's clock is ahead of UTC is not known yet",
                fix="wait for a quote, or set mt5.broker_utc_offset_minutes",
            )
        return known.ahead

    def shown_ahead(self) -> timedelta:
        """Return the offset for times that are only shown; 0 while it is not known."""
        known = self.clock.known
        return timedelta() if known is None else known.ahead


async def proof(link: Link) -> AccountIdentity:
    """Return the account the terminal is signed in to."""

    def read(mt5: Any) -> tuple[Any, Any] | None:
        account, terminal = mt5.account_info(), mt5.terminal_info()
        return None if account is None or terminal is None else (account, terminal)

    account, terminal = await link.client.read(read, "account")
    return identity(account, terminal, simulated=link.simulated)
