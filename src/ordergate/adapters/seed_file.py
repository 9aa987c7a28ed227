"""TOTP seeds in a file of the config directory that only the gateway's user can read."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Final

from ordergate.adapters.keys import KeyUnusable

SEED_FILE: Final = "operator.totp"


class SeedFile:
    """Implements the port Seeds; read each time anew: `operator init` is a program of its own."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / SEED_FILE

    def read(self, principal: str) -> str | None:
        """Return an operator's seed; raise KeyUnusable when others could read the file."""
        seed = self._all().get(principal)
        return seed if isinstance(seed, str) else None

    def put(self, principal: str, seed: str) -> None:
        """Replace an operator's seed in one step; the file is never half there, nor readable."""
        text = json.dumps({**self._all(), principal: seed})
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkstemp makes it 0600
        handle, draft = tempfile.mkstemp(dir=self._path.parent, prefix=f".{SEED_FILE}.")
        try:
            with open(handle, "w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, self._path)
        except BaseException:
            os.unlink(draft)
            raise

    def _all(self) -> dict[str, object]:
        try:
            if os.name == "posix" and self._path.stat().st_mode & 0o077:
                raise KeyUnusable(f"{SEED_FILE} can be read by others: chmod 600 it")
            seeds = json.loads(self._path.read_text(encoding="ascii"))
        except FileNotFoundError:
            return {}
        except ValueError:
            raise KeyUnusable(f"{SEED_FILE} is damaged") from None
        if not isinstance(seeds, dict):
            raise KeyUnusable(f"{SEED_FILE} is damaged")
        return seeds
