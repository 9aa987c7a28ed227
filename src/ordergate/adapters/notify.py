"""The channels to the human: messengers and mail through Apprise, and our own signed webhook."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, urlsplit

from ordergate.adapters.reach import Reach, Unreachable, request
from ordergate.model.alerts import Delivery, Message, Severity
from ordergate.model.canonical import canonical, iso
from ordergate.ports.system import Clock

DEADLINE_S: Final = 10.0
UNDER_WAY_MAX: Final = 8  # sends of one channel; a thread that hangs cannot be ended
CHANNELS_MAX: Final = 8
TITLE_MAX: Final = 200
TEXT_MAX: Final = 1_500
SIGNATURE: Final = "x-ordergate-signature"
TIMESTAMP: Final = "x-ordergate-timestamp"
# Services that were read: they carry text, and nothing in it can be pressed.
SERVICES: Final = frozenset(
    {
        "ntfy",
        "ntfys",
        "tgram",
        "mailto",
        "mailtos",
        "discord",
        "slack",
        "pover",
        "gotify",
        "gotifys",
    }
)
FIXED: Final = frozenset({"tgram", "discord", "slack", "pover"})  # their own hosts
_PRESSED: Final = frozenset({"actions", "click", "attach", "redirect", "verify"})


class ChannelRefused(ValueError):
    """A channel's address cannot be used; says why without repeating it."""


class _Channel(Protocol):
    name: str

    async def send(self, message: Message) -> str | None:
        """Return None when the message was taken, else why not."""
        ...


class Channels:
    """Implements the port Notifier over any number of channels, each on its own."""

    def __init__(self, channels: Sequence[_Channel]) -> None:
        self._channels = tuple(channels)

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(one.name for one in self._channels)

    async def send(self, message: Message) -> Sequence[Delivery]:
        cut = Message(
            title=message.title[:TITLE_MAX],
            text=message.text[:TEXT_MAX],
            severity=message.severity,
        )
        return await asyncio.gather(*(self._one(channel, cut) for channel in self._channels))

    async def _one(self, channel: _Channel, message: Message) -> Delivery:
        try:
            async with asyncio.timeout(DEADLINE_S):
                problem = await channel.send(message)
        except TimeoutError:
            problem = f"no answer within {DEADLINE_S:.0f} s"
        except Unreachable as error:
            problem = str(error)
        return Delivery(channel=channel.name, problem=problem)


def open_channels(
    urls: Sequence[str], *, reach: Reach, clock: Clock, webhook_key: bytes | None
) -> Channels:
    """Open a channel for each address; raise ChannelRefused for one that cannot be used."""
    if len(urls) > CHANNELS_MAX:
        raise ChannelRefused(f"there are {len(urls)} channels; at most {CHANNELS_MAX} are used")
    return Channels(
        [
            _open(url, f"{_scheme(url)} #{n}", reach=reach, clock=clock, webhook_key=webhook_key)
            for n, url in enumerate(urls, start=1)
        ]
    )


