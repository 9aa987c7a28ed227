"""A signal as a proposal: direction, entry, stop, target, confidence, and what holds it back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from ordergate.market.features.frame import Frame

if TYPE_CHECKING:
    from ordergate.market.signals.strategies import Signals

CONFIDENCE_LEAST: Final = 0.42
REWARD_RISK_LEAST: Final = 0.7
EDGE_LEAST: Final = 0.0


class Speaks(Protocol):
    """A strategy or a vote of several."""

    @property
    def name(self) -> str: ...

    @property
    def required_history(self) -> int: ...

    @property
    def columns(self) -> tuple[str, ...]: ...

    def on(self, frame: Frame) -> Signals: ...

    def reasons(self, frame: Frame, bar: int = -1) -> tuple[str, ...]: ...

    def readings(self, frame: Frame, bar: int = -1) -> dict[str, float]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Floors:
    """What a signal must reach to be proposed; `edge` is in units of the risk taken."""

    confidence: float = CONFIDENCE_LEAST
    reward_risk: float = REWARD_RISK_LEAST
    edge: float = EDGE_LEAST


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a strategy says of the newest bar. Numbers are None where it says neither.

    `edge` = confidence x reward:risk - (1 - confidence) - spread / risk: the mean result in units
    of the risk if the confidence were the chance of the target. It is a score: no backtest has
    calibrated it. `held_back` says why a direction is not proposed.
    """

    direction: str  # "long", "short" or "none"
    entry: float | None = None
    stop: float | None = None
    target: float | None = None
    confidence: float | None = None
    reward_risk: float | None = None
    edge: float | None = None
    held_back: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    readings: Mapping[str, float]

    @property
    def proposed(self) -> bool:
        return self.direction != "none" and not self.held_back


def propose(
    speaker: Speaks, frame: Frame, *, spread: float | None, floors: Floors | None = None
) -> Proposal:
    """Return the speaker's word on the last bar of a frame.

    `spread` is the current one, None where it is not known: then the edge is not known either, and
    the proposal is held back. Raises BadBars for a hole in a column that is read.
    """
    floors = floors or Floors()
    said = speaker.on(frame)
    way = float(said.direction[-1])
    readings = speaker.readings(frame)
    if way == 0:
        why = speaker.reasons(frame) or (f"{speaker.name}: no condition holds",)
        return Proposal(direction="none", reasons=why, readings=readings)
    entry, stop, target = (float(column[-1]) for column in (said.entry, said.stop, said.target))
    sure = float(said.confidence[-1])
    risk = abs(entry - stop)
    reward_risk = abs(target - entry) / risk
    edge = None if spread is None else edge_of(sure, reward_risk, spread / risk)
    return Proposal(
        direction="long" if way > 0 else "short",
        entry=entry,
        stop=stop,
        target=target,
        confidence=sure,
        reward_risk=reward_risk,
        edge=edge,
        held_back=_held_back(sure, reward_risk, edge, floors),
        reasons=speaker.reasons(frame),
        readings=readings,
    )


def held(proposal: Proposal, reasons: Sequence[str]) -> Proposal:
    """Return the proposal held back for these reasons, too; one without a direction stays so."""
    if proposal.direction == "none":
        return proposal
    return replace(proposal, held_back=(*proposal.held_back, *reasons))


def edge_of(confidence: float, reward_risk: float, cost: float) -> float:
    """Return the mean result in units of the risk; `cost` is the spread in the same unit."""
    return confidence * reward_risk - (1 - confidence) - cost


def _held_back(
    confidence: float, reward_risk: float, edge: float | None, floors: Floors
) -> tuple[str, ...]:
    """Name each floor that is not reached; a float's last digit decides nothing."""
    found = []
    if confidence < floors.confidence and not math.isclose(confidence, floors.confidence):
        found.append(f"confidence {confidence:.3f} is below {floors.confidence:g}")
    if reward_risk < floors.reward_risk and not math.isclose(reward_risk, floors.reward_risk):
        found.append(f"reward:risk {reward_risk:.3f} is below {floors.reward_risk:g}")
    if edge is None:
        found.append("the spread, and so the edge, is not known")
    elif edge < floors.edge:
        found.append(f"edge {edge:.3f} is below {floors.edge:g}")
    return tuple(found)
