"""Every key by its dotted name, and the variables that set it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ordergate.order.policy.limits import SPECS, LimitSpec
from ordergate.settings.compat import COMPAT
from ordergate.settings.section import Section
from ordergate.settings.sections import Tree
from ordergate.settings.switches import HUMAN_ONLY

PREFIX: Final = "ORDERGATE_"
COMPAT_NAMES: Final = {
    "MCP_DATA_ONLY_MODE": "mcp.data_only",
    "KILL_SWITCH_ACTIVE": "run.kill_at_start",
}
FLOOR_NAME: Final = "MIN_SIGNAL_CONFIDENCE"
FLOOR_KEY: Final = "signals.confidence_min"  # of both names the larger number holds
PROFILE_KEY: Final = "risk.profile"
# Tables whose keys are names: of agents, accounts, venues, and of the sources of compat keys.
NAMED_TABLES: Final = ("limits.agents", "limits.accounts", "limits.venues", "compat")
FLAGS_ONLY: Final = frozenset({"run.paper_only", "run.idle_exit_s", "run.kill_at_start"})
SECRETS: Final = frozenset(
    {
        *("token", "notify.urls", "notify.webhook_key", "journal.database_url"),
        *("news.tavily_key", "news.newsapi_key", "mt5.password"),
    }
)


def _fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            yield from _fields(kind, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


KEYS: Final = dict(_fields(Tree))
LIMIT_KEYS: Final = {spec.name: spec for spec in SPECS}  # [limits] and [approval]
IN_TOML: Final = frozenset(KEYS) - FLAGS_ONLY - SECRETS | LIMIT_KEYS.keys()
SWITCHES: Final = {key for key, spec in LIMIT_KEYS.items() if isinstance(spec.default, bool)}
LISTS: Final = {key for key, spec in LIMIT_KEYS.items() if isinstance(spec.default, tuple)} | {
    key for key, field in KEYS.items() if get_origin(field.annotation) is tuple
}
NAMES: Final = {  # variable -> dotted key
    **{PREFIX + key.upper().replace(".", "__"): key for key in IN_TOML | SECRETS},
    **COMPAT_NAMES,
    FLOOR_NAME: FLOOR_KEY,
    **{name: f"compat.{name}" for name in COMPAT},
    **{name: name for name in HUMAN_ONLY},
}


def described(spec: LimitSpec) -> str:
    return f"{spec.unit}: {spec.meaning}"
