"""Whether a public name leads, through TLS, to a certain gateway: looked at as a phone would."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from ordergate.adapters.keys import presence

WAIT_S: Final = 5.0
LEFT_MIN: Final = timedelta(days=7)
ANSWER_MAX: Final = 16 * 1024

Resolve = Callable[[str, int], list[str]]


class NameFails(Exception):
    """One step towards the gateway does not hold; `fix` says what to do."""

    def __init__(self, step: str, message: str, fix: str) -> None:
        super().__init__(message)
        self.step = step
        self.message = message
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Reached:
    """What was found on the way to the gateway."""

    addresses: tuple[str, ...]
    certificate_ends: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How to look: the moment, the nonce, the gate's public key as a check, the resolver."""

    now: datetime
    nonce: str
    verify: Callable[[bytes, bytes], bool]
    resolve: Resolve
    context: ssl.SSLContext


def resolved(name: str, port: int) -> list[str]:
    """Return a name's addresses; raise OSError where it has none."""
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def reach(url: str, look: Look) -> Reached:
    """Follow a public address to the gateway's own proof; raise NameFails at the first fault."""
    parts = urlsplit(url)
    name, port = parts.hostname or "", parts.port or 443
    try:
        addresses = look.resolve(name, port)
    except OSError:
        raise NameFails(
            "name", f"{name} does not resolve", "make the name, or wait until it is known"
        ) from None
    ends = _certificate(name, port, addresses[0], look)
    _is_ours(parts.netloc, (name, port, addresses[0]), look)
    return Reached(tuple(addresses), ends)


def only_here(addresses: tuple[str, ...]) -> bool:
    """Say whether a name leads to this machine's loopback alone, where no phone gets."""
    return all(ip_address(one.partition("%")[0]).is_loopback for one in addresses)


def _certificate(name: str, port: int, address: str, look: Look) -> datetime:
    try:
        with (
            socket.create_connection((address, port), timeout=WAIT_S) as plain,
            look.context.wrap_socket(plain, server_hostname=name) as wrapped,
        ):
            held: Any = wrapped.getpeercert()
    except ssl.SSLCertVerificationError as error:
        raise NameFails(
            "certificate",
            f"no phone trusts it: {error.verify_message}",
            "let tailscale, caddy or your tunnel get a certificate for this very name",
        ) from None
    except OSError as error:
        raise NameFails(
            "TLS", f"{name}:{port} does not answer with TLS: {error}", "start the proxy"
        ) from None
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(held["notAfter"]), UTC)
    if ends - look.now < LEFT_MIN:
        raise NameFails(
            "certificate",
            f"it ends on {ends:%Y-%m-%d}, in less than {LEFT_MIN.days} days",
            "renew it; see why it was not renewed by itself",
        )
    return ends


def _is_ours(host: str, place: tuple[str, int, str], look: Look) -> None:
    name, port, address = place
    for path, check in (
        (f"/.well-known/ordergate?nonce={look.nonce}", _proof),
        ("/sign-in", _page),
    ):
        connection = _Pinned(name, port, address=address, context=look.context)
        try:
            connection.request("GET", path, headers={"Host": host})
            answer = connection.getresponse()
            problem = check(answer.status, answer.read(ANSWER_MAX), host, look)
        except (OSError, http.client.HTTPException) as error:
            problem = f"no answer: {type(error).__name__}"
        finally:
            connection.close()
        if problem is not None:
            raise NameFails(
                "page",
                f"{path.partition('?')[0]}: {problem}",
                "let the proxy lead to the console's port and hand on the Host header; "
                "set console.public_url and start the gateway again",
            )


class _Pinned(http.client.HTTPSConnection):
    """Connects to the address that was checked, in the name it was checked for."""

    def __init__(self, name: str, port: int, *, address: str, context: ssl.SSLContext) -> None:
        super().__init__(name, port, timeout=WAIT_S, context=context)
        self._address = address
        self._tls = context

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), timeout=WAIT_S)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)


def _proof(status: int, body: bytes, host: str, look: Look) -> str | None:
    if status != 200:
        return f"it answers {status}, which is not how this gateway answers"
    try:
        data = json.loads(body)["data"]
        proof = bytes.fromhex(data["proof"])
    except (ValueError, KeyError, TypeError):
        return "something else answers there"
    if not look.verify(presence(host, look.nonce), proof):
        return "another gateway answers there, or something stands between"
    return None


def _page(status: int, body: bytes, host: str, look: Look) -> str | None:
    del host, look
    return None if status == 200 and b"ordergate" in body else f"no sign-in page: {status}"
