"""What can be set, section by section: every key with its type, bounds, default and meaning."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import (
    AwareDatetime,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from ordergate.settings.outside import Ccxt, Mt5, News
from ordergate.settings.section import NAME, Section, is_address

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Source = Literal["simulated", "replay", "ccxt"]
ToolsetName = Literal[
    "default", "all", "account", "analysis", "market", "orders_paper", "research", "risk"
]
Port = Annotated[int, Field(ge=0, le=65535)]


class Server(Section):
    host: str = Field(default="127.0.0.1", description="address; beyond loopback with TLS only")
    rest_port: Port = Field(default=8010, description="REST, agents; 0 = any free port")
    mcp_port: Port = Field(default=8020, description="MCP over HTTP; 0 = any free port")
    console_port: Port = Field(default=8030, description="the operator's; 0 = any free port")
    sse: bool = Field(default=False, description="also offer MCP's older SSE transport")
    calls_per_second: Decimal = Field(default=Decimal(10), gt=0, le=10_000, description="a token")
    burst: int = Field(default=20, ge=1, le=10_000, description="calls of one token at once")

    tls_cert: Path | None = Field(
        default=None, description="certificate in the config directory", examples=["tls.crt"]
    )
    tls_key: Path | None = Field(
        default=None, description="its key, chmod 600", examples=["tls.key"]
    )
    allow_remote: bool = Field(default=False, description="listen beyond this machine, TLS only")

    @property
    def is_local(self) -> bool:
        return self.host == "localhost" or ip_address(self.host).is_loopback

    @model_validator(mode="after")
    def _remote_only_with_tls(self) -> Server:
        if self.is_local:
            return self
        needed = {
            "server.tls_cert": self.tls_cert,
            "server.tls_key": self.tls_key,
            "server.allow_remote = true": self.allow_remote,
        }
        missing = [name for name, given in needed.items() if not given]
        if missing:
            raise ValueError(
                f"{self.host} is not loopback: missing {', '.join(missing)}; or stay on loopback"
                " and reach other machines through an SSH tunnel"
            )
        return self


class Replay(Section):
    files: tuple[Path, ...] = Field(default=(), description="CSV or Parquet files, absolute paths")
    speed: Decimal = Field(default=Decimal(1), gt=0, le=1_000_000, description="1 = as it happened")
    start: AwareDatetime | None = Field(
        default=None, description="first moment", examples=["2014-05-08T00:00:00Z"]
    )

    @field_validator("files")
    @classmethod
    def _absolute(cls, files: tuple[Path, ...]) -> tuple[Path, ...]:
        files = tuple(file.expanduser() for file in files)
        if not all(file.is_absolute() for file in files):
            raise ValueError("only absolute paths: nothing is read from the working directory")
        return files


class Feed(Section):
    kind: Source = Field(default="simulated", description="where prices come from")
    seed: int = Field(default=1, ge=0, lt=2**31, description="of the simulated market")
    start: AwareDatetime | None = Field(
        default=None, description="of the simulation", examples=["2026-01-07T14:00:00Z"]
    )
    replay: Replay = Replay()
    ccxt: Ccxt = Ccxt()

    @model_validator(mode="after")
    def _has_files(self) -> Feed:
        if self.kind == "replay" and not self.replay.files:
            raise ValueError('kind = "replay" needs feed.replay.files')
        return self


class Fault(Section):
    """One fault the paper venue commits on purpose, for rehearsals and suites."""

    kind: str
    operation: str = "submit"
    symbol: str | None = None
    count: int = Field(default=1, ge=1, le=1_000_000)
    delay_s: Decimal = Field(default=Decimal(0), ge=0, le=600)
    code: str | None = None


class Paper(Section):
    balance: Decimal = Field(default=Decimal(100_000), gt=0, description="USD at the first start")
    slippage_ticks: int = Field(default=0, ge=0, le=10_000, description="against market orders")
    commission: bool = Field(default=True, description="charge the instrument's commission")
    swap: bool = Field(default=True, description="book swap at 17:00 New York")
    exits: Literal["attached", "resting"] = Field(
        default="attached", description="resting: a plain exchange, stops are orders of their own"
    )
    faults: tuple[Fault, ...] = ()


class Exits(Section):
    on_unprotected: Literal["alarm", "close"] = Field(
        default="alarm", description="a position whose stop the venue will not take: alarm or close"
    )


class Link(Section):
    """The link between the gateway and the venue; never that of an agent."""

    cancel_on_disconnect: bool = Field(
        default=False, description="cancel what opens and rests, once back after dead_man_s"
    )
    dead_man_s: Decimal = Field(
        default=Decimal(60), ge=10, le=86_400, description="how long nobody could look at the venue"
    )

    @property
    def dead_man(self) -> timedelta | None:
        """Return the silence that ends resting openings; None where that is not wanted."""
        return timedelta(seconds=float(self.dead_man_s)) if self.cancel_on_disconnect else None


class Risk(Section):
    """How much may be risked, and how the whole book, all accounts together, is counted."""

    profile: tuple[str, ...] = Field(
        default=("paper-default",), min_length=1, description="risk profiles to start from"
    )
    book_currency: str = Field(
        default="", description='of the whole book, such as EUR; "" = the account\'s own'
    )
    book_day_zone: str = Field(
        default="UTC", description="the operator's time zone: the book's day begins at midnight"
    )

    @field_validator("profile", mode="before")
    @classmethod
    def _one_or_more(cls, profile: object) -> object:
        return (profile,) if isinstance(profile, str) else profile

    @field_validator("book_currency")
    @classmethod
    def _code(cls, code: str) -> str:
        if code and not re.fullmatch("[A-Z]{3,5}", code):
            raise ValueError('a currency code in capitals, such as "EUR"')
        return code

    @field_validator("book_day_zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ValueError, OSError, ZoneInfoNotFoundError):
            raise ValueError(
                'no time zone of that name; write one such as "Europe/Berlin"'
            ) from None
        return zone


class Journal(Section):
    """Where the books lie; a database's address holds its password, and is a secret."""

    database_url: SecretStr | None = Field(
        default=None, description="PostgreSQL in the place of the file gate.db"
    )
    emergency_path: Path | None = Field(
        default=None,
        description="absolute; of the emergency journal, best on another disk",
        examples=["/mnt/other/ordergate-emergency.journal"],
    )

    anchor_path: Path | None = Field(
        default=None,
        description="absolute; a directory that keeps the newest signed head, too, best on"
        " another machine",
        examples=["/mnt/other/ordergate-anchors"],
    )
    segments_path: Path | None = Field(
        default=None,
        description="absolute; where closed months of the record are kept; default: in the data"
        " directory",
        examples=["/mnt/archive/ordergate"],
    )

    @field_validator("database_url")
    @classmethod
    def _of_postgres(cls, url: SecretStr | None) -> SecretStr | None:
        parts = urlsplit("" if url is None else url.get_secret_value())
        named = parts.scheme in ("postgresql", "postgres") and len(parts.path) > 1
        if url is not None and not named:
            raise ValueError("an address such as postgresql://user:password@host:5432/ordergate")
        return url

    @field_validator("emergency_path", "anchor_path", "segments_path")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        path = None if path is None else path.expanduser()
        if path is not None and not path.is_absolute():
            raise ValueError("only an absolute path: nothing is written to the working directory")
        return path


