"""The two switches of live trading, which only a human sets, and the aliases that only disarm.

They count from the config directory's .env and from the environment of a gateway the operator
started; never from ordergate.toml, a working directory, or a gateway an AI client started.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ordergate.adapters.config_files import SettingsRefused
from ordergate.model.arming import Switches

ON: Final = {"TRADING_MODE": "live", "ALLOW_LIVE_TRADING": "true"}
OFF: Final = {"TRADING_MODE": "paper", "ALLOW_LIVE_TRADING": "false"}
ALIASES: Final = (
    "ENABLE_LIVE_ORDER",
    "TRADING_ALLOW_LIVE",
    "CRYPTO_ALLOW_LIVE",
    "MCP_ENABLE_LIVE_TOOLS",
)
HUMAN_ONLY: Final = (*ON, *ALIASES)


def read_switches(*places: Mapping[str, str], paper_only: bool) -> Switches:
    """Return whether live trading is on: both switches on somewhere, and nothing off anywhere.

    A switch that says neither of its two words stops the start; an alias that says anything but
    true disarms.
    """
    said = {name: [place[name].lower() for place in places if name in place] for name in HUMAN_ONLY}
    problems = [
        f"{name} is neither {ON[name]} nor {OFF[name]}"
        for name in ON
        if not set(said[name]) <= {ON[name], OFF[name]}
    ]
    if problems:
        raise SettingsRefused(problems, fix="set it to one of the two, or remove it")
    off = [f"{name} is {OFF[name]}" for name in ON if OFF[name] in said[name]]
    off += [f"{name} is not set" for name in ON if not said[name]]
    off += [f"{name} disarms" for name in ALIASES if set(said[name]) - {"true"}]
    if paper_only:
        off.insert(0, "this gateway was started paper-only")
    return Switches(on=not off, because="; ".join(off))


def half_on(switches: Switches, *places: Mapping[str, str]) -> bool:
    """Say whether one switch is on while live trading is off: perhaps not what was meant."""
    return not switches.on and any(
        place.get(name, "").lower() == word for place in places for name, word in ON.items()
    )