def _open(
    url: str, name: str, *, reach: Reach, clock: Clock, webhook_key: bytes | None
) -> _Channel:
    scheme = _scheme(url)
    if scheme in ("https", "http"):
        if webhook_key is None:
            raise ChannelRefused(f"{name}: a webhook needs notify.webhook_key to be signed with")
        if scheme == "http" and not reach.allow_loopback:
            raise ChannelRefused(f"{name}: only https")
        return Webhook(name, url, key=webhook_key, reach=reach, clock=clock)
    if scheme not in SERVICES:
        known = ", ".join(sorted(SERVICES))
        raise ChannelRefused(f"{name}: not one of https, {known}")
    asked = {key.lower() for key, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
    if asked & _PRESSED:
        raise ChannelRefused(
            f"{name}: {', '.join(sorted(asked & _PRESSED))} may not be set: a message carries "
            "nothing to press, goes nowhere else, and certificates are checked"
        )
    return Service(name, url, reach=reach)


def _scheme(url: str) -> str:
    return url.partition("://")[0].lower()[:20]


class Service:
    """One address of a messenger or mail service that Apprise knows."""

    def __init__(self, name: str, url: str, *, reach: Reach) -> None:
        self.name = name
        self._url = url
        self._reach = reach
        self._under_way = 0

    async def send(self, message: Message) -> str | None:
        if self._under_way >= UNDER_WAY_MAX:
            return "earlier messages hang in it"
        self._under_way += 1
        return await in_thread(lambda: self._send(message), ended=self._ended)

    def _ended(self) -> None:
        self._under_way -= 1

    def _send(self, message: Message) -> str | None:
        # Imported here: half a second that no start should wait for.
        from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType

        _silence()
        asset = AppriseAsset(http_redirects=False, secure_logging=True, default_service_retry=0)
        plugin: Any = Apprise.instantiate(self._url, asset=asset, suppress_exceptions=True)
        if plugin is None:
            return "its address is not complete"
        try:
            self._guard(plugin)
        except Unreachable as error:
            return str(error)
        kinds = {
            Severity.INFO: NotifyType.INFO,
            Severity.WARNING: NotifyType.WARNING,
            Severity.CRITICAL: NotifyType.FAILURE,
        }
        carrier = Apprise(asset=asset)
        carrier.add(plugin)
        taken = carrier.notify(
            title=message.title,
            body=message.text,
            notify_type=kinds[message.severity],
            body_format=NotifyFormat.TEXT,
        )
        return None if taken else "the service did not take it"

    def _guard(self, plugin: Any) -> None:
        """Raise Unreachable unless the service's host is public and spoken to through TLS."""
        scheme = _scheme(self._url)
        if scheme in FIXED or getattr(plugin, "mode", None) == "cloud":
            return
        host = str(getattr(plugin, "smtp_host", None) or plugin.host)
        self._reach.addresses(host, int(plugin.port or 0))
        encrypted = getattr(plugin, "secure_mode", None) in ("ssl", "starttls")
        if not (plugin.secure or encrypted) and not self._reach.plain_http(host):
            raise Unreachable("it would be spoken to without TLS")


class Webhook:
    """A JSON body to an address of the operator's, signed so that the receiver can tell it is us.

    signature = HMAC-SHA256(key, timestamp + "." + body), hex; the timestamp is ISO 8601.
    """

    def __init__(self, name: str, url: str, *, key: bytes, reach: Reach, clock: Clock) -> None:
        self.name = name
        self._url = url
        self._key = key
        self._reach = reach
        self._clock = clock

    async def send(self, message: Message) -> str | None:
        body = canonical(message).encode()
        stamp = iso(self._clock.now())
        status = await request(
            self._reach,
            "POST",
            self._url,
            body=body,
            headers={
                "content-type": "application/json",
                TIMESTAMP: stamp,
                SIGNATURE: signature(self._key, stamp, body),
            },
        )
        return None if 200 <= status < 300 else f"it answered {status}"


def signature(key: bytes, stamp: str, body: bytes) -> str:
    """Return what proves a webhook's body and moment."""
    return hmac.new(key, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


class UrlHeartbeat:
    """Implements the port Heartbeat: a GET that an outside watcher expects again and again."""

    def __init__(self, url: str, *, reach: Reach) -> None:
        self._url = url
        self._reach = reach

    async def beat(self) -> str | None:
        try:
            status = await request(self._reach, "GET", self._url)
        except Unreachable as error:
            return str(error)
        return None if status < 400 else f"it answered {status}"


async def in_thread(work: Callable[[], str | None], *, ended: Callable[[], None]) -> str | None:
    """Run blocking work on a daemon thread; who waits may leave, and the process may end."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[str | None] = loop.create_future()

    def settle(result: str | None) -> None:
        ended()
        if not future.done():
            future.set_result(result)

    def body() -> None:
        result: str | None = "it failed inside"
        try:
            result = work()
        except (
            AttributeError,
            ImportError,
            LookupError,
            OSError,
            RuntimeError,
            TypeError,
            ValueError,
        ) as error:
            result = f"it failed: {type(error).__name__}"
        finally:
            with contextlib.suppress(RuntimeError):  # the loop has ended with the process
                loop.call_soon_threadsafe(settle, result)

    threading.Thread(target=body, daemon=True, name="notify").start()
    return await future


def _silence() -> None:
    """Keep the library from writing addresses with their secrets to the standard error."""
    logging.getLogger("apprise").disabled = True
