"""A passkey in software, for tests: signs as an authenticator does, rightly or wrongly on order."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class SoftPasskey:
    """One key on P-256; `origin`, `rp_id` and `flags` are what it claims."""

    origin: str
    rp_id: str = "ordergate.localhost"
    flags: int = PRESENT | VERIFIED
    count: int = 0
    key: EllipticCurvePrivateKey = field(
        default_factory=lambda: derive_private_key(7_654_321, SECP256R1())
    )

    @property
    def credential_id(self) -> bytes:
        numbers = self.key.public_key().public_numbers()
        return hashlib.sha256(f"{numbers.x}".encode()).digest()

    def create(self, options: Mapping[str, Any], **claims: Any) -> str:
        """Answer navigator.credentials.create."""
        numbers = self.key.public_key().public_numbers()
        cose = {
            1: 2,
            3: -7,
            -1: 1,
            -2: numbers.x.to_bytes(32, "big"),
            -3: numbers.y.to_bytes(32, "big"),
        }
        held = self.credential_id
        attested = bytes(16) + len(held).to_bytes(2, "big") + held + cbor2.dumps(cose)
        told = self._told(claims, ATTESTED) + attested
        client = self._client("webauthn.create", options["challenge"], claims)
        statement = {"fmt": "none", "attStmt": {}, "authData": told}
        return self._answer(
            {"clientDataJSON": b64(client), "attestationObject": b64(cbor2.dumps(statement))}
        )

    def get(self, options: Mapping[str, Any], **claims: Any) -> str:
        """Answer navigator.credentials.get."""
        self.count += 1
        told = self._told(claims, 0)
        client = self._client("webauthn.get", options["challenge"], claims)
        signature = self.key.sign(told + hashlib.sha256(client).digest(), ECDSA(SHA256()))
        return self._answer(
            {
                "clientDataJSON": b64(client),
                "authenticatorData": b64(told),
                "signature": b64(signature),
                "userHandle": None,
            }
        )

    def _told(self, claims: Mapping[str, Any], more: int) -> bytes:
        rp_id = claims.get("rp_id", self.rp_id)
        flags = claims.get("flags", self.flags) | more
        count = claims.get("count", self.count)
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str, claims: Mapping[str, Any]) -> bytes:
        origin = claims.get("origin", self.origin)
        said = {"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _answer(self, response: Mapping[str, Any]) -> str:
        held = b64(self.credential_id)
        return json.dumps(
            {
                "id": held,
                "rawId": held,
                "type": "public-key",
                "clientExtensionResults": {},
                "response": response,
            }
        )
