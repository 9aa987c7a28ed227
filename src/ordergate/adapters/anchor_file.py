"""The newest signed head, kept outside the data directory: what the database once was, at least."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ordergate.model.canonical import canonical
from ordergate.model.records import AuditHead

DIRECTORY: Final = "anchors"


class AnchorUnreadable(Exception):
    """The anchor is there and cannot be understood."""


@dataclass(frozen=True, slots=True)
class Anchored:
    """A head that was once durable; `set_aside` is why its database was given up, if it was."""

    head: AuditHead
    set_aside: str | None = None


class AnchorFile:
    """One anchor for each data directory, in the config directory, replaced whole."""

    def __init__(self, config: Path, data: Path) -> None:
        name = hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:16]
        self.path: Final = config / DIRECTORY / f"{name}.json"

    def read(self) -> Anchored | None:
        """Return the anchor; None where none was kept; raise AnchorUnreadable."""
        try:
            said = json.loads(self.path.read_text("utf-8"))
            head = AuditHead(**said["head"])
            return Anchored(head, said["set_aside"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
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
