"""What leads to a broker around the gate, seen with the eyes of whoever runs `doctor --as-agent`.

The gate cannot close these ways: only another user, machine or container can. Each finding says so.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ordergate.surfaces.cli.starts import Finding, Level

HOST: Final = "127.0.0.1"
PROBE_S: Final = 2.0
LIST_S: Final = 10.0
REPLY_BYTES_MAX: Final = 64 * 1024
CLIENT_PORTAL: Final = 5000
TWS_PORTS: Final[Mapping[int, str]] = {
    7496: "TWS",
    7497: "TWS, paper",
    4001: "IB Gateway",
    4002: "IB Gateway, paper",
}
TERMINALS: Final = ("terminal64.exe", "terminal.exe", "metatrader64.exe")
APART: Final = "run the agent as another user, in a container, or on another machine"
_KEY: Final = re.compile(
    r"(?:(?:CRYPTO|BINANCE|OKX|BYBIT|KRAKEN|COINBASE|BITGET|KUCOIN|IBKR|IB|ANGEL|ANGELONE|SMARTAPI"
    r"|BROKER|MT5|METATRADER|ALPACA|OANDA|ZERODHA|KITE)_\w*"
    r"(?:API_KEY|API_SECRET|SECRET|PASSWORD|PASSPHRASE|PIN|TOKEN|TOTP_SECRET|CLIENT_CODE))",
    re.ASCII,
)
_PRIVATE: Final = (".env", "ordergate.toml", "audit.key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is looked at from the agent's place."""

    config_dir: Path
    data_dir: Path
    environ: Mapping[str, str]
    client_portal: int = CLIENT_PORTAL
    tws_ports: Mapping[int, str] = field(default_factory=lambda: TWS_PORTS)
    processes: Callable[[], Iterable[str]] = tuple  # of this user, by program name


def around_the_gate(place: Surroundings) -> list[Finding]:
    """Return every way to a broker that does not lead through the gate; FAIL = not fit for live."""
    found = [_client_portal(place.client_portal)]
    found += [_tws(port, name) for port, name in place.tws_ports.items()]
    found += [_terminal(place.processes), *_keys(place.environ), *_files(place)]
    return found


def own_processes() -> tuple[str, ...]:
    """Return the program names of this user's processes, lower case."""
    proc = Path("/proc")
    if os.name == "posix" and (proc / "self" / "cmdline").exists():
        return tuple(_from_proc(proc))
    words = ["tasklist", "/fo", "csv", "/nh"] if os.name == "nt" else ["ps", "-x", "-o", "comm="]
    done = subprocess.run(words, capture_output=True, text=True, timeout=LIST_S, check=False)
    return tuple(line.split(",")[0].strip('" ').lower() for line in done.stdout.splitlines())


def _from_proc(proc: Path) -> Iterator[str]:
    for one in proc.iterdir():
        if not one.name.isdigit():
            continue
        try:
            if one.stat().st_uid == os.getuid():  # type: ignore[attr-defined,unused-ignore]
                words = (one / "cmdline").read_bytes().split(b"\0")
                yield from (word.decode("utf-8", "replace").lower() for word in words[:3])
        except OSError:
            continue  # it ended while we looked


def _client_portal(port: int) -> Finding:
    name = f"IBKR Client Portal ({HOST}:{port})"
    if not _listens(port):
        return Finding(Level.PASS, name, "nothing listens there")
    status = _portal_status(port)
    if status is None:
        return Finding(
            Level.WARN, name, "something listens that is no Client Portal gateway", "look what"
        )
    if status.get("authenticated"):
        return Finding(Level.FAIL, name, "is logged in and takes orders around the gate", APART)
    return Finding(Level.FAIL, name, "can be reached, and takes orders once logged in", APART)


def _portal_status(port: int) -> Mapping[str, Any] | None:
    """Ask whether a session is logged in; None when it is another program."""
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE  # its certificate is its own; nothing secret is sent
    for link in (
        http.client.HTTPSConnection(HOST, port, timeout=PROBE_S, context=trusting),
        http.client.HTTPConnection(HOST, port, timeout=PROBE_S),
    ):
        try:
            link.request("GET", "/v1/api/iserver/auth/status")
            reply = link.getresponse()
            text = reply.read(REPLY_BYTES_MAX)
            read = json.loads(text) if reply.status == 200 else {}
            if reply.status == 401 or "authenticated" in read:
                return dict(read)
        except (OSError, http.client.HTTPException, ValueError, TypeError):
            continue
        finally:
            link.close()
    return None


def _tws(port: int, program: str) -> Finding:
    name = f"{program} ({HOST}:{port})"
    if _listens(port):
        return Finding(Level.FAIL, name, "can be reached around the gate", APART)
    return Finding(Level.PASS, name, "nothing listens there")


def _listens(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=PROBE_S):
            return True
    except OSError:
        return False


def _terminal(processes: Callable[[], Iterable[str]]) -> Finding:
    name = "MetaTrader terminal"
    try:
        running = [re.split(r"[/\\]", one)[-1] for one in processes()]
    except (OSError, subprocess.SubprocessError) as error:
        return Finding(
            Level.FAIL, name, f"processes cannot be listed ({error})", "look by hand before live"
        )
    if any(one in TERMINALS for one in running):
        return Finding(
            Level.FAIL, name, "runs as this very user: any program of yours can trade in it", APART
        )
    return Finding(Level.PASS, name, "none runs as this user")


def _keys(environ: Mapping[str, str]) -> Iterator[Finding]:
    names = sorted(key for key, text in environ.items() if text and _KEY.fullmatch(key.upper()))
    for key in names:
        yield Finding(
            Level.FAIL,
            key,
            "a broker's credential stands in this environment",
            "remove it here; it belongs into the gateway's keyring or config directory",
        )
    if not names:
        yield Finding(Level.PASS, "environment", "holds no broker's credential")


def _files(place: Surroundings) -> Iterator[Finding]:
    """Say which of the gate's own files this user can open: who can is the gateway's user."""
    kept = [place.config_dir / name for name in _PRIVATE]
    kept += sorted(place.config_dir.glob("*.key")) if _may_list(place.config_dir) else []
    kept.append(place.data_dir / "gate.db")
    readable = sorted({path.name for path in kept if _opens(path)})
    if readable:
        yield Finding(
            Level.FAIL,
            "the gate's own files",
            f"this user can read {', '.join(readable)}: it is as good as the gateway itself",
            f"{APART}; arming and each live order still need a touch of the passkey",
        )
    else:
        yield Finding(Level.PASS, "the gate's own files", "cannot be read by this user")


def _may_list(path: Path) -> bool:
    return os.access(path, os.R_OK | os.X_OK)


def _opens(path: Path) -> bool:
    try:
        with open(path, "rb"):
            return True
    except OSError:
        return False
