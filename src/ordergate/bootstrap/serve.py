"""One gateway process from its first lock to its last checkpoint."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from types import FrameType
from typing import Any, Final
from urllib.parse import urlsplit

import structlog

from ordergate.adapters.system import SystemClock
from ordergate.bootstrap.alerting import Alerting, Ground, alerting, begin, end
from ordergate.bootstrap.cautions import cautions
from ordergate.bootstrap.doors import Doors, Life, addresses, doors
from ordergate.bootstrap.house import House, build
from ordergate.bootstrap.listeners import Listener, Servers, bind
from ordergate.bootstrap.tls import LOCAL, Tls, tls_of
from ordergate.identity.factors.passkeys import Site
from ordergate.model.orders import AttemptState
from ordergate.model.values import plain
from ordergate.settings.load import Settings
from ordergate.surfaces.stream.hub import Hub

GARBAGE: Final = 10_000  # new objects between two collections while it runs
DRAIN_S: Final = 5.0
LAST_WORDS_S: Final = 1.0
IDLE_CHECK_S: Final = 1.0
OPEN_ATTEMPTS: Final = frozenset(
    {
        AttemptState.SENDING,
        AttemptState.WORKING,
        AttemptState.PARTIAL,
        AttemptState.UNKNOWN,
        AttemptState.AWAITING_PROMPT,
    }
)
_log = structlog.get_logger("ordergate.gateway")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Where the listeners of a ready gateway answer, on which prices, and for whom."""

    rest: str
    mcp: str
    console: str
    source: str
    synthetic: bool
    replay_speed: str | None
    operator_exists: bool
    mode: str | None  # as the venue proves it
    cautions: tuple[str, ...]  # about live trading


def up(settings: Settings, *, on_ready: Callable[[Ready], None]) -> int:
    """Run a gateway until it is told to stop; return its exit code."""
    _log_to_stderr(settings.log.level)
    return asyncio.run(_serve(settings, on_ready))


async def _serve(settings: Settings, on_ready: Callable[[Ready], None]) -> int:
    stop = _stop_on_signals()
    clock = SystemClock()
    tls = tls_of(settings, now=clock.now())
    bound, remote = _bound(settings, tls)
    ports = {name: one.getsockname()[1] for name, one in bound.items()}
    where = addresses(settings.server.host if tls is None else LOCAL, ports)
    hub = Hub()
    life = Life(
        started_at=clock.now(),
        console_url=where["console"],
        remote=() if tls is None else tls.names,
        remote_port=remote["console"].getsockname()[1] if remote else 0,
        public_url=settings.console.public_url,
        last_call=clock.monotonic(),
    )
    house = await build(
        settings,
        site=Site(urlsplit(life.address).hostname or "", tuple(sorted(life.origins))),
        approve_url=lambda ticket: f"{life.address}/approve/{ticket}",
        publish=hub.publish,
    )
    ground = Ground(
        store=house.store,
        seal=house.line.seal,
        gateway=house.line.gateway,
        clock=house.clock,
        ids=house.ids,
    )
    clean = await begin(house.store)
    told = alerting(settings.notify, ground, console=life.address, clean=clean)
    opened = doors(house, hub, life, told.push)
    apps = {"rest": opened.rest, "mcp": opened.mcp, "console": opened.console}
    servers = Servers(
        (
            *(Listener(name, bound[name], app) for name, app in apps.items()),
            *(Listener(name, one, apps[name], tls) for name, one in remote.items()),
        )
    )
    try:
        await servers.start()
        life.ready = True
        on_ready(await _ready(house, life, where))
        gc.freeze()  # what a start leaves stays: no collection looks at it while orders wait
        gc.set_threshold(GARBAGE)
        _log.info("gateway.ready", **where)
        await _work(house, life, told, stop)
    finally:
        life.ready = False
        await _close(house, servers, opened, told)
    return 0


def _bound(
    settings: Settings, tls: Tls | None
) -> tuple[dict[str, socket.socket], dict[str, socket.socket]]:
    """Bind every listener: in plain http on loopback alone, beyond it with TLS."""
    server = settings.server
    wanted = {
        "rest": server.rest_port,
        "mcp": server.mcp_port,
        "console": server.console_port,
    }
    if tls is None:
        return {name: bind(name, server.host, port) for name, port in wanted.items()}, {}
    remote = {name: bind(name, server.host, port) for name, port in wanted.items()}
    # A wildcard address has taken these ports on loopback, too.
    everywhere = ip_address(server.host).is_unspecified
    local = {name: bind(name, LOCAL, 0 if everywhere else port) for name, port in wanted.items()}
    return local, remote


async def _ready(house: House, life: Life, where: Mapping[str, str]) -> Ready:
    mode = await house.line.lapse.proven_mode()
    said = cautions(house.settings, mode)
    if life.remote:
        said += (f"listening beyond this machine, TLS only; the console at {life.address}",)
    trouble = house.market.trouble()
    if trouble is not None:
        said += (f"{trouble}; nothing opens until they come, and nothing takes their place",)
    for caution in said:
        _log.warning("start.caution", said=caution)
    return Ready(
        **where,
        source=house.market.source,
        synthetic=house.market.synthetic,
        replay_speed=None if house.pace is None else plain(house.pace.speed),
        operator_exists=await house.sign_in.operator_exists(),
        mode=None if mode is None else mode.value,
        cautions=said,
    )


async def _work(house: House, life: Life, told: Alerting, stop: asyncio.Event) -> None:
    """Keep market, reconciliation and upkeep going; a worker that dies stops the gateway."""
    workers: list[Coroutine[Any, Any, None]] = [
        house.market.run(stop),
        house.line.settle.run(stop),
        house.line.upkeep.run(stop),
        house.line.pulse.run(stop),
        house.line.guarding.run(stop),
        house.anchoring.run(stop),
        house.archiving.run(stop),
        told.run(house.clock, stop),
        house.outlook.watch.run(stop),
        house.outlook.news.run(stop),
        house.research.run(stop),
    ]
    if house.settings.run.idle_exit_s is not None:
        workers.append(_stop_when_idle(house, life, stop, house.settings.run.idle_exit_s))
    tasks = [asyncio.create_task(worker) for worker in workers]
    waiting = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait({*tasks, waiting}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        stop.set()
        house.line.settle.nudge()
        for task in (*tasks, waiting):
            task.cancel()
        await asyncio.gather(*tasks, waiting, return_exceptions=True)


async def _stop_when_idle(house: House, life: Life, stop: asyncio.Event, after_s: int) -> None:
    """Stop after a quiet while, but never while an order or a managed exit is open."""
    while not stop.is_set():
        await house.clock.sleep(IDLE_CHECK_S)
        if house.clock.monotonic() - life.last_call < after_s or house.outlook.watch.armed:
            continue
        if not await house.store.read(lambda tx: tx.attempts_in(OPEN_ATTEMPTS) or tx.guards()):
            _log.info("gateway.idle", after_s=after_s)
            stop.set()


async def _close(house: House, servers: Servers, opened: Doors, told: Alerting) -> None:
    """Take no more calls, let acts under way end, then close the files."""
    await servers.stop()
    await opened.dispatch.drain(DRAIN_S)
    await told.push.settle(LAST_WORDS_S)  # what was told is not to be told again
    await end(house.store)
    await house.close()
    _log.info("gateway.stopped")


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def asked(number: int, frame: FrameType | None) -> None:
        del number, frame
        loop.call_soon_threadsafe(stop.set)

    signal.signal(signal.SIGINT, asked)
    signal.signal(signal.SIGTERM, asked)
    return stop


def _log_to_stderr(level: str) -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
