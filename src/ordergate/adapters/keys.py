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
NEXT_KEY: Final = "audit.key.next"  # of a rotation that is under way
PEPPER: Final = "token.pepper"
KEY_BYTES: Final = 32


def presence(name: str, nonce: str) -> bytes:
    """Return what is signed to prove which gate answers under a name; no record looks like it."""
    return f"ordergate presence\n{name}\n{nonce}".encode()


@dataclass(frozen=True, slots=True)
class Keys:
    """`sign` is ed25519 over raw bytes; `public` is the hex public key."""

    sign: Callable[[bytes], bytes]
    public: str
    pepper: bytes
    lost: str | None = None  # why this is not the key that sealed the record so far


@dataclass(frozen=True, slots=True)
class Pair:
    sign: Callable[[bytes], bytes]
    public: str


class KeyUnusable(Exception):
    """A key file is readable by others, or is not what it should be."""


def load_keys(directory: Path, *, chance: Callable[[int], bytes]) -> Keys:
    """Read the keys, making each once where it is absent; refuse files that others can read.

    A signing key is never made anew beside the public key of one that is gone.
    """
    pepper = _secret(directory / PEPPER, chance)
    published = directory / AUDIT_PUBLIC
    if published.exists() and not (directory / AUDIT_KEY).exists():
        stray = _pair(chance(KEY_BYTES))
        why = f"{AUDIT_KEY} is gone, and {AUDIT_PUBLIC} is the key of the record"
        return Keys(sign=stray.sign, public=stray.public, pepper=pepper, lost=why)
    pair = _pair(_secret(directory / AUDIT_KEY, chance))
    if not published.exists():
        published.write_text(pair.public + "\n", encoding="ascii")
    ours = published_key(directory) == pair.public
    lost = None if ours else f"{AUDIT_KEY} is not the key of {AUDIT_PUBLIC}"
    return Keys(sign=pair.sign, public=pair.public, pepper=pepper, lost=lost)


def published_key(directory: Path) -> str:
    """Return the public key that the config directory names."""
    return (directory / AUDIT_PUBLIC).read_text(encoding="ascii").strip()


def next_pair(directory: Path, *, chance: Callable[[int], bytes]) -> Pair:
    """Return the key that a rotation goes to, made once and kept until it is taken."""
    return _pair(_secret(directory / NEXT_KEY, chance))


def take_next(directory: Path, *, chance: Callable[[int], bytes]) -> None:
    """Put the next key in the place of the signing key; done twice, nothing more changes."""
    pair = next_pair(directory, chance=chance)
    published = directory / AUDIT_PUBLIC
    keep_public(directory)
    fresh = published.with_suffix(".pub.new")
    fresh.write_text(pair.public + "\n", encoding="ascii")
    fresh.replace(published)
    (directory / NEXT_KEY).replace(directory / AUDIT_KEY)


def keep_public(directory: Path) -> Path:
    """Copy the public key to a name of its own: what it sealed is proven by it for years."""
    public = published_key(directory)
    kept = directory / f"audit-{public[:8]}.pub"
    kept.write_text(public + "\n", encoding="ascii")
    return kept


def new_beginning(directory: Path) -> Path:
    """Let the next start make a new key for a new record; the old public key is kept."""
    kept = keep_public(directory)
    (directory / AUDIT_PUBLIC).unlink()
    stray = directory / AUDIT_KEY
    if stray.exists():
        stray.replace(directory / f"{kept.stem}.stray.key")
    return kept


def _pair(raw: bytes) -> Pair:
    private = Ed25519PrivateKey.from_private_bytes(raw)
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    return Pair(private.sign, public)


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


def signed_under(public: str, message: bytes, signature: bytes) -> bool:
    """Say whether a key, hex, signed a message; False where it is no key."""
    try:
        return verifier(public)(message, signature)
    except ValueError:
        return False


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
