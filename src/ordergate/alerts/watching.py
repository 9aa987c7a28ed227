"""Whether a gateway that is looked at from outside lives, and when that is worth a word."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import Final

CONFIRM_S: Final = 5.0  # a second look, before anybody is woken
CONFIRMED: Final = 2  # looks that failed one after the other
REPEAT_S: Final = 300.0
REPEAT_LATER_S: Final = 900.0


class Word(enum.StrEnum):
    DOWN = "down"
    UP = "up"


@dataclass(frozen=True, slots=True)
class Watch:
    """What was seen so far. Times are seconds of a clock that never goes back."""

    failed: int = 0
    told: int = 0
    told_at: float = 0.0

    def seen(self, alive: bool, now: float) -> tuple[Watch, Word | None]:
        """Return the watch after a look, and what is to be said because of it."""
        if alive:
            return (self, Word.UP) if self.told else (Watch(), None)
        later = replace(self, failed=self.failed + 1)
        if later.failed < CONFIRMED:
            return later, None
        wait = REPEAT_S if self.told == 1 else REPEAT_LATER_S
        if self.told and now - self.told_at < wait:
            return later, None
        return later, Word.DOWN

    def said(self, word: Word, now: float) -> Watch:
        """Return the watch after a word reached somebody; one that did not is said again."""
        return Watch() if word is Word.UP else replace(self, told=self.told + 1, told_at=now)

    def pause(self, every_s: float) -> float:
        """Return how long to wait for the next look: short while a death is not confirmed."""
        return min(CONFIRM_S, every_s) if self.failed and not self.told else every_s


def noticed_within(every_s: float, *, look_s: float, send_s: float) -> float:
    """Return the longest time from a death to the end of the first try to tell of it."""
    return every_s + look_s + min(CONFIRM_S, every_s) + look_s + send_s
