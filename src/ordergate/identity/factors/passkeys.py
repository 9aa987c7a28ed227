"""Passkeys (WebAuthn): what the browser is asked, and what its answer proves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import bytes_to_base64url, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

TIMEOUT_MS: Final = 120_000
NAME_MAX: Final = 60
HELD_MAX: Final = 20
_VERIFIED: Final = UserVerificationRequirement.REQUIRED


class NotProven(Exception):
    """The answer is no proof: another site, another challenge, no user, a wrong signature."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the console is reached: the name passkeys are bound to, and every exact origin."""

    rp_id: str
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """What a registration proved; bytes as base64url text."""

    credential_id: str
    public_key: str
    sign_count: int


def site_of(console_url: str, public_url: str | None = None) -> Site:
    """Return the console's own name, or the name of the address by which a phone reaches it."""
    own = public_url or console_url
    origins = dict.fromkeys(one for one in (public_url, console_url) if one)
    return Site(urlsplit(own).hostname or "", tuple(origins))


def registration_options(
    site: Site, *, principal: str, name: str, known: Iterable[str], challenge: bytes
) -> Mapping[str, Any]:
    """Return what navigator.credentials.create is given."""
    options = generate_registration_options(
        rp_id=site.rp_id,
        rp_name="ordergate",
        user_name=name,
        user_id=hashlib.sha256(principal.encode()).digest(),
        challenge=challenge,
        timeout=TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_VERIFIED
        ),
        exclude_credentials=_described(known),
    )
    return _plain(options_to_json(options))


def assertion_options(site: Site, *, known: Iterable[str], challenge: bytes) -> Mapping[str, Any]:
    """Return what navigator.credentials.get is given; none known = the device offers its own."""
    options = generate_authentication_options(
        rp_id=site.rp_id,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        allow_credentials=_described(known),
        user_verification=_VERIFIED,
    )
    return _plain(options_to_json(options))


def registered(site: Site, answer: str, *, challenge: bytes) -> NewPasskey:
    """Return the new passkey; raise NotProven unless it was made here, for this challenge."""
    try:
        proven = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=_here(site),
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotProven(str(error)) from None
    return NewPasskey(
        bytes_to_base64url(proven.credential_id),
        bytes_to_base64url(proven.credential_public_key),
        proven.sign_count,
    )


def asserted(site: Site, answer: str, *, challenge: bytes, public_key: str, sign_count: int) -> int:
    """Return the new signature count; raise NotProven unless this passkey's verified user signed
    exactly this challenge, for exactly this site."""
    try:
        proven = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=_here(site),
            credential_public_key=base64url_to_bytes(public_key),
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotProven(str(error)) from None
    return proven.new_sign_count


def credential_of(answer: str) -> tuple[str, bytes]:
    """Return which passkey claims to answer, and which challenge; raise NotProven."""
    try:
        said = json.loads(answer)
        client = parse_client_data_json(base64url_to_bytes(said["response"]["clientDataJSON"]))
        name = said["id"]
    except (WebAuthnException, ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotProven(f"no answer of a passkey: {type(error).__name__}") from None
    if not isinstance(name, str):
        raise NotProven("no answer of a passkey")
    return name, client.challenge


def short_id(credential_id: str) -> str:
    """Return the name a passkey goes by in paths and lists: 16 hex digits."""
    return hashlib.sha256(credential_id.encode()).hexdigest()[:16]


def name_fault(name: str) -> str | None:
    """Return why a passkey cannot bear this name."""
    if not name.strip() or len(name) > NAME_MAX or not name.isprintable():
        return f"a passkey's name is 1 to {NAME_MAX} printable letters"
    return None


def _here(site: Site) -> list[str]:
    """Return the origins under the name that passkeys are bound to."""
    return [one for one in site.origins if urlsplit(one).hostname == site.rp_id]


def _described(known: Iterable[str]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in known]


def _plain(options: str) -> Mapping[str, Any]:
    read: Mapping[str, Any] = json.loads(options)
    return read
