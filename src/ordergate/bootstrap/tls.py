"""The certificate that listeners beyond this machine need, and the names they then answer to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ordergate.adapters.config_files import SettingsRefused
from ordergate.settings.load import Settings

LOCAL: Final = "127.0.0.1"
_FIX: Final = "put certificate and key (chmod 600) into the config directory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """A certificate that fits its key; `names` as they stand in it, the first one shown."""

    cert: Path
    key: Path
    names: tuple[str, ...]


def tls_of(settings: Settings, *, now: datetime) -> Tls | None:
    """Return what a listener beyond loopback is served with; None where all stay on loopback.

    Raises SettingsRefused unless certificate and key lie in the config directory, the key is its
    owner's alone, both fit, and the certificate is good today.
    """
    server = settings.server
    if server.is_local or server.tls_cert is None or server.tls_key is None:
        return None
    home = settings.directories.config
    cert, key = _inside(home, server.tls_cert), _inside(home, server.tls_key)
    if os.name == "posix" and key.stat().st_mode & 0o077:
        raise SettingsRefused([f"{key} can be read by others"], fix=f"chmod 600 {key}")
    try:
        read = x509.load_pem_x509_certificate(cert.read_bytes())
        private = load_pem_private_key(key.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise SettingsRefused([f"no certificate and key in PEM: {error}"], fix=_FIX) from None
    if private.public_key() != read.public_key():
        raise SettingsRefused(["server.tls_key is not the key of server.tls_cert"], fix=_FIX)
    if not read.not_valid_before_utc <= now < read.not_valid_after_utc:
        raise SettingsRefused(
            [f"the certificate is good until {read.not_valid_after_utc:%Y-%m-%d} only"],
            fix="renew it",
        )
    return Tls(cert=cert, key=key, names=_names(read))


def _inside(home: Path, path: Path) -> Path:
    found = (home / path).resolve()
    if not found.is_relative_to(home.resolve()) or not found.is_file():
        raise SettingsRefused([f"{path} is no file of the config directory"], fix=_FIX)
    return found


def _names(cert: x509.Certificate) -> tuple[str, ...]:
    """Return the names of the certificate, an IPv6 address in brackets; no wildcard is a name."""
    try:
        held = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        held = x509.SubjectAlternativeName([])
    dns = [name.lower() for name in held.get_values_for_type(x509.DNSName) if "*" not in name]
    addresses = [
        f"[{one}]" if ip_address(str(one)).version == 6 else str(one)
        for one in held.get_values_for_type(x509.IPAddress)
    ]
    if not dns and not addresses:
        raise SettingsRefused(["the certificate bears no name of a host"], fix=_FIX)
    return (*dns, *addresses)
