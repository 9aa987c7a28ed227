"""A real `ordergate up` in its own directories, on free ports; seen from outside alone.

Nothing of ordergate is imported: commands, HTTP, and the files a stranger could read.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any

import httpx

from support import oracle_verify
from support.operator_client import OperatorClient
from support.soft_passkey import SoftPasskey

PATIENCE = float(os.environ.get("ORDERGATE_TEST_PATIENCE", "1"))  # of a machine that many share
READY_S = 30.0 * PATIENCE
STOP_S = 5.0
COMMAND_S = 30.0 * PATIENCE
POLL_S = 0.02
OPERATOR = "operator"
PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT", "COVERAGE_PROCESS_START")

# Wide enough that a stream of orders meets only the limit a test is about.
ROOMY = {
    "server": {"calls_per_second": 10_000, "burst": 10_000},
    "limits": {
        "orders_per_minute_max": 100_000,
        "orders_per_day_max": 100_000,
        "account_orders_per_day_max": 100_000,
        "repeat_orders_max": 100_000,
        "hands_off_fills_max": 100_000,
        "losing_closes_max": 100_000,
        "account_orders_per_minute_max": 100_000,
        "net_exposure_fraction": 30,
        "open_orders_notional_fraction": 30,
        "stress_loss_fraction": 1,
        "notional_per_day_max_fraction": 1000,
        "account_notional_per_day_max": 1_000_000_000,
        "agent_notional_per_day_max": 1_000_000_000,
        "agent_open_exposure_max": 1_000_000_000,
        "agent_daily_loss_max": 1_000_000_000,
        "gross_exposure_fraction": 30,
        "position_notional_fraction": 30,
        "book_gross_exposure_fraction": 30,
        "book_net_exposure_fraction": 30,
        "book_position_notional_fraction": 30,
        "open_positions_max": 10_000,
        "open_orders_max": 10_000,
        "duplicate_window_s": 0.000001,
        "margin_free_min_fraction": 0.000001,
        "quote_age_max_s": 60,
    },
}


class NotStarted(Exception):
    """The gateway ended, or did not become ready; carries what it wrote."""


@dataclass
class GatewayProcess:
    """One gateway's directories, and the process that runs in them now."""

    root: Path
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    child: subprocess.Popen[bytes] | None = None
    note: dict[str, Any] = field(default_factory=dict)
    password: str = ""
    launcher: Path | None = None  # what runs instead of `python -m ordergate`
    made: dict[str, Any] = field(default_factory=dict)  # what `operator init` showed, once
    codes: list[str] = field(default_factory=list)  # recovery codes not used yet
    passkey: SoftPasskey | None = None
    _starts: int = 0
    _http: httpx.Client | None = None

    @property
    def config(self) -> Path:
        return self.root / "config"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def environment(self) -> dict[str, str]:
        passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        return {
            **passed,
            "ORDERGATE_CONFIG_DIR": str(self.config),
            "ORDERGATE_DATA_DIR": str(self.data),
        }

    @property
    def rest(self) -> str:
        return str(self.note["rest_url"])

    @property
    def mcp(self) -> str:
        return str(self.note["mcp_url"]) + "/mcp"

    @property
    def console(self) -> str:
        return str(self.note["console_url"])

    @property
    def token(self) -> str:
        return (self.data / "agent.token").read_text("ascii").strip()

    @property
    def errors(self) -> str:
        """Return what the newest process wrote to stderr."""
        return (self.root / f"stderr.{self._starts}").read_text("utf-8", errors="replace")

    def settle_in(self, tables: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        """Write the settings: free ports, and whatever a test needs to be otherwise."""
        self.tables = self.tables if tables is None else tables
        merged: dict[str, dict[str, Any]] = {
            "server": {"rest_port": 0, "mcp_port": 0, "console_port": 0},
            "feed": {"seed": 7},
        }
        for name, table in self.tables.items():
            merged[name] = {**merged.get(name, {}), **table}
        self.config.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lines = []
        for name, table in merged.items():
            rows = {key: value for key, value in table.items() if key == "faults"}
            lines += [f"[{name}]", *_keys({k: v for k, v in table.items() if k not in rows})]
            for key, faults in rows.items():
                lines += [line for row in faults for line in (f"[[{name}.{key}]]", *_keys(row))]
        path = self.config / "ordergate.toml"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        path.chmod(0o600)

    def command(self, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run a command of the program as a person would."""
        return subprocess.run(
            program(*words),
            env=self.environment,
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
            **more,
        )

    def make_operator(self) -> None:
        """Make the operator, as long as the gateway does not run."""
        done = self.command("operator", "init", OPERATOR, "--json")
        self.made = json.loads(done.stdout)["data"]
        self.password = self.made["password"]
        self.codes = list(self.made["recovery_codes"])

    def begin(self, *words: str) -> subprocess.Popen[bytes]:
        """Start `ordergate up` without waiting for anything."""
        self._starts += 1
        with (
            open(self.root / f"stdout.{self._starts}", "wb") as out,
            open(self.root / f"stderr.{self._starts}", "wb") as err,
        ):
            self.child = subprocess.Popen(
                self._program("up", "--json", *words),
                env=self.environment,
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        return self.child

    def start(self, *words: str) -> GatewayProcess:
        """Start and wait until /readyz says so."""
        child = self.begin(*words)
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline and child.poll() is None:
            note = read_note(self.data)
            if note.get("pid") == child.pid and note.get("rest_url") and is_ready(note["rest_url"]):
                self.note = note
                return self
            time.sleep(POLL_S)
        raise NotStarted(f"exit code {child.poll()}\n{self.errors[-2000:]}")

    def stop(self) -> tuple[int, float]:
        """Ask it to stop, as Ctrl-C and a service manager do; return exit code and seconds."""
        assert self.child is not None
        self._hang_up()
        began = time.monotonic()
        self.child.terminate()
        code = self.child.wait(STOP_S * 4)
        return code, time.monotonic() - began

    def kill(self) -> None:
        """End it without a word."""
        assert self.child is not None
        self.child.kill()
        self.child.wait(10)
        self._hang_up()

    def close(self) -> None:
        if self.child is not None and self.child.poll() is None:
            self.kill()
        self._hang_up()

    @property
    def http(self) -> httpx.Client:
        """Return a kept-alive client of the REST door with the agent's token."""
        if self._http is None:
            self._http = httpx.Client(
                base_url=self.rest,
                headers={"Authorization": f"Bearer {self.token}"},
                timeout=40,
                trust_env=False,
            )
        return self._http

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool by name over REST; return the envelope."""
        reply = self.http.post(f"/api/v1/call/{tool}", json=arguments)
        body: dict[str, Any] = reply.json()
        return {name: body[name] for name in ("ok", "data", "error")}

    def good(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Return a call's data, or fail with what it said."""
        envelope = self.call(tool, **arguments)
        assert envelope["ok"], envelope["error"]
        data: dict[str, Any] = envelope["data"]
        return data

    def refusal(self, tool: str, **arguments: Any) -> str:
        """Return the code a call is refused with."""
        envelope = self.call(tool, **arguments)
        assert not envelope["ok"], envelope["data"]
        return str(envelope["error"]["code"])

    def order(self, lots: str = "0.01", *, symbol: str = "EURUSD", **more: Any) -> dict[str, Any]:
        """Return the terms of a market buy with a stop a little below."""
        (quote,) = self.good("get_quotes", symbols=[symbol])["quotes"]
        stop = stop_below(quote["bid"])
        return {"symbol": symbol, "side": "buy", "quantity": lots, "stop_loss": stop, **more}

    @contextmanager
    def operator(self) -> Iterator[OperatorClient]:
        """Sign the operator in, with a passkey that the first visit enrols; yield a client."""
        with OperatorClient(self.console) as client:
            if self.passkey is None or self.passkey.origin != self.console:
                client.sign_in(OPERATOR, self.password, self.codes.pop())
                self.passkey = client.enrol(self.codes.pop())
            else:
                client.sign_in_with(self.passkey)
            yield client

    def venue(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the venue's own file, behind everybody's back."""
        return _asked(self.data / "paper.db", question, values)

    def book(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the gate's own file."""
        return _asked(self.data / "gate.db", question, values)

    def verified(self) -> int:
        """Return the verdict of the second verifier on the sealed log: 0 = whole."""
        public = (self.config / "audit.pub").read_text("ascii").strip()
        return oracle_verify.verdict(self.data / "gate.db", public)[0]

    def state(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return all that a refused call must leave as it is; prices move, so no marks."""
        own = ("orders", "attempts", "tickets", "halts", "tightenings", "tokens")
        theirs = {
            "orders": "number, tag, status, filled, stop_loss, take_profit, steps",
            "positions": "number, steps, stop_loss, take_profit",
            "tags": "tag",
            "refusals": "number",
        }
        held = {name: self.book(f"select * from {name}") for name in own if name != "tokens"}
        held["tokens"] = self.book("select token_id, principal, kind, revoked_at from tokens")
        for name, columns in theirs.items():
            held[f"venue {name}"] = self.venue(f"select {columns} from {name}")
        return {name: sorted(rows, key=repr) for name, rows in held.items()}

    def _program(self, *words: str) -> list[str]:
        if self.launcher is None:
            return program(*words)
        return [sys.executable, "-P", str(self.launcher), *words]

    def _hang_up(self) -> None:
        if self._http is not None:
            self._http.close()
            self._http = None


def _keys(table: Mapping[str, Any]) -> list[str]:
    return [f"{key} = {json.dumps(value)}" for key, value in table.items()]


def _asked(file: Path, question: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
    database = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)
    try:
        return database.execute(question, values).fetchall()
    finally:
        database.close()


def program(*words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "ordergate", *words]


def read_note(data: Path) -> dict[str, Any]:
    """Return what the gateway of a data directory says of itself; nothing where none does."""
    try:
        note: dict[str, Any] = json.loads((data / "gateway.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return note


def is_ready(rest_url: str) -> bool:
    try:
        return httpx.get(f"{rest_url}/readyz", timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def stop_below(price: str, *, fraction: str = "0.004") -> str:
    """Return a price a little below, on the grid of five decimals or of the price itself."""
    at = Decimal(price)
    grid = Decimal(1).scaleb(at.as_tuple().exponent)  # type: ignore[arg-type]
    return format((at * (1 - Decimal(fraction))).quantize(grid, ROUND_DOWN), "f")


@contextmanager
def gateway(
    root: Path, tables: Mapping[str, Mapping[str, Any]] | None = None, *, operator: bool = False
) -> Iterator[GatewayProcess]:
    """Run a gateway for the length of a `with`."""
    one = GatewayProcess(root, tables or {})
    one.settle_in()
    if operator:
        one.make_operator()
    try:
        yield one.start()
    finally:
        one.close()
