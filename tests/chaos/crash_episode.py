"""One gateway's lives, one after the other: the parent plays its venue and kills it.

Half of all kills are sent by the parent at a random moment; the others happen at a named step, in
the child itself. The last life is clean; then the oracle looks.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import select
import shutil
import signal
import socket
import time
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from chaos import crash_child, crash_oracle
from chaos.crash_broken import BROKEN
from chaos.crash_child import Life
from chaos.crash_oracle import Evidence
from chaos.crash_steps import STEPS
from chaos.crash_venue import OPENING_FAULTS, Venue
from support.gateway_process import ROOMY, GatewayProcess

LIFE_S = 60.0  # a life that takes longer hangs; one takes a tenth of a second
LIVES_MAX = 7  # the first and six restarts, of which the last is clean
STARTING = 0.25  # of the random kills hit the start
START_S = 0.12
FRAMES = 30  # that a life exchanges with its venue, about
USUAL = ("enter", "enter", "rest", "leave", "tighten", "trail", "draft", "ask", "bracket")
FAULTY = 0.45  # of the openings meet a fault
KILLED = 0.2  # of the gateways see the kill switch engaged beside other orders
ENDING = ("kill_committed", "kill_before_wire", "restored", "disk_full", "spooled", "imported")
RANDOM = "random"
SIZE = Decimal("0.02")  # lots; each opening of an episode has a size of its own
ASKS_FROM = Decimal("0.54")  # lots that are worth more than is approved without a human
BURST = ("0.50", "0.51", "0.52")  # openings asked for while the kill switch is engaged
LIMITS = {
    **ROOMY["limits"],
    "unknown_openings_max": 1000,
    "unknown_openings_symbol_max": 1000,
    "auto_approve_notional": 58_000,
}


@dataclass
class Tally:
    """What many episodes came to."""

    episodes: int = 0
    lives: int = 0
    orders: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    parked: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.episodes += other.episodes
        self.lives += other.lives
        self.orders += other.orders
        self.kills += other.kills
        self.faults += other.faults
        self.parked += other.parked
        self.failures += other.failures

    @property
    def deaths(self) -> int:
        return self.kills.total()


@dataclass(frozen=True)
class Moment:
    """When the parent kills: `after_s` after the venue has heard `frames` requests."""

    frames: int
    after_s: float


@dataclass
class Death:
    """How a life ended: the step, "random", or "" where it came to its own end."""

    how: str = ""
    said: list[dict[str, Any]] = field(default_factory=list)
    code: int = 0


class Episode:
    """One seed's gateway. `deaths` names the end of each life but the last: a step, or "random"."""

    def __init__(
        self, seed: int, folder: Path, deaths: tuple[str, ...], broken: str | None = None
    ) -> None:
        self.chance = random.Random(seed)
        self.folder = folder
        self.deaths = deaths
        self.broken = broken
        self.venue = Venue(random.Random(seed + 1))
        self.tally = Tally(episodes=1)
        self.tasks: list[dict[str, Any]] = []
        self.answers: dict[str, set[str]] = {}
        self.killed = self.restored = False
        self.offset_s = 0.0
        self._older: Path | None = None

    @property
    def file(self) -> Path:
        return self.folder / "data" / "gate.db"

    def play(self) -> Tally:
        for number, how in enumerate(self.deaths):
            self._plan(number, how)
            self._one_life(number, how)
        self._one_life(len(self.deaths), None)
        self.tally.orders = len(self.tasks)
        self.tally.faults = self.venue.faults
        self.tally.failures += crash_oracle.examine(
            Evidence(
                file=self.file,
                public=(self.folder / "config" / "audit.pub").read_text("ascii").strip(),
                books=self.venue.books,
                tasks=self.tasks,
                answers=self.answers,
                killed=self.killed,
                restored=self.restored,
            )
        )
        return self.tally

    # the plan of a life

    def _plan(self, number: int, how: str) -> None:
        """Add what is asked for the first time in this life: what its step needs, and others."""
        wanted = [STEPS[how][1]] if how != RANDOM else []
        usual = self.chance.choices(USUAL, k=2)
        if number == len(self.deaths) - 1 and self.chance.random() < KILLED:
            usual.append("kill")
        if self.broken is not None and number == 0:
            usual += BROKEN[self.broken].tasks
        for do in [*wanted, *usual]:
            if do == "trail" and any(task["do"] == "trail" for task in self.tasks):
                do = "enter"
            self._task(do, number, wanted=do in wanted)

    def _task(self, do: str, number: int, *, wanted: bool = False) -> None:
        index = len(self.tasks)
        lots = SIZE * (1 + index) + (ASKS_FROM if do in ("ask", "kill") else 0)
        faults = []
        if do in ("partial", "lost", "requote"):
            faults = [{"lost": "lost_reply"}.get(do, do)]
        elif self.chance.random() < FAULTY and not (wanted and do != "enter"):
            faults = [self.chance.choice(OPENING_FAULTS)]
            if self.chance.random() < 0.3:
                faults.append(self.chance.choice(OPENING_FAULTS))
        self.venue.plan(lots, faults)
        burst = BURST if do == "kill" and not any(one["burst"] for one in self.tasks) else ()
        self.tasks.append(
            {
                "do": do,
                "key": f"task-{index}",
                "lots": str(lots),
                "rest": str(SIZE * (1 + index) + SIZE / 2),  # of a second order, where there is one
                "doubled": self.chance.random() < 0.3,
                "from": number,
                "burst": burst,
            }
        )

    # a life

    def _one_life(self, number: int, how: str | None) -> None:
        if how == "restored":
            self._keep_copy()
        life = Life(
            folder=self.folder,
            number=number,
            tasks=tuple(self.tasks),
            step=how if how not in (None, RANDOM) else None,
            nth=self.chance.choices((1, 2), weights=(4, 1))[0] if how == "written" else 1,
            last=how is None,
            offset_s=self.offset_s,
            broken=self.broken,
        )
        death = self._live(life, self._moment() if how == RANDOM else None)
        self.tally.lives += 1
        self._hear(death, life)
        if death.how:
            self.tally.kills[death.how] += 1
        self.offset_s += 5.0
        self.tally.failures += crash_oracle.post_mortem(
            self.file,
            self.venue.books,
            killed=self.killed and not self.restored,
            restored=self.restored,
        )
        if how == "restored" and death.how == "restored":
            self._restore()

    def _moment(self) -> Moment:
        """Return a random moment: so long after the start, or after the venue heard so much."""
        if self.chance.random() < STARTING:
            return Moment(0, self.chance.uniform(0.0, START_S))
        return Moment(self.chance.randint(1, FRAMES), self.chance.expovariate(1 / 0.004))

    def _hear(self, death: Death, life: Life) -> None:
        fine = death.how or death.code == 0
        if not fine:
            self.tally.failures.append(f"life {life.number} ended with {death.code}")
        for words in death.said:
            match words["say"]:
                case "answer":
                    self.answers.setdefault(words["key"], set()).add(words["order"])
                case "killed":
                    self.killed = True
                case "error":
                    self.tally.failures.append(f"defect: {words['key']}: {words['what']}")
                case "restless":
                    self.tally.failures.append("I15: it never came to rest")

    def _live(self, life: Life, moment: Moment | None) -> Death:
        """Fork a gateway and play its venue until it is dead."""
        ours, theirs = socket.socketpair()
        hearing, saying = os.pipe()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                ours.close()
                os.close(hearing)
                crash_child.live(life, theirs, saying)
                code = 0
            except BaseException as error:  # noqa: BLE001 - told to the parent
                what = f"{type(error).__name__}: {error}"
                os.write(saying, json.dumps({"say": "error", "key": "", "what": what}).encode())
            finally:
                os._exit(code)
        theirs.close()
        os.close(saying)
        death = Death()
        try:
            self._serve(ours, hearing, pid, death, moment)
        finally:
            os.close(hearing)
            ours.close()
        death.code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return death

    def _serve(
        self, ours: socket.socket, hearing: int, pid: int, death: Death, moment: Moment | None
    ) -> None:
        began = time.monotonic()
        heard = 0
        kill_at = None if moment is None or moment.frames else began + moment.after_s
        wire, words = b"", b""
        open_ends = {ours.fileno(), hearing}
        while open_ends:
            now = time.monotonic()
            if kill_at is not None and now >= kill_at and not death.how:
                kill_at, death.how = None, RANDOM
                os.kill(pid, signal.SIGKILL)
            if now - began > LIFE_S and not death.how:
                death.how = "hung"
                self.tally.failures.append("a life hung")
                os.kill(pid, signal.SIGKILL)
            wait_s = 0.5 if kill_at is None else min(max(0.0, kill_at - now), 0.5)
            ready, _, _ = select.select(list(open_ends), [], [], wait_s)
            if ours.fileno() in ready:
                read = _recv(ours)
                if not read:
                    open_ends.discard(ours.fileno())
                *lines, wire = (wire + read).split(b"\n")
                for line in lines:
                    self._reply(ours, json.loads(line))
                    heard += 1
                    if moment is not None and heard == moment.frames:
                        kill_at = time.monotonic() + moment.after_s
            if hearing in ready:
                read = os.read(hearing, 65_536)
                if not read:
                    open_ends.discard(hearing)
                *lines, words = (words + read).split(b"\n")
                for line in lines:
                    said = json.loads(line)
                    death.said.append(said)
                    if said["say"] == "step":
                        death.how = said["step"]
                    elif said["say"] == "done" and not death.how and not self._last:
                        # Its step was not passed, or it was done before its moment.
                        kill_at, death.how = None, RANDOM
                        os.kill(pid, signal.SIGKILL)
        if wire:
            self.venue.half(wire.decode())

    @property
    def _last(self) -> bool:
        return self.tally.lives == len(self.deaths)

    def _reply(self, ours: socket.socket, frame: dict[str, Any]) -> None:
        reply = {**self.venue.answer(frame), "number": frame["number"]}
        with contextlib.suppress(OSError):  # dead already
            ours.sendall(json.dumps(reply, default=str).encode() + b"\n")

    # an older copy of the books

    def _keep_copy(self) -> None:
        self._older = self.folder / "older"
        self._older.mkdir(exist_ok=True)
        for name in ("gate.db", "gate.db-wal"):
            if (self.folder / "data" / name).exists():
                shutil.copy(self.folder / "data" / name, self._older / name)

    def _restore(self) -> None:
        assert self._older is not None
        for name in ("gate.db", "gate.db-wal", "gate.db-shm"):
            (self.folder / "data" / name).unlink(missing_ok=True)
        for copy in self._older.iterdir():
            shutil.copy(copy, self.folder / "data" / copy.name)
        self.restored = self.killed = True  # older than its anchor: nothing opens


def _recv(end: socket.socket) -> bytes:
    try:
        return end.recv(65_536)
    except ConnectionResetError:
        return b""


def make_template(folder: Path) -> Path:
    """Make the files of a fresh gateway once; every episode starts from a copy."""
    GatewayProcess(folder, {**ROOMY, "limits": LIMITS}).settle_in()
    first = Episode(0, folder, ()).play()
    if first.failures:
        raise AssertionError(first.failures)
    return folder
