"""A real gateway process whose venue proves LIVE, its switches set by its operator's own .env."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from support.gateway_process import GatewayProcess

BOTH = {"TRADING_MODE": "live", "ALLOW_LIVE_TRADING": "true"}
ACCOUNT = "paper-1"
SYMBOLS = {"limits": {"live_symbols_allow": ["EURUSD"], "duplicate_window_s": 0.000001}}


@dataclass
class LiveProcess(GatewayProcess):
    """Also holds the token that the operator made for live trading."""

    trader: str = field(default="", kw_only=True)

    @property
    def token(self) -> str:
        return self.trader or super().token

    def switch(self, variables: Mapping[str, str]) -> None:
        """Write the config directory's .env, as the operator does."""
        env = self.config / ".env"
        env.write_text("".join(f"{name}={text}\n" for name, text in variables.items()))
        env.chmod(0o600)

    def make_trader(self) -> None:
        with self.operator() as desk:
            body = {"kind": "agent", "name": "trader", "live": True}
            made = desk.post("/operator/tokens", json=body)
        assert made.status_code == 200, made.text
        self.trader = made.json()["data"]["token"]
        self._hang_up()

    def arm(self, hours: str = "1") -> httpx.Response:
        """Arm the account: read the offer, sign its hash."""
        with self.operator() as desk:
            body = {"account": ACCOUNT, "hours": hours}
            offer = desk.post("/operator/arming/offer", json=body)
            if offer.status_code != 200:
                return offer
            digest = offer.json()["data"]["digest"]
            return desk.post("/operator/arming/arm", json={"account": ACCOUNT, "offer": digest})

    def standing(self) -> dict[str, Any]:
        with self.operator() as desk:
            found: dict[str, Any] = desk.get("/operator/arming").json()["data"]
        return found

    def approve(self, ticket: str, *, signed: bool = True) -> httpx.Response:
        """Answer yes to what the ask shows, signed over its hash or with a code."""
        with self.operator() as desk:
            shown = desk.get(f"/operator/approvals/{ticket}").json()["data"]["ticket"]
            body = {"fingerprint": shown["fingerprint"]}
            if not signed:
                body["code"] = self.codes.pop()
            return desk.post(f"/operator/approvals/{ticket}/approve", json=body)


@contextmanager
def live_process(
    root: Path, variables: Mapping[str, str] = BOTH, tables: Mapping[str, Any] = SYMBOLS
) -> Iterator[LiveProcess]:
    """Run a live gateway with an operator and a trader's token for the length of a `with`."""
    one = LiveProcess(root, tables, launcher=Path(__file__).with_name("live_launcher.py"))
    one.settle_in()
    one.switch(variables)
    one.make_operator()
    try:
        one.start()
        one.make_trader()
        yield one
    finally:
        one.close()
