"""A look at the account: what one read of the venue showed, and when."""

from __future__ import annotations

from dataclasses import dataclass

from ordergate.model.accounts import PRACTICE, Elsewhere, VenueSnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A read of the accounts, and the audit mark taken before it."""

    snapshot: VenueSnapshot | None  # None: the venue could not be read
    read_at: float  # monotonic seconds
    mark: int
    others: tuple[Elsewhere, ...] = ()

    @property
    def live(self) -> bool:
        """Say whether the account moves real money; one that is not proven may."""
        return self.snapshot is None or self.snapshot.identity.mode not in PRACTICE
