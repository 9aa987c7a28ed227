"""Where our own requests may go: public addresses over TLS, resolved once, never redirected."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

import httpx

DEADLINE_S: Final = 3.0
# IPv6 forms that carry an IPv4 address inside: what they lead to cannot be seen from here.
_TUNNELS: Final = tuple(
    map(ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
)
_OWN: Final = tuple(
    map(
        ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"),
    )
)

Address = IPv4Address | IPv6Address


class Unreachable(Exception):
    """The address is not one that our requests go to, or it does not answer as it must."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Which hosts may be called: public ones, and what the operator explicitly lets in."""

    allow_loopback: bool = False
    allow_private: bool = False  # a network of the operator's own, never link-local or reserved
    deadline_s: float = DEADLINE_S  # of a whole request, resolving and reading included

    def permits(self, address: Address) -> bool:
        """Say whether an address is public, or this machine's where that is allowed."""
        mapped = getattr(address, "ipv4_mapped", None)
        if mapped is not None:
            return self.permits(mapped)
        if address.is_loopback:
            return self.allow_loopback
        if address.version == 6 and any(address in tunnel for tunnel in _TUNNELS):
            return False
        if self.allow_private and any(address in own for own in _OWN):
            return True
        return address.is_global and not address.is_multicast

    def addresses(self, host: str, port: int) -> list[str]:
        """Resolve a host once; raise Unreachable unless every address may be called."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise Unreachable("its host name does not resolve") from None
        named = list(dict.fromkeys(str(one[4][0]) for one in found))
        if not named or not all(self.permits(ip_address(n.partition("%")[0])) for n in named):
            raise Unreachable("its host is a private, local or reserved address")
        return named

    def plain_http(self, host: str) -> bool:
        """Say whether http without TLS may go there: to this machine, where that is allowed."""
        if not self.allow_loopback:
            return False
        try:
            return all(ip_address(one).is_loopback for one in self.addresses(host, 0))
        except Unreachable:
            return False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status and, where it was asked for, the whole body."""

    status: int
    body: bytes


async def request(
    reach: Reach, method: str, url: str, *, body: bytes = b"", headers: dict[str, str] | None = None
) -> int:
    """Send one request to the address its host resolves to now; return the status.

    Raises Unreachable: a foreign scheme, a forbidden address, no answer in time, a redirect.
    """
    return (await fetch(reach, method, url, body=body, headers=headers, most=0)).status


async def fetch(
    reach: Reach,
    method: str,
    url: str,
    *,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    most: int,
) -> Answer:
    """As `request`, and read a body of at most `most` bytes; 0 = none is read.

    A compressed body is refused: how large it becomes is only known when it is too late.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        async with asyncio.timeout(reach.deadline_s):
            port = parts.port or (443 if parts.scheme == "https" else 80)
            addresses = await asyncio.to_thread(reach.addresses, host, port)
            local = all(ip_address(one).is_loopback for one in addresses)
            if parts.scheme != "https" and not (parts.scheme == "http" and local):
                raise Unreachable("only https is spoken")
            shown = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
            pinned = httpx.URL(url).copy_with(host=shown, port=port)
            async with httpx.AsyncClient(
                timeout=reach.deadline_s, follow_redirects=False, trust_env=False
            ) as client:
                sent = client.build_request(
                    method,
                    pinned,
                    content=body,
                    headers={
                        "accept-encoding": "identity",
                        **(headers or {}),
                        "host": parts.netloc.rpartition("@")[2],
                    },
                    extensions={"sni_hostname": host},
                )
                answer = await client.send(sent, stream=True)
                try:
                    if answer.is_redirect:
                        raise Unreachable("it redirects, and redirects are not followed")
                    return Answer(answer.status_code, await _read(answer, most))
                finally:
                    await answer.aclose()
    except TimeoutError:
        raise Unreachable(f"no answer within {reach.deadline_s:.0f} s") from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise Unreachable(f"no connection: {type(error).__name__}") from None


async def _read(answer: httpx.Response, most: int) -> bytes:
    if not most:
        return b""
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise Unreachable("its answer is compressed, which was not asked for")
    body = bytearray()
    async for piece in answer.aiter_raw():
        body += piece
        if len(body) > most:
            raise Unreachable(f"its answer is larger than {most:,} bytes")
    return bytes(body)
