"""From the stdio door to the gateway: one kept-alive connection, opened at the first call."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from ordergate.model.errors import Code, DataUnavailable, GateError, NotReady, Refused
from ordergate.model.principals import Principal
from ordergate.model.views import Change
from ordergate.surfaces.catalogue.envelope import Envelope, failure, read_envelope
from ordergate.surfaces.catalogue.operation import Operation

if TYPE_CHECKING:
    import httpx

CONNECT_S: Final = 5.0
ANSWER_S: Final = 135.0  # the longest wait a tool knows, and a little
STREAM_BYTES_MAX: Final = 2**20
RETRY_S: Final = 2.0
TOPICS: Final = "quotes,orders,activity"


class Attached(Protocol):
    @property
    def rest_url(self) -> str: ...

    @property
    def token(self) -> str: ...


Attach = Callable[[], Awaitable[Attached]]


class Forwarder:
    """Passes calls on and hands back the gateway's own envelope."""

    def __init__(
        self, operations: tuple[Operation, ...], attach: Attach, new_id: Callable[[], str]
    ) -> None:
        self._attach = attach
        self._new_id = new_id
        self._acts = {item.name for item in operations if item.acts}
        self._keyed = {
            item.name for item in operations if "idempotency_key" in item.request.model_fields
        }
        self._client: httpx.AsyncClient | None = None
        self._attached: Attached | None = None
        self._attaching = asyncio.Lock()

    async def __call__(self, _: Principal, name: str, arguments: Mapping[str, Any]) -> Envelope:
        """Call a tool at the gateway. An order gets its key here, so that a lost reply has one."""
        sent = dict(arguments)
        if name in self._keyed and "idempotency_key" not in sent:
            sent["idempotency_key"] = self._new_id()
        try:
            return await self._forward(name, sent)
        except GateError as error:
            return failure(error)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _forward(self, name: str, arguments: dict[str, Any]) -> Envelope:
        # Imported at the first call: the list must come without the cost of an HTTP client.
        import httpx

        for fresh in (False, True):
            client = await self._connected(fresh=fresh)
            try:
                reply = await client.post(f"/api/v1/call/{name}", json=arguments)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # nothing was sent: the gateway may have moved, so attach once more
            except httpx.HTTPError:
                raise self._lost(name, arguments) from None
            return _envelope(reply)
        raise NotReady("the gateway does not answer", fix="Start it: ordergate up.")

    async def _connected(self, *, fresh: bool) -> httpx.AsyncClient:
        import httpx

        async with self._attaching:
            if fresh:
                await self.close()
            if self._client is None:
                self._attached = await self._attach()
                self._client = httpx.AsyncClient(
                    base_url=self._attached.rest_url,
                    headers={"Authorization": f"Bearer {self._attached.token}"},
                    timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
                    trust_env=False,
                )
            return self._client

    def _lost(self, name: str, arguments: Mapping[str, Any]) -> GateError:
        if name not in self._acts:
            return DataUnavailable("the gateway went away while it answered", fix="Ask again.")
        key = arguments.get("idempotency_key")
        return Refused(
            Code.ORDER_UNKNOWN,
            "the gateway went away before it answered; the act may have taken effect",
            fix="Repeat the call with this idempotency_key: it never makes a second order."
            if key
            else "Read list_orders and get_limits before anything else.",
            details={} if key is None else {"idempotency_key": key},
        )

    async def watch(self, tell: Callable[[Change], None]) -> None:
        """Follow the gateway's stream until cancelled; reconnect when it breaks."""
        from websockets.asyncio.client import connect
        from websockets.exceptions import WebSocketException

        while True:
            await self._connected(fresh=False)
            assert self._attached is not None
            url = self._attached.rest_url.replace("http", "ws", 1)
            try:
                async with connect(
                    f"{url}/ws?topics={TOPICS}",
                    additional_headers={"Authorization": f"Bearer {self._attached.token}"},
                    max_size=STREAM_BYTES_MAX,
                    proxy=None,
                ) as socket:
                    async for message in socket:
                        _pass_on(message, tell)
            except (OSError, WebSocketException, TimeoutError):
                pass  # it is tried again below
            await asyncio.sleep(RETRY_S)


def _pass_on(message: str | bytes, tell: Callable[[Change], None]) -> None:
    said = json.loads(message)
    if said["type"] != "change":
        return
    together = said["data"]["quotes"] if said["topic"] == "quotes" else [said["data"]]
    for body in together:
        tell(Change(topic=said["topic"], principal=None, body=body))


def _envelope(reply: httpx.Response) -> Envelope:
    try:
        return read_envelope(reply.json())
    except ValueError:
        return failure(
            NotReady(f"an answer that is none of ours (HTTP {reply.status_code})", fix="Ask again.")
        )
