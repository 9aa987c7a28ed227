"""The keys of one log: which of them signed which part, told by rotations that both keys signed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Final

from ordergate.audit.chain import Broken
from ordergate.model.canonical import canonical
from ordergate.model.records import AuditRow

ROTATED: Final = "record.key_rotated"
_ACT: Final = "the record goes on under another key"

Verify = Callable[[bytes, bytes], bool]  # (message, signature)
Signed = Callable[[str, bytes, bytes], bool]  # (hex public key, message, signature)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """From the record that holds it on, the new key signs heads and checkpoints."""

    log_id: str
    first: int  # the record itself
    old: str  # hex public keys
    new: str
    signed_by_old: str = ""
    signed_by_new: str = ""

    def statement(self) -> bytes:
        """Return what both keys sign."""
        said = {"act": _ACT, "log_id": self.log_id, "first": self.first}
        return canonical({**said, "old": self.old, "new": self.new}).encode()

    def body(self) -> dict[str, object]:
        """Return what is sealed."""
        return asdict(self)


class Keyring:
    """Checks a signature under the key that was in force at the size which the message names."""

    def __init__(self, keys: list[tuple[int, str]], signed: Signed) -> None:
        self._keys = keys  # (first record, key), in order
        self._signed = signed

    def __call__(self, message: bytes, signature: bytes) -> bool:
        try:
            size = int(json.loads(message)["size"])
        except (ValueError, KeyError, TypeError):
            return False
        key = [key for first, key in self._keys if first <= size][-1]
        return self._signed(key, message, signature)


def keyring(rotated: Iterable[AuditRow], *, pinned: Verify, signed: Signed) -> Verify | Broken:
    """Return the check for a whole log whose reader trusts one of its keys.

    A rotation that is not signed by both its keys, or does not follow from the one before, is
    Broken. Where no rotation is of the pinned key, that key alone counts.
    """
    keys: list[tuple[int, str]] = []
    trusted = False
    for row in rotated:
        rotation = _read(row)
        if rotation is None or not _both(rotation, signed):
            return Broken(row.seq, "the change of keys is not signed by both")
        if keys and keys[-1][1] != rotation.old:
            return Broken(row.seq, "the change of keys does not follow from the one before")
        if not keys:
            keys.append((0, rotation.old))
        keys.append((rotation.first, rotation.new))
        statement = rotation.statement()
        for sig in (rotation.signed_by_old, rotation.signed_by_new):
            trusted = trusted or pinned(statement, bytes.fromhex(sig))
    return Keyring(keys, signed) if trusted else pinned


def _read(row: AuditRow) -> Rotation | None:
    try:
        sealed = json.loads(row.body)
        rotation = Rotation(**sealed["body"])
    except (ValueError, KeyError, TypeError):
        return None
    same = rotation.first == sealed.get("seq") == row.seq
    return rotation if same and sealed.get("kind") == ROTATED else None


def _both(rotation: Rotation, signed: Signed) -> bool:
    try:
        statement = rotation.statement()
        return signed(rotation.old, statement, bytes.fromhex(rotation.signed_by_old)) and signed(
            rotation.new, statement, bytes.fromhex(rotation.signed_by_new)
        )
    except (ValueError, TypeError):
        return False
