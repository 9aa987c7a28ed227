"""The program: builds what the commands start, and hands it to the command line.

`ordergate mcp` is answered before the command line is even imported: an AI client waits for it.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ordergate.adapters.config_files import Directories, directories
from ordergate.model.errors import GateError
from ordergate.settings.load import Settings, load
from ordergate.settings.switches import HUMAN_ONLY
from ordergate.settings.template import write_first

if TYPE_CHECKING:
    from ordergate.surfaces.cli.starts import (
        Asked,
        BarsWanted,
        Finding,
        RunWanted,
        Started,
        Suspects,
        UpOptions,
    )

STOP_WITHIN_S: Final = 30.0
BAD_SETTINGS: Final = 7
GARBAGE_AT_START: Final = 200_000  # imports make much and drop little; `up` sets its own when ready
Announce = Callable[["Started"], None]


def main() -> int:
    """Run one command of `sys.argv`; return its exit code."""
    gc.set_threshold(GARBAGE_AT_START)
    try:
        return _run(sys.argv[1:])
    finally:
        gc.freeze()  # what is left goes with the process: looked through, it would go later


def _run(arguments: list[str]) -> int:
    if arguments == ["mcp"]:
        return _mcp_alone()
    from ordergate.adapters.system import SystemClock
    from ordergate.surfaces.cli.app import run
    from ordergate.surfaces.cli.starts import DataStarts, Starts

    starts = Starts(
        up=_up,
        mcp=_mcp_alone,
        data_dir=lambda: _places().data,
        token=_token,
        init_operator=_init_operator,
        verify_audit=_verify_audit,
        receipt=_receipt,
        segments=_segments,
        rotate_key=_rotate_key,
        simulate=_simulate,
        rejudge=_rejudge,
        leakage=_leakage,
        backtest=_backtest,
        set_aside=_set_aside,
        settings=_settings_rows,
        doctor=_doctor,
        around=_around,
        watch=_watch,
        phone=_phone,
        now=SystemClock().now,
        monotonic=SystemClock().monotonic,
        client_environment=_client_environment,
        data=DataStarts(
            take=_import_bars, listing=_list_bars, check=_check_bars, download=_download_bars
        ),
        look_back=_look_back,
    )
    return run(starts, arguments)


def _places() -> Directories:
    return directories(os.environ)


def _ready_settings(flags: Mapping[str, object] | None = None) -> Settings:
    write_first(_places())
    return load(os.environ, flags=flags)


def _up(options: UpOptions, announce: Announce) -> int:
    from ordergate.adapters.system import SystemClock
    from ordergate.bootstrap.serve import Ready, up
    from ordergate.model.canonical import iso
    from ordergate.surfaces.cli.running import PROBE_WAIT_S, Note, hold, leave_note
    from ordergate.surfaces.cli.starts import Started

    settings = _ready_settings(_flags(options))
    data_dir = settings.directories.data
    if options.takeover:
        _stop_holder(data_dir)
    starting = Note(
        pid=os.getpid(), started_at=iso(SystemClock().now()), paper_only=options.paper_only
    )

    def ready(found: Ready) -> None:
        note = Note(
            pid=starting.pid,
            started_at=starting.started_at,
            paper_only=starting.paper_only,
            rest_url=found.rest,
            mcp_url=found.mcp,
            console_url=found.console,
        )
        leave_note(data_dir, note)
        announce(
            Started(
                note=note,
                source=found.source,
                synthetic=found.synthetic,
                replay_speed=found.replay_speed,
                operator_exists=found.operator_exists,
                mode=found.mode,
                cautions=found.cautions,
            )
        )

    with hold(data_dir, wait_s=STOP_WITHIN_S if options.takeover else PROBE_WAIT_S):
        leave_note(data_dir, starting)
        return up(settings, on_ready=ready)


def _flags(options: UpOptions) -> dict[str, object]:
    flags: dict[str, object] = {
        "run.paper_only": options.paper_only or None,
        "run.idle_exit_s": options.idle_exit_s,
        "feed.seed": options.seed,
        "feed.replay.speed": options.speed,
    }
    if options.prices is not None:
        kind, _, exchange = options.prices.partition(":")
        flags |= {"feed.kind": kind, "feed.ccxt.exchange": exchange or None}
    if options.venue is not None:
        terminal = options.terminal or "local"
        flags |= {"mt5.terminal": "off" if options.venue == "paper" else terminal}
    if options.replay:
        flags |= {"feed.kind": "replay", "feed.replay.files": list(options.replay)}
    return flags


def _stop_holder(data_dir: Path) -> None:
    """Ask our own earlier gateway to stop; another program is never touched."""
    from ordergate.surfaces.cli.running import is_held, read_note

    note = read_note(data_dir)
    # The note is written by the holder of the lock and by nobody else.
    if note is not None and is_held(data_dir):
        os.kill(note.pid, signal.SIGTERM)


def _mcp_alone() -> int:
    try:
        return _mcp()
    except GateError as error:
        print(f"{type(error).code}: {error.message} -> {error.fix}", file=sys.stderr)  # noqa: T201
        return BAD_SETTINGS


def _mcp() -> int:
    import asyncio

    from ordergate import __version__
    from ordergate.adapters.system import SystemClock, SystemIds
    from ordergate.surfaces.catalogue.operations import operations, toolsets_of
    from ordergate.surfaces.cli.attach import Attachment, attach, spawner
    from ordergate.surfaces.mcp.stdio import serve_stdio

    # What an AI client puts into our environment never arms anything.
    settings = load({name: text for name, text in os.environ.items() if name not in HUMAN_ONLY})
    where = settings.directories
    spawn = spawner(where.config, where.data, os.environ)
    token = settings.token.get_secret_value() if settings.token else None

    async def to_gateway() -> Attachment:
        return await asyncio.to_thread(
            attach, where.data, spawn=spawn, monotonic=SystemClock().monotonic, token=token
        )

    offered = operations(data_only=settings.mcp.data_only)
    asyncio.run(
        serve_stdio(
            offered,
            attach=to_gateway,
            version=__version__,
            new_id=SystemIds().new_id,
            toolsets=toolsets_of(settings.mcp.toolsets),
        )
    )
    return 0


def _token(file: Path | None) -> str:
    from ordergate.surfaces.cli.attach import TOKEN_NAME, read_token

    if file is not None:
        return read_token(file)
    settings = load(os.environ)
    if settings.token is not None:
        return settings.token.get_secret_value()
    return read_token(settings.directories.data / TOKEN_NAME)


def _init_operator(name: str) -> Mapping[str, Any]:
    from dataclasses import asdict

    from ordergate.bootstrap.offline import init_operator

    return asdict(init_operator(_ready_settings(), name))


def _verify_audit(asked: Asked) -> Mapping[str, Any]:
    from ordergate.bootstrap.offline import verify_audit

    return verify_audit(load(os.environ), asked.files, public=asked.public, anchors=asked.anchors)


def _receipt(order_id: str, out: Path | None) -> Mapping[str, Any]:
    from ordergate.bootstrap.offline import order_receipt

    return order_receipt(load(os.environ), order_id, out)


def _segments() -> Mapping[str, Any]:
    from ordergate.bootstrap.offline import write_segments

    return write_segments(load(os.environ))


def _rotate_key() -> Mapping[str, Any]:
    from ordergate.bootstrap.offline import rotate_audit_key
    from ordergate.surfaces.cli.running import hold

    settings = load(os.environ)
    with hold(settings.directories.data):
        return rotate_audit_key(settings)


def _simulate(policy: Path, since: str | None, until: str | None) -> Mapping[str, Any]:
    from ordergate.bootstrap.hindsight import simulate

    return simulate(load(os.environ), policy, since, until)


def _rejudge(order_id: str) -> Mapping[str, Any]:
    from ordergate.bootstrap.hindsight import rejudge

    return rejudge(load(os.environ), order_id)


def _leakage(asked: Suspects) -> Mapping[str, Any]:
    from ordergate.bootstrap.leakage import leakage

    return leakage(asked)


def _backtest(wanted: RunWanted) -> Mapping[str, Any]:
    from ordergate.bootstrap.backtest import backtest

    return backtest(load(os.environ), wanted)


def _set_aside(reason: str) -> Mapping[str, Any]:
    from ordergate.bootstrap.offline import set_aside
    from ordergate.surfaces.cli.running import hold

    settings = load(os.environ)
    with hold(settings.directories.data):
        return set_aside(settings, reason)


def _settings_rows() -> list[dict[str, str]]:
    return [
        {"key": row.key, "value": row.value, "source": row.source, "meaning": row.meaning}
        for row in load(os.environ).rows()
    ]


def _doctor() -> list[Finding]:
    from ordergate.surfaces.cli.diagnosis import Patient, examine
    from ordergate.surfaces.cli.starts import Asked

    where = _places()
    return examine(
        Patient(
            config_dir=where.config,
            data_dir=where.data,
            settings=_settings_rows,
            verify_audit=lambda: _verify_audit(Asked()),
            terminal=_terminal,
        )
    )


def _terminal() -> list[Finding]:
    from ordergate.adapters.system import SystemClock
    from ordergate.surfaces.cli.starts import Finding, Level

    settings = load(os.environ)
    if settings.mt5.terminal == "off":
        return []
    from ordergate.bootstrap.mt5 import examine

    found = examine(settings, SystemClock())
    return [Finding(Level(one.level), one.name, one.message, one.action) for one in found]


def _around() -> list[Finding]:
    from ordergate.surfaces.cli.around import Surroundings, around_the_gate, own_processes

    where = _places()
    return around_the_gate(
        Surroundings(
            config_dir=where.config,
            data_dir=where.data,
            environ=os.environ,
            processes=own_processes,
        )
    )


def _watch(url: str, every_s: int, say: Callable[[str], None]) -> int:
    from ordergate.bootstrap.watching import watch

    return watch(load(os.environ), url, every_s, say)


def _phone(send: bool) -> tuple[str | None, list[Finding]]:
    from ordergate.bootstrap.phone import phone

    return phone(load(os.environ), send=send)


def _import_bars(file: Path, wanted: BarsWanted) -> Mapping[str, Any]:
    from ordergate.bootstrap.bar_data import import_bars

    return import_bars(load(os.environ), file, wanted)


def _look_back(tool: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    from ordergate.bootstrap.lookback import look_back

    return look_back(load(os.environ), tool, arguments)


def _list_bars() -> Mapping[str, Any]:
    from ordergate.bootstrap.bar_data import list_bars

    return list_bars(load(os.environ))


def _check_bars(wanted: BarsWanted) -> Mapping[str, Any]:
    from ordergate.bootstrap.bar_data import check_bars

    return check_bars(load(os.environ), wanted)


def _download_bars(
    source: str,
    wanted: BarsWanted,
    span: tuple[str, str | None],
    tell: Callable[[float, int, str], None],
) -> Mapping[str, Any]:
    from ordergate.bootstrap.bar_data import download_bars

    return download_bars(load(os.environ), source, wanted, span, tell)


def _client_environment() -> dict[str, str]:
    """Return the directories when they are not the usual ones: a client must pass them on."""
    where, usual = _places(), directories({})
    named = {"ORDERGATE_CONFIG_DIR": (where.config, usual.config)}
    named["ORDERGATE_DATA_DIR"] = (where.data, usual.data)
    return {name: str(ours) for name, (ours, default) in named.items() if ours != default}


if __name__ == "__main__":
    sys.exit(main())
