"""The two files of the config directory as text and tables: private, plain and never guessed."""

from __future__ import annotations

import difflib
import json
import os
import tomllib
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import platformdirs
from pydantic import BaseModel, SecretStr

from ordergate.model.errors import InvalidArgument

TOML_NAME: Final = "ordergate.toml"
ENV_NAME: Final = ".env"
CHANNELS_NAME: Final = "notify.urls"
DIRECTORY_NAMES: Final = ("ORDERGATE_CONFIG_DIR", "ORDERGATE_DATA_DIR")
FILE_BYTES_MAX: Final = 256 * 1024
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # Unicode categories


class SettingsRefused(InvalidArgument):
    """The settings cannot be used as they stand; each problem names its key and its source."""

    def __init__(self, problems: Sequence[str], *, fix: str = "") -> None:
        super().__init__("; ".join(problems), fix=fix or "correct the settings and start again")
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Directories:
    config: Path
    data: Path

    @property
    def toml(self) -> Path:
        return self.config / TOML_NAME

    @property
    def env(self) -> Path:
        return self.config / ENV_NAME


def directories(environ: Mapping[str, str]) -> Directories:
    """Return the config and data directories; create nothing."""
    config = platformdirs.user_config_path("ordergate", appauthor=False)
    data = platformdirs.user_data_path("ordergate", appauthor=False)
    return Directories(
        _directory(environ, DIRECTORY_NAMES[0], config),
        _directory(environ, DIRECTORY_NAMES[1], data),
    )


def read_variables(path: Path) -> dict[str, str]:
    """Read NAME=value lines; one pair of quotes is taken off, nothing is expanded."""
    text = _private_text(path)
    variables: dict[str, str] = {}
    for number, line in enumerate((text or "").split("\n"), start=1):
        line = line.removesuffix("\r").strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.removeprefix("export ").partition("=")
        name, value = name.strip(), value.strip()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        if not equals or not name or name in variables or '"' in value or "'" in value:
            raise SettingsRefused(
                [f"line {number} of {path.name} is no NAME=value, or repeats one"]
            )
        variables[name] = value
    return variables


def read_lines(path: Path) -> list[str] | None:
    """Read a private file's lines, comments and blank ones left out; None where there is none."""
    text = _private_text(path)
    if text is None:
        return None
    lines = [clean(line.strip("\r\t "), path.name, path.name) for line in text.split("\n")]
    return [line for line in lines if line and not line.startswith("#")]


def read_tables(path: Path) -> dict[str, Any] | None:
    """Read a private TOML file, numbers as Decimal; None where there is none."""
    text = _private_text(path)
    if text is None:
        return None
    try:
        tables = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise SettingsRefused([f"{path.name} is no TOML: {error}"]) from None
    _clean_all(tables, "", path.name)
    return tables


def toml_layer(
    path: Path, *, known: Collection[str], beside: Collection[str] = ()
) -> dict[str, object] | None:
    """Return a TOML file as dotted keys; refuse an unknown one with a suggestion."""
    tables = read_tables(path)
    return None if tables is None else dotted(tables, path.name, known=known, beside=beside)


def dotted(
    tables: Mapping[str, Any], source: str, *, known: Collection[str], beside: Collection[str] = ()
) -> dict[str, object]:
    """Return tables as dotted keys, those of `beside` left out; refuse an unknown key."""
    layer = dict(_leaves(tables, "", {*known, *beside}))
    layer = {key: value for key, value in layer.items() if key not in beside}
    problems = [unknown(key, source, known) for key in layer if key not in known]
    if problems:
        raise SettingsRefused(problems)
    return layer


def variable_layer(
    variables: Mapping[str, str], *, names: Mapping[str, str], source: str
) -> list[tuple[str, str]]:
    """Return variables with their dotted keys; refuse a name that `names` does not know."""
    problems = [unknown(name, source, names) for name in variables if name not in names]
    if problems:
        raise SettingsRefused(problems)
    return [(names[name], clean(text, name, source)) for name, text in variables.items()]


def unknown(name: str, source: str, known: Collection[str]) -> str:
    """Say that a key is unknown, and which one may have been meant."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"unknown key {name!a} in {source}" + (f"; did you mean {near[0]}?" if near else "")


def _leaves(
    table: Mapping[str, Any], prefix: str, known: Collection[str]
) -> Iterator[tuple[str, object]]:
    for name, value in table.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict) and key not in known:
            yield from _leaves(value, f"{key}.", known)
        else:
            yield key, value


def toml_text(value: object) -> str:
    """Write a value as ordergate.toml would."""
    match value:
        case None:
            return "unset"
        case bool():
            return str(value).lower()
        case Decimal() | int():
            return format(value, "f") if isinstance(value, Decimal) else str(value)
        case tuple() | list():
            return f"[{', '.join(map(toml_text, value))}]"
        case SecretStr():
            return "***"
        case BaseModel():
            return value.model_dump_json(exclude_defaults=True)
    return json.dumps(str(value))


def stamp(path: Path) -> tuple[int, ...] | None:
    """Return numbers that change whenever the file does; None where there is none."""
    try:
        seen = path.stat()
    except OSError:
        return None
    return (seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size, seen.st_ino)


def clean(text: str, name: str, source: str) -> str:
    """Refuse line breaks, control, bidirectional and invisible characters (A1)."""
    if any(unicodedata.category(letter) in _UNSEEN for letter in name + text):
        raise SettingsRefused([f"{name!a} in {source} holds a control or invisible character"])
    return text


def _clean_all(value: object, key: str, source: str) -> None:
    match value:
        case str():
            clean(value, key, source)
        case list():
            for item in value:
                _clean_all(item, key, source)
        case dict():
            for name, item in value.items():
                _clean_all([name, item], name, source)


def _private_text(path: Path) -> str | None:
    """Read a file that only its owner may read or write; None where there is none."""
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if os.name == "posix" and mode & 0o077:
                raise SettingsRefused(
                    [f"{path} can be read or changed by others"], fix=f"chmod 600 {path}"
                )
            raw = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    if len(raw) > FILE_BYTES_MAX:
        raise SettingsRefused([f"{path.name} is larger than {FILE_BYTES_MAX} bytes"])
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise SettingsRefused([f"{path.name} is not UTF-8"]) from None


def _directory(environ: Mapping[str, str], name: str, default: Path) -> Path:
    text = environ.get(name)
    if text is None:
        return default
    path = Path(clean(text, name, "environment")).expanduser()
    if not path.is_absolute():
        raise SettingsRefused([f"{name} is not an absolute path"])
    return path
