"""The demo's stage: directories, ports and processes of its own, gone when the curtain falls."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from ordergate.surfaces.cli.attach import TOKEN_NAME, answers, child_environment, read_token
from ordergate.surfaces.cli.doors import AgentDoor, Envelope, OperatorDoor
from ordergate.surfaces.cli.running import Note, running

READY_S: Final = 15.0
COMMAND_S: Final = 20.0
STOP_S: Final = 10.0
POLL_S: Final = 0.05
WARM_UP: Final = timedelta(hours=31)  # into the second morning: there is history to look back on
LOOPBACK: Final = "127.0.0.1"


class StageFright(Exception):
    """A process of the demo did not do its part; its log says why."""


@dataclass(slots=True)
class Stage:
    """A gateway that can be started, stopped and killed, on its own files."""

    folder: Path
    monotonic: Callable[[], float]
    now: Callable[[], datetime]
    replay: Path | None = None
    _child: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def config(self) -> Path:
        return self.folder / "config"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def environment(self) -> dict[str, str]:
        return child_environment(self.config, self.data, os.environ)

    @property
    def door_command(self) -> list[str]:
        """Return the command an AI client would start for the stdio door."""
        return [sys.executable, "-P", "-m", "ordergate", "mcp"]

    def set(self, *, reply_delay_s: int = 0) -> None:
        """Write the settings: free ports, the chosen prices, and a slow venue where asked for."""
        self.config.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lines = ["[server]", "rest_port = 0", "mcp_port = 0", "console_port = 0", "[feed]"]
        if self.replay is None:
            lines += ['kind = "simulated"', "seed = 7"]
        else:
            start = first_moment(self.replay) + WARM_UP
            lines += ['kind = "replay"', "[feed.replay]"]
            lines += [f"files = [{json.dumps(str(self.replay))}]"]
            lines += [f'start = "{start.strftime("%Y-%m-%dT%H:%M:%SZ")}"']
        if reply_delay_s:
            lines += ["[[paper.faults]]", 'kind = "late_reply"', 'operation = "submit"']
            lines += ["count = 1", f'delay_s = "{reply_delay_s}"']
        path = self.config / "ordergate.toml"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        path.chmod(0o600)

    def start(self) -> Note:
        """Start the gateway and return where it answers."""
        with open(self.folder / "gateway.log", "ab") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-m", "ordergate", "up", "--json"],
                env=self.environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = self.monotonic() + READY_S
        while self.monotonic() < deadline and self._child.poll() is None:
            note = running(self.data)
            if note is not None and answers(note.rest_url):
                return note
            time.sleep(POLL_S)
        raise StageFright(f"the gateway did not start:\n{self.log_tail()}")

    def stop(self) -> None:
        """Ask the gateway to stop, as Ctrl-C does."""
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """End the gateway without a word: no handler runs, nothing is flushed."""
        if self._child is not None:
            self._child.kill()
            self._child.wait(STOP_S)

    def command(self, *words: str) -> Envelope:
        """Run a command of ours as a person would, and read its JSON."""
        done = subprocess.run(
            [sys.executable, "-P", "-m", "ordergate", *words, "--json"],
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_S,
            check=False,
        )
        try:
            answer: Envelope = json.loads(done.stdout)
        except ValueError:
            raise StageFright(f"{' '.join(words)}: {done.stderr.decode()[-500:]}") from None
        return answer

    def agent_token(self) -> str:
        return read_token(self.data / TOKEN_NAME)

    def agent(self, note: Note) -> AgentDoor:
        return AgentDoor(note.rest_url, token=self.agent_token())

    def operator(
        self, note: Note, *, name: str, password: str, code: Callable[[str, str], str]
    ) -> OperatorDoor:
        return OperatorDoor(
            note.console_url, connect_to=LOOPBACK, name=name, password=password, code=code
        )

    def log_tail(self) -> str:
        path = self.folder / "gateway.log"
        return path.read_text(encoding="utf-8", errors="replace")[-800:] if path.exists() else ""


def first_moment(path: Path) -> datetime:
    """Return the time of a recording's first row; the epoch where it cannot be told."""
    if path.suffix == ".parquet":
        return datetime(1970, 1, 1, tzinfo=UTC) - WARM_UP
    opened: Any = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        file.readline()
        stamp = file.readline().partition(",")[0].strip()
    try:
        return datetime.fromisoformat(stamp).astimezone(UTC)
    except ValueError:
        return datetime(1970, 1, 1, tzinfo=UTC) - WARM_UP
