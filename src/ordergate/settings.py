"""Typed settings: flags over environment over .env over ordergate.toml over defaults.

Both files live in the config directory; nothing is read from the working directory. An unknown key
anywhere stops the start. Every value remembers where it came from.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_origin

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo

from ordergate.adapters.config_files import (
    DIRECTORY_NAMES,
    ENV_NAME,
    TOML_NAME,
    Directories,
    SettingsRefused,
    directories,
    read_variables,
    stamp,
    toml_layer,
    toml_text,
    variable_layer,
)
from ordergate.model.errors import DataUnavailable, GateError
from ordergate.order.policy.limits import SPECS, Limits, LimitSpec, shown

PREFIX: Final = "ORDERGATE_"
ARMING_NAMES: Final = ("TRADING_MODE", "ALLOW_LIVE_TRADING")
COMPAT_NAMES: Final = {
    "MCP_DATA_ONLY_MODE": "mcp.data_only",
    "KILL_SWITCH_ACTIVE": "run.kill_at_start",
}
FLAGS_ONLY: Final = frozenset({"run.paper_only", "run.idle_exit_s", "run.kill_at_start"})
SECRETS: Final = frozenset({"token"})

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Source = Literal["simulated", "replay"]
Port = Annotated[int, Field(ge=0, le=65535)]


class LimitsUnreadable(DataUnavailable):
    """The limits file is broken or gone: nothing that adds risk is judged good until it reads."""

    retryable = False
    requires_human = True


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class Server(_Section):
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


class Replay(_Section):
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


class Feed(_Section):
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


class Fault(_Section):
    """One fault the paper venue commits on purpose, for rehearsals and suites."""

    kind: str
    operation: str = "submit"
    symbol: str | None = None
    count: int = Field(default=1, ge=1, le=1_000_000)
    delay_s: Decimal = Field(default=Decimal(0), ge=0, le=600)
    code: str | None = None


class Paper(_Section):
    balance: Decimal = Field(default=Decimal(100_000), gt=0, description="USD at the first start")
    slippage_ticks: int = Field(default=0, ge=0, le=10_000, description="against market orders")
    commission: bool = Field(default=True, description="charge the instrument's commission")
    swap: bool = Field(default=True, description="book swap at 17:00 New York")
    faults: tuple[Fault, ...] = ()


class Mcp(_Section):
    data_only: bool = Field(default=False, description="leave the order tools out")


class Log(_Section):
    level: Level = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR")


class Run(_Section):
    """What one start was told; never read from a file."""

    paper_only: bool = False
    idle_exit_s: int | None = Field(default=None, ge=1, le=604_800)
    kill_at_start: bool = False


class _Tree(_Section):
    server: Server = Server()
    feed: Feed = Feed()
    paper: Paper = Paper()
    mcp: Mcp = Mcp()
    log: Log = Log()
    run: Run = Run()
    token: SecretStr | None = None


def _fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, _Section):
            yield from _fields(kind, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


_KEYS: Final = dict(_fields(_Tree))
_LIMITS: Final = {spec.name: spec for spec in SPECS}  # [limits] and [approval]
_IN_TOML: Final = frozenset(_KEYS) - FLAGS_ONLY - SECRETS | _LIMITS.keys()
_SWITCHES: Final = {key for key, spec in _LIMITS.items() if isinstance(spec.default, bool)}
_LISTS: Final = {key for key, spec in _LIMITS.items() if isinstance(spec.default, tuple)} | {
    key for key, field in _KEYS.items() if get_origin(field.annotation) is tuple
}
_NAMES: Final = {  # variable -> dotted key
    **{PREFIX + key.upper().replace(".", "__"): key for key in _IN_TOML | SECRETS},
    **COMPAT_NAMES,
    **{name: name for name in ARMING_NAMES},
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One value as `config show` prints it; secrets are stars."""

    key: str
    value: str
    source: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    directories: Directories
    server: Server
    feed: Feed
    paper: Paper
    mcp: Mcp
    log: Log
    run: Run
    token: SecretStr | None
    limits: LimitFile
    sources: Mapping[str, str]

    def rows(self) -> tuple[Shown, ...]:
        """Return every value with its source, secrets redacted."""
        rows = [
            Shown("config_dir", str(self.directories.config), self.sources["config_dir"], ""),
            Shown("data_dir", str(self.directories.data), self.sources["data_dir"], ""),
        ]
        for key, field in _KEYS.items():
            value: Any = self
            for part in key.split("."):
                value = getattr(value, part)
            source = self.sources.get(key, "default")
            rows.append(Shown(key, toml_text(value), source, field.description or ""))
        limits = self.limits.current()
        for key, spec in _LIMITS.items():
            source = self.sources.get(key, "default")
            rows.append(Shown(key, shown(limits.value(spec)), source, _described(spec)))
        return tuple(rows)


