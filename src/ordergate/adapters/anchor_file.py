"""The newest signed head, kept outside the data directory: what the database once was, at least.

A second path, best on another machine, keeps it too: who rolls back one must reach the other.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from ordergate.model.canonical import canonical
from ordergate.model.records import AuditHead

DIRECTORY: Final = "anchors"
_log = structlog.get_logger("ordergate.anchor")


class AnchorUnreadable(Exception):
    """The anchor is there and cannot be understood."""


class AnchorOutOfReach(AnchorUnreadable):
    """The place of the anchor cannot be read at all."""


@dataclass(frozen=True, slots=True)
class Anchored:
    """A head that was once durable; `set_aside` is why its database was given up, if it was."""

    head: AuditHead
    set_aside: str | None = None


class AnchorFile:
    """One anchor for each data directory, in a directory of anchors, replaced whole."""

    def __init__(self, directory: Path, data: Path) -> None:
        name = hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:16]
        self.path: Final = directory / f"{name}.json"

    def read(self) -> Anchored | None:
        """Return the anchor; None where none was kept; raise AnchorUnreadable."""
        try:
            said = json.loads(self.path.read_text("utf-8"))
            head = AuditHead(**said["head"])
            return Anchored(head, said["set_aside"])
        except FileNotFoundError:
            return None
        except OSError as error:
            raise AnchorOutOfReach(f"{self.path}: {error}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise AnchorUnreadable(f"{self.path}: {error}") from error

    def write(self, anchored: Anchored) -> None:
        """Keep an anchor in the place of the one before; raise OSError."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = canonical(dataclasses.asdict(anchored)) + "\n"
        fresh = self.path.with_suffix(".new")
        with contextlib.suppress(FileNotFoundError):
            fresh.unlink()
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)


class Anchors:
    """The anchor in the config directory, and where one is configured, the second path's."""

    def __init__(self, config: Path, data: Path, *, second: Path | None = None) -> None:
        self._first = AnchorFile(config / DIRECTORY, data)
        self._second = None if second is None else AnchorFile(second, data)

    def read(self) -> Anchored | None:
        """Return the newest anchor that can be reached; raise AnchorUnreadable.

        One that gives its record up counts only where the other does not stand by it.
        """
        found = [self._first.read(), *self._beyond()]
        kept = [one for one in found if one is not None]
        return max(kept, key=lambda one: (one.set_aside is None, one.head.size), default=None)

    def write(self, anchored: Anchored) -> None:
        """Keep an anchor in every place; raise OSError when one of them took nothing."""
        self._first.write(anchored)
        if self._second is not None:
            self._second.write(anchored)

    def _beyond(self) -> list[Anchored | None]:
        """Return the second path's anchor: nothing where that place cannot be reached now."""
        if self._second is None:
            return []
        try:
            return [self._second.read()]
        except AnchorOutOfReach as error:
            _log.error("anchor.out_of_reach", reason=str(error))
            return []
