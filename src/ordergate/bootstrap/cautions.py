"""What a start says aloud about live trading before anything is armed."""

from __future__ import annotations

from typing import Final

from ordergate.model.accounts import Mode
from ordergate.settings.load import Settings

DAY_CAP: Final = "limits.notional_per_day_max_fraction"


def cautions(settings: Settings, mode: Mode | None) -> tuple[str, ...]:
    """Return what the operator must know of the live switches, loudest first."""
    switches = settings.switches
    if settings.half_on:
        return (f"live trading stays off: {switches.because}",)
    if not switches.on:
        return ()
    said = ["LIVE TRADING IS SWITCHED ON: an armed account moves real money"]
    if DAY_CAP not in settings.limits.current().origin:
        said.append(f"no daily value cap of your own is set: write {DAY_CAP} into ordergate.toml")
    if mode is None:
        said.append("the venue does not say what account this is: nothing can be armed")
    elif mode is not Mode.LIVE:
        said.append(f"the venue proves a {mode.value} account: there is nothing to arm")
    return tuple(said)
