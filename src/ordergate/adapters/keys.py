"""The gate's own keys: audit signing key and token pepper, 0600 in the config directory."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

AUDIT_KEY: Final = "audit.key"
AUDIT_PUBLIC: Final = "audit.pub"
PEPPER: Final = "token.pepper"
KEY_BYTES: Final = 32


def presence(name: str, nonce: str) -> bytes:
    """Return what is signed to prove which gate answers under a name; no record looks like it."""
    return f"ordergate presence\n{name}\n{nonce}".encode()


@dataclass(frozen=True, slots=True)
class Keys:
    """`sign` and `verify` are ed25519 over raw bytes; `public` is the hex public key."""

    sign: Callable[[bytes], bytes]
    public: str
    pepper: bytes


class KeyUnusable(Exception):
    """A key file is readable by others, or is not what it should be."""


def load_keys(directory: Path, *, chance: Callable[[int], bytes]) -> Keys:
    """Read the keys, making each once where it is absent; refuse files that others can read."""
    private = Ed25519PrivateKey.from_private_bytes(_secret(directory / AUDIT_KEY, chance))
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    published = directory / AUDIT_PUBLIC
    if not published.exists():
        published.write_text(public + "\n", encoding="ascii")
    return Keys(sign=private.sign, public=public, pepper=_secret(directory / PEPPER, chance))


def verifier(public: str) -> Callable[[bytes, bytes], bool]:
    """Return a check of (message, signature) under a hex public key."""
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))

    def verify(message: bytes, signature: bytes) -> bool:
        try:
            key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return verify


def _secret(path: Path, chance: Callable[[int], bytes]) -> bytes:
    if not path.exists():
        made = chance(KEY_BYTES)
        # O_EXCL: two starts at once must not each keep a key of their own.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(made)
            file.flush()
            os.fsync(file.fileno())
        return made
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise KeyUnusable(f"{path.name} can be read by others: chmod 600 it, or make a new one")
    kept = path.read_bytes()
    if len(kept) != KEY_BYTES:
        raise KeyUnusable(f"{path.name} is damaged: {len(kept)} bytes instead of {KEY_BYTES}")
    return kept
