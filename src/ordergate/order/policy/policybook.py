"""The policy book: the file as it is now, held back by what is kept, read for whoever asks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from ordergate.model.canonical import canonical, sha256_hex
from ordergate.model.records import Tightening
from ordergate.model.views import LimitView
from ordergate.order.policy.limits import Limits, policy_hash
from ordergate.order.policy.loosening import held_back, read_kept
from ordergate.order.policy.tightenings import EVERYONE, InForce, Scope, in_force, limit_views

SCOPES_KEPT: Final = 256


@dataclass(slots=True)
class PolicyBook:
    """All that is in force, worked out once for each scope that asks."""

    file: Limits
    kept: str | None  # what counted when the file was last looked at; None = never yet
    tightenings: tuple[Tightening, ...]
    limits: Limits = field(init=False)
    _scopes: dict[Scope, tuple[InForce, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kept = self.kept
        self.limits = self.file if kept is None else held_back(self.file, read_kept(kept))

    def is_of(self, file: Limits, kept: str | None, tightenings: Iterable[Tightening]) -> bool:
        """Say whether nothing it was made of has changed."""
        return (self.kept, self.file) == (kept, file) and self.tightenings == tuple(tightenings)

    def of(self, scope: Scope) -> InForce:
        """Return the limits in force for a scope, with their sources."""
        return self._worked_out(scope)[0]

    def hash_of(self, scope: Scope) -> str:
        """Return the hash of the limits in force for a scope."""
        return self._worked_out(scope)[1]

    def views(self, scope: Scope) -> tuple[LimitView, ...]:
        """Return every limit in force for a scope with its unit, meaning and source."""
        return limit_views(self.limits, self.tightenings, scope)

    def whole_hash(self, everybody: Scope = EVERYONE) -> str:
        """Return one hash over what is in force for everyone and over every table of its own."""
        everyone, narrower = self.hash_of(everybody), self.limits.narrowings
        return sha256_hex(canonical([everyone, narrower])) if narrower else everyone

    def _worked_out(self, scope: Scope) -> tuple[InForce, str]:
        found = self._scopes.get(scope)
        if found is None:
            if len(self._scopes) >= SCOPES_KEPT:
                self._scopes.clear()
            effective = in_force(self.limits, self.tightenings, scope)
            found = self._scopes[scope] = (effective, policy_hash(effective.limits))
        return found
