"""Typed settings: flags over environment over .env over ordergate.toml over defaults.

Both files live in the config directory; nothing is read from the working directory. An unknown key
anywhere stops the start. Every value remembers where it came from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from pydantic import SecretStr, ValidationError

from ordergate.adapters.config_files import (
    CHANNELS_NAME,
    DIRECTORY_NAMES,
    ENV_NAME,
    TOML_NAME,
    Directories,
    SettingsRefused,
    directories,
    read_lines,
    read_variables,
    toml_layer,
    toml_text,
    variable_layer,
)
from ordergate.model.arming import Switches
from ordergate.order.policy.limits import shown
from ordergate.order.policy.tightenings import in_force
from ordergate.settings.compat import COMPAT
from ordergate.settings.keys import (
    COMPAT_NAMES,
    FLOOR_KEY,
    IN_TOML,
    KEYS,
    LIMIT_KEYS,
    LISTS,
    NAMED_TABLES,
    NAMES,
    PREFIX,
    PROFILE_KEY,
    SWITCHES,
    described,
)
from ordergate.settings.limit_file import LimitFile
from ordergate.settings.outside import Mt5, News
from ordergate.settings.sections import (
    Console,
    Exits,
    Feed,
    Journal,
    Link,
    Log,
    Mcp,
    Notify,
    Paper,
    Research,
    Risk,
    Run,
    Server,
    Signals,
    Tree,
)
from ordergate.settings.switches import HUMAN_ONLY, half_on, read_switches

_ABOVE: Final = frozenset({PROFILE_KEY, *(f"compat.{name}" for name in COMPAT)})


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
    mt5: Mt5
    risk: Risk
    exits: Exits
    link: Link
    journal: Journal
    mcp: Mcp
    log: Log
    notify: Notify
    console: Console
    news: News
    signals: Signals
    research: Research
    run: Run
    token: SecretStr | None
    limits: LimitFile
    switches: Switches
    half_on: bool  # one switch of live trading is on, and live trading is not
    sources: Mapping[str, str]

    def rows(self) -> tuple[Shown, ...]:
        """Return every value with its source, secrets redacted."""
        rows = [
            Shown("config_dir", str(self.directories.config), self.sources["config_dir"], ""),
            Shown("data_dir", str(self.directories.data), self.sources["data_dir"], ""),
        ]
        for key, field in KEYS.items():
            value: Any = self
            for part in key.split("."):
                value = getattr(value, part)
            source = self.sources.get(key, "default")
            rows.append(Shown(key, toml_text(value), source, field.description or ""))
        live = "on" if self.switches.on else f"off: {self.switches.because}"
        rows.append(Shown("live", live, "human-only switches", "new risk with real money"))
        policy = self.limits.current()
        found = in_force(policy, ())
        for key, spec in LIMIT_KEYS.items():
            won = found.sources.get(key, "default")
            source = self.sources.get(key, "default") if won == "file" else won
            rows.append(Shown(key, shown(found.limits.value(spec)), source, described(spec)))
        for narrowing in policy.narrowings:
            for key, value in narrowing.values:
                meaning = f"only tightens: {described(LIMIT_KEYS[key])}"
                rows.append(Shown(key, shown(value), narrowing.source, meaning))
        return tuple(rows)


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
        if (name.startswith(PREFIX) or name in NAMES) and name not in DIRECTORY_NAMES
    }
    in_file = read_variables(where.env)
    layers: dict[str, Mapping[str, object]] = {
        TOML_NAME: toml_layer(where.toml, known=IN_TOML, beside=NAMED_TABLES) or {},
        CHANNELS_NAME: _channels(where),
        ENV_NAME: _variables(in_file, ENV_NAME),
        "environment": _variables(ours, "environment"),
        "flag": {key: value for key, value in (flags or {}).items() if value is not None},
    }
    merged: dict[str, object] = {}
    for source, layer in layers.items():
        for key, value in layer.items():
            if key not in COMPAT_NAMES.values() or merged.get(key) is not True:
                merged[key], sources[key] = value, source
    tree = _tree({key: value for key, value in merged.items() if key in KEYS}, sources)
    above = {
        key: value
        for key, value in merged.items()
        if sources[key] != TOML_NAME and (key in LIMIT_KEYS or key in _ABOVE)
    }
    limits = LimitFile(where.toml, overrides=above)
    limits.current()
    switches = read_switches(in_file, ours, paper_only=tree.run.paper_only)
    return Settings(
        directories=where,
        limits=limits,
        switches=switches,
        half_on=half_on(switches, in_file, ours),
        sources=sources,
        **{name: getattr(tree, name) for name in Tree.model_fields},
    )


def _channels(where: Directories) -> dict[str, object]:
    """Return the channels' addresses, one a line, where the private file is there."""
    lines = read_lines(where.config / CHANNELS_NAME)
    return {} if lines is None else {"notify.urls": lines}


def _variables(variables: Mapping[str, str], source: str) -> dict[str, object]:
    """Turn our variables into dotted keys: switches as bools, lists as lists."""
    layer: dict[str, object] = {}
    for key, text in variable_layer(variables, names=NAMES, source=source):
        if key in HUMAN_ONLY:
            continue  # read_switches has its own say
        if key in COMPAT_NAMES.values():
            layer[key] = layer.get(key) is True or _switch(key, text)
        elif key in SWITCHES:
            layer[key] = _switch(key, text)
        elif key == FLOOR_KEY:
            layer[key] = _higher(layer.get(key), text)
        elif key in LISTS:
            layer[key] = _listed(key, text)
        else:
            layer[key] = text
    return layer


def _higher(known: object, text: str) -> str:
    """Return the larger of two numbers under two names; what is none is refused as it stands."""
    try:
        return text if known is None or Decimal(text) > Decimal(str(known)) else str(known)
    except ArithmeticError:
        return text


def _listed(key: str, text: str) -> object:
    try:
        return json.loads(text) if text.startswith("[") else text.split(",")
    except ValueError as error:
        raise SettingsRefused([f"{key} is no JSON list: {error}"]) from None


def _switch(key: str, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise SettingsRefused([f"{key} is neither true nor false"])
    return text.lower() == "true"


def _tree(merged: Mapping[str, object], sources: Mapping[str, str]) -> Tree:
    nested: dict[str, Any] = {}
    for key, value in merged.items():
        table = nested
        *heads, name = key.split(".")
        for head in heads:
            table = table.setdefault(head, {})
        table[name] = value
    try:
        return Tree.model_validate(nested)
    except ValidationError as error:
        problems = []
        for one in error.errors(include_input=False, include_url=False):
            key = ".".join(str(part) for part in one["loc"])
            problems.append(f"{key} ({sources.get(key, 'settings')}): {one['msg']}")
        raise SettingsRefused(problems) from None
