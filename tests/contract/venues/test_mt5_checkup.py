"""What `doctor` says of a terminal: one finding for each thing in the way, with the next click."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ordergate.adapters.venues.mt5.checkup import FAIL, PASS, WARN, Check, checkup
from ordergate.adapters.venues.mt5.client import Client, package
from ordergate.adapters.venues.mt5.link import Link
from ordergate.testing.mt5.book import AccountTerms
from ordergate.testing.mt5.constants import Constants as K
from ordergate.testing.mt5.server import Server
from ordergate.testing.mt5.terminal import SimulatedTerminal
from support.manual_market import ManualMarket
from support.paper import run


def examined(
    server: Server,
    *,
    login: int | None = None,
    offset: timedelta | None = timedelta(hours=2),
    symbols: tuple[str, ...] = ("EURUSD",),
) -> dict[str, Check]:
    market = ManualMarket()
    server.tick("EURUSD", 1.1, 1.1001, int(market.venue_now().timestamp() * 1000))
    terminal = SimulatedTerminal(server)
    link = Link(Client(lambda: terminal), now=market.venue_now, symbols=symbols, offset=offset)
    return {check.name: check for check in run(checkup(link, login=login, looks=1))}


def test_a_terminal_that_is_ready_passes_everything() -> None:
    found = examined(Server())
    assert {check.level for check in found.values()} == {PASS}
    assert len(found) == 9


@pytest.mark.parametrize(
    ("switch", "value", "name", "click"),
    [
        ("running", False, "MetaTrader 5 terminal", "start the terminal"),
        ("logged_in", False, "MetaTrader 5 account", "Login to Trade Account"),
        ("connected", False, "connection to the broker", "Rescan"),
        ("algo_trading", False, "AlgoTrading button", "press AlgoTrading"),
        ("python_api", False, "Python API", "untick"),
        ("investor", True, "trading password", "master password"),
        ("experts", False, "programs at this broker", "ask the broker"),
    ],
)
def test_each_thing_in_the_way_is_one_finding_with_its_click(
    switch: str, value: bool, name: str, click: str
) -> None:
    server = Server()
    setattr(server.switches, switch, value)
    found = examined(server)
    failed = [check for check in found.values() if check.level == FAIL]
    assert [check.name for check in failed] == [name]
    assert click in failed[0].action


def test_another_account_than_the_settings_name_fails() -> None:
    found: Any = examined(Server(AccountTerms(login=7)), login=8)["MetaTrader 5 account"]
    assert found.level == FAIL
    assert "7" in found.message
    assert "8" in found.action


def test_real_money_is_said_aloud() -> None:
    terms = AccountTerms(trade_mode=K.ACCOUNT_TRADE_MODE_REAL)
    found = examined(Server(terms))["MetaTrader 5 account"]
    assert (found.level, "real money" in found.message) == (WARN, True)


def test_symbols_that_are_missing_and_symbols_that_are_hidden() -> None:
    server = Server()
    server.specs["GBPUSD"] = replace(server.specs["GBPUSD"], selected=False)
    found = examined(server, symbols=("EURUSD", "GBPUSD", "EURUSD.m"))
    assert [found[name].level for name in ("EURUSD", "GBPUSD", "EURUSD.m")] == [PASS, WARN, FAIL]


def test_a_clock_that_is_not_known_is_told() -> None:
    found = examined(Server(), offset=None)["broker's clock"]
    assert (found.level, "not known" in found.message) == (WARN, True)


def test_a_missing_package_is_told() -> None:
    link = Link(Client(package), now=ManualMarket().venue_now, symbols=("EURUSD",))
    (found,) = run(checkup(link, login=None))
    if found.name != "MetaTrader 5 package":
        pytest.skip("the package is installed here")
    assert (found.level, "ordergate[mt5]" in found.action) == (FAIL, True)
