"""The simulated broker's books outlive the process that keeps them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ordergate.testing.mt5.constants import Constants as K
from ordergate.testing.mt5.keeping import Kept
from ordergate.testing.mt5.server import Server
from ordergate.testing.mt5.terminal import SimulatedTerminal

AT = datetime(2026, 1, 7, 14, tzinfo=UTC)


def test_what_was_answered_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "broker.json"
    server = Server()
    assert Kept(path, server).open() is None
    server.tick("EURUSD", 1.085, 1.0851, int(AT.timestamp() * 1000))
    terminal = SimulatedTerminal(server)
    terminal.initialize()
    base = {"action": K.TRADE_ACTION_DEAL, "symbol": "EURUSD", "volume": 0.1, "type": 0}
    for request in (
        {**base, "type_filling": 0, "sl": 1.08, "magic": 5, "comment": "one"},
        {**base, "action": K.TRADE_ACTION_PENDING, "type": 2, "price": 1.08, "type_filling": 2},
    ):
        sent = terminal.order_send(request)
        assert sent is not None
        assert sent.retcode == K.TRADE_RETCODE_DONE
    again = Server()
    assert Kept(path, again).open() == AT
    assert again.books == server.books
    assert path.stat().st_mode & 0o077 == 0
