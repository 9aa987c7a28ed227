"""`phone setup`: the settings' public name, followed to this gateway's own proof."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator, Sequence

from ordergate.adapters.keys import AUDIT_PUBLIC, verifier
from ordergate.adapters.notify import Channels
from ordergate.adapters.system import SystemClock, SystemIds
from ordergate.adapters.tls_name import Look, NameFails, Resolve, only_here, reach, resolved
from ordergate.bootstrap.alerting import channels
from ordergate.model.alerts import Delivery, Message, Severity
from ordergate.model.errors import NotFound
from ordergate.settings.load import Settings
from ordergate.surfaces.cli.starts import Finding, Level


def phone(
    settings: Settings, *, send: bool, resolve: Resolve = resolved
) -> tuple[str | None, list[Finding]]:
    """Return the public address and what was found on the way to it; send a link when it holds."""
    url = settings.console.public_url
    if url is None:
        missing = "console.public_url is not set"
        return None, [Finding(Level.FAIL, "name", missing, "choose a name; see above")]
    found = [_reached(settings, url, resolve)]
    if found[0].level is not Level.FAIL and send:
        found += _sent(settings, url)
    return url, found


def _reached(settings: Settings, url: str, resolve: Resolve) -> Finding:
    published = settings.directories.config / AUDIT_PUBLIC
    if not published.exists():
        raise NotFound("this gateway has no key yet", fix="start `ordergate up` once")
    look = Look(
        now=SystemClock().now(),
        nonce=SystemIds().new_id(),
        verify=verifier(published.read_text(encoding="ascii").strip()),
        resolve=resolve,
        context=ssl.create_default_context(),
    )
    try:
        reached = reach(url, look)
    except NameFails as fault:
        return Finding(Level.FAIL, fault.step, fault.message, fault.fix)
    ends = f"certificate until {reached.certificate_ends:%Y-%m-%d}"
    if only_here(reached.addresses):
        return Finding(
            Level.WARN,
            "name",
            f"{url} is this gateway, {ends}, but from here it leads to this machine alone",
            "look from another machine, or open it on the phone",
        )
    return Finding(Level.PASS, "name", f"{url} is this gateway, {ends}")


async def _offered(told: Channels, message: Message) -> Sequence[Delivery]:
    return await told.send(message)


def _sent(settings: Settings, url: str) -> Iterator[Finding]:
    told = channels(settings.notify, SystemClock())
    if not told.channels:
        yield Finding(
            Level.WARN, "channel", "none is set up", "see docs/how-to/get-alerts-on-your-phone.md"
        )
    message = Message(
        title="ordergate: open this on your phone",
        text=f"Sign in and enrol the phone's passkey here:\n{url}/sign-in",
        severity=Severity.INFO,
    )
    for one in asyncio.run(_offered(told, message)):
        level = Level.PASS if one.problem is None else Level.FAIL
        yield Finding(level, "channel", f"{one.channel}: {one.problem or 'link sent'}")
