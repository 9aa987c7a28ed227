"""What `__main__` hands to the commands: ready-made calls, so that no command sees settings."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ordergate.surfaces.cli.running import Note


class Level(enum.StrEnum):
    PASS = "PASS"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `doctor`, with the next thing to do where there is one."""

    level: Level
    name: str
    message: str
    action: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    """What `ordergate up` was told; None = as the settings say."""

    paper_only: bool = False
    idle_exit_s: int | None = None
    takeover: bool = False
    prices: str | None = None  # "simulated", or "ccxt:<exchange>"
    replay: tuple[Path, ...] = ()
    speed: str | None = None
    seed: int | None = None
    venue: str | None = None  # "paper" or "mt5"
    terminal: str | None = None  # "local" or "simulated", of mt5


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What a gateway says of itself when it begins to answer."""

    note: Note
    source: str  # of its prices
    synthetic: bool
    replay_speed: str | None
    operator_exists: bool
    mode: str | None = "paper"  # as the venue proves it
    cautions: tuple[str, ...] = ()  # about live trading


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What `audit verify` is to prove; no file = our own database, no key = our own."""

    files: tuple[Path, ...] = ()
    public: str | None = None  # hex, or the file that holds it
    anchors: tuple[str, ...] = ()  # size:root


@dataclass(frozen=True, slots=True, kw_only=True)
class BarsWanted:
    """What `ordergate data` was told about a file or a series; None = not said."""

    venue: str | None = None
    symbol: str | None = None
    timeframe: str | None = None
    zone: str | None = None
    time_format: str | None = None
    stamp: str = "start"
    calendar: str | None = None
    accept_hours: bool = False
    drop: tuple[str, ...] = ()
    sort: bool = False
    on_conflict: str = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataStarts:
    """The store of bars, without a gateway."""

    take: Callable[[Path, BarsWanted], Mapping[str, Any]]
    listing: Callable[[], Mapping[str, Any]]
    check: Callable[[BarsWanted], Mapping[str, Any]]
    # source, what, (since, until), tell(share done, bars, where)
    download: Callable[
        [str, BarsWanted, tuple[str, str | None], Callable[[float, int, str], None]],
        Mapping[str, Any],
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspects:
    """What the leakage checks are put to, and on which bars; nothing named = all built in."""

    strategies: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    file: Path | None = None  # recorded bars; None = the simulated market
    symbol: str | None = None
    timeframe: str = "M15"
    bars: int = 3_000
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWanted:
    """What `ordergate backtest run` was told, in its own words; None = not said."""

    symbols: tuple[str, ...]
    venue: str = "file"
    timeframe: str = "H1"
    strategy: str | None = None
    parameters: tuple[str, ...] = ()  # name=value
    long_when: str | None = None
    short_when: str | None = None
    program: Path | None = None
    style: str = "bracket"
    begin: str | None = None
    end: str | None = None
    size: str = "0.1"
    size_by: str = "lots"
    balance: str = "100000"
    currency: str = "USD"
    spread: str | None = None
    slippage: str = "0"
    commission: str | None = None
    commission_rate: str = "0"
    swap: bool = True
    scale: str = "1"
    delay_bars: int = 0
    delay_ms: int = 0
    wait: bool = False
    gate: bool = True
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Starts:
    """Each call may raise GateError; `up` returns an exit code when the gateway has stopped."""

    up: Callable[[UpOptions, Callable[[Started], None]], int]
    mcp: Callable[[], int]
    data_dir: Callable[[], Path]
    token: Callable[[Path | None], str]  # from a file, else the environment, else agent.token
    # name -> name, password, otpauth, recovery_codes; shown once
    init_operator: Callable[[str], Mapping[str, Any]]
    verify_audit: Callable[[Asked], Mapping[str, Any]]  # raises GateError when the proof fails
    receipt: Callable[[str, Path | None], Mapping[str, Any]]  # of an order, into a file
    segments: Callable[[], Mapping[str, Any]]  # writes what is due, names what is there
    rotate_key: Callable[[], Mapping[str, Any]]
    # policy file, from, to: what recorded decisions had come to under other limits
    simulate: Callable[[Path, str | None, str | None], Mapping[str, Any]]
    rejudge: Callable[[str], Mapping[str, Any]]  # an order's recorded verdicts, made anew
    leakage: Callable[[Suspects], Mapping[str, Any]]  # does anything know the future
    backtest: Callable[[RunWanted], Mapping[str, Any]]
    set_aside: Callable[[str], Mapping[str, Any]]  # the damaged record, for a reason
    settings: Callable[[], list[dict[str, str]]]  # key, value, source, meaning; secrets redacted
    doctor: Callable[[], list[Finding]]
    watch: Callable[[str, int, Callable[[str], None]], int]  # url, seconds, what to say
    # the public address, and what was found on the way to it; True = also send a link
    phone: Callable[[bool], tuple[str | None, list[Finding]]]
    now: Callable[[], datetime]  # the wall clock
    monotonic: Callable[[], float]  # seconds of a clock that never goes back
    client_environment: Callable[[], Mapping[str, str]]  # what a client must pass to find us
    data: DataStarts
    look_back: Callable[[str, Mapping[str, Any]], Mapping[str, Any]]  # a tool, on imported bars
    around: Callable[[], list[Finding]] = list  # ways to a broker past the gate, seen from here