class LimitFile:
    """The operator's limits as they stand on disk this very moment.

    `current` costs one stat; it reads the file again when that changed. While the file is broken
    or gone, no symbol may be opened and exits pass: no limit is guessed. A file that was never
    good raises LimitsUnreadable. `problem` says what is wrong with it, if anything.
    """

    def __init__(self, path: Path, *, overrides: Mapping[str, object]) -> None:
        self._path = path
        self._overrides = dict(overrides)
        self._seen: tuple[int, ...] | None = ()
        self._was_there = path.exists()
        self._limits: Limits | None = None
        self.problem: LimitsUnreadable | None = None

    def current(self) -> Limits:
        seen = stamp(self._path)
        if seen != self._seen:
            self._read()
            self._seen = seen
        if self._limits is None:
            raise self.problem or LimitsUnreadable("the limits cannot be read")
        return self._limits

    def _read(self) -> None:
        try:
            layer = toml_layer(self._path, known=_IN_TOML)
            if layer is None and self._was_there:
                raise SettingsRefused([f"{self._path.name} is gone"])
            self._was_there = layer is not None
            held = {key: value for key, value in (layer or {}).items() if key in _LIMITS}
            self._limits, self.problem = Limits.from_mapping(held | self._overrides), None
        except (GateError, OSError, ValueError) as error:
            fix = f"mend {self._path}, or take back the last edit"
            self.problem = LimitsUnreadable(f"the limits cannot be read: {error}", fix=fix)
            if self._limits is not None:
                self._limits = replace(self._limits, symbols_allow=())


def load(environ: Mapping[str, str], *, flags: Mapping[str, object] | None = None) -> Settings:
    """Read every layer once; raise SettingsRefused with all that is wrong."""
    where = directories(environ)
    sources = {
        place: "environment" if name in environ else "default"
        for name, place in zip(DIRECTORY_NAMES, ("config_dir", "data_dir"), strict=True)
    }
    ours = {
        name: text
        for name, text in environ.items()
        if (name.startswith(PREFIX) or name in _NAMES) and name not in DIRECTORY_NAMES
    }
    layers: dict[str, Mapping[str, object]] = {
        TOML_NAME: toml_layer(where.toml, known=_IN_TOML) or {},
        ENV_NAME: _variables(read_variables(where.env), ENV_NAME),
        "environment": _variables(ours, "environment"),
        "flag": {key: value for key, value in (flags or {}).items() if value is not None},
    }
    merged: dict[str, object] = {}
    for source, layer in layers.items():
        for key, value in layer.items():
            if key not in COMPAT_NAMES.values() or merged.get(key) is not True:
                merged[key], sources[key] = value, source
    tree = _tree({key: value for key, value in merged.items() if key in _KEYS}, sources)
    above = {
        key: value for key, value in merged.items() if sources[key] != TOML_NAME and key in _LIMITS
    }
    limits = LimitFile(where.toml, overrides=above)
    limits.current()
    return Settings(
        directories=where,
        limits=limits,
        sources=sources,
        **{name: getattr(tree, name) for name in _Tree.model_fields},
    )


def write_first(where: Directories) -> bool:
    """Write the commented ordergate.toml (0600) where there is none; say whether it was written."""
    where.config.mkdir(mode=0o700, parents=True, exist_ok=True)
    where.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(where.toml, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with open(handle, "w", encoding="utf-8") as file:
        file.write(template())
    return True


def template() -> str:
    """Return the text of a first ordergate.toml: every key, its meaning and default, commented."""
    lines = [
        "# ordergate: your settings. Take the # off a line to change it. Keys carry their unit.",
        "# A change under [limits] counts at the very next judgement; the rest at the next start.",
    ]
    section = ""
    for key, field in _KEYS.items():
        head, _, name = key.rpartition(".")
        if key in FLAGS_ONLY | SECRETS or not field.description:
            continue
        if head != section:
            lines += ["", f"[{head}]"]
            section = head
        example = toml_text(field.examples[0] if field.examples else field.get_default())
        lines.append(f"{f'# {name} = {example}':<44} # {field.description}")
    for spec in SPECS:
        if spec.table != section:
            lines += ["", f"[{spec.table}]"]
            section = spec.table
        lines.append(f"{f'# {spec.key} = {shown(spec.default)}':<44} # {_described(spec)}")
    return "\n".join(lines) + "\n"


def _variables(variables: Mapping[str, str], source: str) -> dict[str, object]:
    """Turn our variables into dotted keys: switches as bools, lists as lists."""
    layer: dict[str, object] = {}
    for key, text in variable_layer(variables, names=_NAMES, source=source):
        if key in ARMING_NAMES:
            _refuse_live(key, text)
        elif key in COMPAT_NAMES.values():
            layer[key] = layer.get(key) is True or _switch(key, text)
        elif key in _SWITCHES:
            layer[key] = _switch(key, text)
        elif key in _LISTS:
            layer[key] = _listed(key, text)
        else:
            layer[key] = text
    return layer


def _listed(key: str, text: str) -> object:
    try:
        return json.loads(text) if text.startswith("[") else text.split(",")
    except ValueError as error:
        raise SettingsRefused([f"{key} is no JSON list: {error}"]) from None


def _switch(key: str, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise SettingsRefused([f"{key} is neither true nor false"])
    return text.lower() == "true"


def _refuse_live(name: str, text: str) -> None:
    if text.strip().lower() not in ("paper", "false"):
        raise SettingsRefused(
            [f"{name}={text}: this build has no live venue; it trades on paper only"],
            fix=f"remove {name}",
        )


def _tree(merged: Mapping[str, object], sources: Mapping[str, str]) -> _Tree:
    nested: dict[str, Any] = {}
    for key, value in merged.items():
        table = nested
        *heads, name = key.split(".")
        for head in heads:
            table = table.setdefault(head, {})
        table[name] = value
    try:
        return _Tree.model_validate(nested)
    except ValidationError as error:
        problems = []
        for one in error.errors(include_input=False, include_url=False):
            key = ".".join(str(part) for part in one["loc"])
            problems.append(f"{key} ({sources.get(key, 'settings')}): {one['msg']}")
        raise SettingsRefused(problems) from None


def _described(spec: LimitSpec) -> str:
    return f"{spec.unit}: {spec.meaning}"