class Notify(Section):
    """The channel to the human; its addresses are secrets and come from private files alone."""

    urls: tuple[SecretStr, ...] = Field(default=(), description="where alerts go")
    webhook_key: SecretStr | None = Field(default=None, min_length=16)
    level: Literal["info", "warning", "critical"] = Field(
        default="info", description="the least that is told; halts and alarms always are"
    )
    quiet_hours: str | None = Field(
        default=None,
        pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$",
        description="no word but halts and alarms",
        examples=["22:00-07:00"],
    )
    quiet_zone: str = Field(default="UTC", description="the zone of quiet_hours")
    repeat_s: int = Field(default=300, ge=1, le=900, description="until a halt is told again")
    repeat_later_s: int = Field(default=900, ge=1, le=900, description="and then each time")
    unanswered_s: int | None = Field(
        default=None,
        ge=60,
        le=86_400,
        description="a halt or alarm that nobody acknowledges for so long engages the kill switch",
        examples=[1800],
    )
    allow_loopback: bool = Field(default=False, description="a channel on this machine, http too")
    heartbeat_url: SecretStr | None = Field(
        default=None,
        description="called while the gateway lives",
        examples=["https://watch.example/ping/this-gateway"],
    )
    heartbeat_s: int = Field(default=20, ge=1, le=25, description="between two calls of it")

    @field_validator("quiet_zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone not in available_timezones():
            raise ValueError("no such time zone; write it as Europe/Berlin")
        return zone


class Console(Section):
    public_url: str | None = Field(
        default=None,
        description="the TLS name a phone reaches the console under",
        examples=["https://gate.example.ts.net"],
    )

    @field_validator("public_url")
    @classmethod
    def _an_origin(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        name = parts.hostname or ""
        if parts.scheme != "https" or url.rstrip("/") != f"https://{parts.netloc}".lower():
            raise ValueError("an https address with a name, perhaps a port, and nothing else")
        if not NAME.fullmatch(name) or is_address(name) or parts.username is not None:
            raise ValueError("it needs a name that certificates and passkeys can hold, no address")
        return url.rstrip("/").removesuffix(":443")


class Mcp(Section):
    data_only: bool = Field(default=False, description="leave the order tools out")
    toolsets: tuple[ToolsetName, ...] = Field(
        default=("default",),
        min_length=1,
        description="tools that MCP lists: default, all, or sets by name",
        examples=[["default", "research"]],
    )


class Signals(Section):
    """What a signal must reach to be proposed; a request may ask for more, never for less."""

    confidence_min: Decimal = Field(
        default=Decimal("0.42"), ge=0, le=1, description="least confidence, a fraction"
    )
    edge_min: Decimal = Field(
        default=Decimal(0), ge=-1, le=10, description="least edge, in units of the risk"
    )


class Research(Section):
    """Backtests, sweeps and walks: processes of their own beside the gateway."""

    jobs_at_once: int = Field(default=1, ge=1, le=16, description="more wait for their turn")
    jobs_waiting: int = Field(default=20, ge=1, le=1_000, description="more are refused")
    workers: int = Field(default=2, ge=1, le=256, description="threads of one job")
    memory_mb: int = Field(
        default=2_048, ge=256, le=1_048_576, description="of one job; not on Windows"
    )
    job_s: int = Field(default=6 * 3_600, ge=10, le=604_800, description="the longest a job runs")
    cluster: str | None = Field(
        default=None,
        pattern=r"^(tcp|tls)://[A-Za-z0-9.:\[\]-]+$",
        description="a Dask scheduler that sweeps run on, which must be yours alone; extra cluster",
        examples=["tls://127.0.0.1:8786"],
    )


class Log(Section):
    level: Level = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR")


class Run(Section):
    """What one start was told; never read from a file."""

    paper_only: bool = False
    idle_exit_s: int | None = Field(default=None, ge=1, le=604_800)
    kill_at_start: bool = False


class Tree(Section):
    server: Server = Server()
    feed: Feed = Feed()
    paper: Paper = Paper()
    mt5: Mt5 = Mt5()
    exits: Exits = Exits()
    link: Link = Link()
    risk: Risk = Risk()
    journal: Journal = Journal()
    mcp: Mcp = Mcp()
    log: Log = Log()
    notify: Notify = Notify()
    console: Console = Console()
    news: News = News()
    signals: Signals = Signals()
    research: Research = Research()
    run: Run = Run()
    token: SecretStr | None = None
