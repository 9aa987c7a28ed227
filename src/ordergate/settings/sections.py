"""What can be set, section by section: every key with its type, bounds, default and meaning."""

from __future__ import annotations

from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Source = Literal["simulated", "replay"]
Port = Annotated[int, Field(ge=0, le=65535)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class Server(Section):
    host: str = Field(default="127.0.0.1", description="address to listen on; loopback only")
    rest_port: Port = Field(default=8010, description="REST, agents; 0 = any free port")
    mcp_port: Port = Field(default=8020, description="MCP over HTTP; 0 = any free port")
    console_port: Port = Field(default=8030, description="the operator's; 0 = any free port")
    sse: bool = Field(default=False, description="also offer MCP's older SSE transport")
    calls_per_second: Decimal = Field(default=Decimal(10), gt=0, le=10_000, description="a token")
    burst: int = Field(default=20, ge=1, le=10_000, description="calls of one token at once")

    @field_validator("host")
    @classmethod
    def _loopback(cls, host: str) -> str:
        if host != "localhost" and not ip_address(host).is_loopback:
            raise ValueError("only a loopback address; reach other machines through an SSH tunnel")
        return host


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
    faults: tuple[Fault, ...] = ()


class Mcp(Section):
    data_only: bool = Field(default=False, description="leave the order tools out")


class Console(Section):
    public_url: str | None = Field(
        default=None,
        description="https address a phone reaches the console by; passkeys are bound to its name",
        examples=["https://gate.example.net"],
    )

    @field_validator("public_url")
    @classmethod
    def _https_origin(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or url != f"https://{parts.netloc}":
            raise ValueError("an https address without a path, such as https://gate.example.net")
        if parts.username is not None or parts.netloc != parts.netloc.lower():
            raise ValueError("a lower-case name, and a port where it is not 443")
        return url


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
    mcp: Mcp = Mcp()
    console: Console = Console()
    log: Log = Log()
    run: Run = Run()
    token: SecretStr | None = None
