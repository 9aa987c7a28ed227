"""The emergency journal as a file: room taken in advance, records chained, each on disk or refused.

    512 bytes   header: canonical JSON {base, format, generation}, a line end, its SHA-256
    a record    4 bytes length, 32 bytes hash (audit.chain.link), the body; behind the last, zeros

The room is written with zeros when the file is made: a disk that is full later takes a record all
the same. Beyond it the file grows while the disk lets it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import threading
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import Final

from ordergate.audit import chain
from ordergate.model.canonical import canonical
from ordergate.ports.emergency import EmergencyUnwritable, Spooled

ROOM: Final = 1_048_576
HEADER: Final = 508  # with the first end mark it is one sector: renewed whole, or not at all
FORMAT: Final = "ordergate emergency journal 1"
LENGTH: Final = 4
HASH: Final = 32
END: Final = bytes(LENGTH)


class EmergencyJournal:
    """Implements EmergencyFile; a path that cannot be used refuses each record, not the start."""

    def __init__(self, path: Path, *, new_id: Callable[[], str]) -> None:
        self._path = path
        self._new_id = new_id
        self._lock = threading.Lock()
        self._file: FileIO | None = None
        self._generation = ""
        self._h = chain.GENESIS
        self._end = HEADER
        self._bodies: list[str] = []
        self._torn = False
        with contextlib.suppress(EmergencyUnwritable):
            self._opened()

    def held(self) -> Spooled:
        with self._lock:
            return Spooled(generation=self._generation, bodies=tuple(self._bodies), torn=self._torn)

    async def append(self, body: str) -> None:
        await asyncio.to_thread(self.append_now, body)

    async def renew(self) -> None:
        await asyncio.to_thread(self.renew_now)

    def append_now(self, body: str) -> None:
        """As `append`, for callers without an event loop."""
        raw = body.encode()
        with self._lock:
            file = self._opened()
            h = chain.link(self._h, chain.leaf(body))
            record = len(raw).to_bytes(LENGTH) + bytes.fromhex(h) + raw
            self._put(file, self._end, record + END)
            self._end += len(record)
            self._h = h
            self._bodies.append(body)

    def renew_now(self) -> None:
        """As `renew`, for callers without an event loop."""
        with self._lock:
            self._begin(self._opened(), base=self._h)
            self._torn = False

    def close_now(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _opened(self) -> FileIO:
        """Return the open file, made where there is none; tried again after a failure."""
        if self._file is not None:
            return self._file
        try:
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
            file = FileIO(os.open(self._path, flags, 0o600), "r+")
        except OSError as error:
            raise EmergencyUnwritable(f"{self._path.name}: {error}") from error
        try:
            self._take(file)
        except EmergencyUnwritable:
            file.close()
            raise
        self._file = file
        return file

    def _take(self, file: FileIO) -> None:
        try:
            content = file.readall() or b""
        except OSError as error:
            raise EmergencyUnwritable(f"{self._path.name}: {error}") from error
        header = _header(content[:HEADER])
        if header is None:
            # Nothing, or nothing of ours: what stood here cannot be told from noise.
            self._torn = any(content)
            self._begin(file, base=chain.GENESIS)
            self._put(file, HEADER + LENGTH, bytes(ROOM - HEADER - LENGTH))
            self._settle_name()
            return
        self._generation, self._h = header
        self._read(content)
        if len(content) < ROOM:
            with contextlib.suppress(EmergencyUnwritable):
                self._put(file, len(content), bytes(ROOM - len(content)))

    def _read(self, content: bytes) -> None:
        while True:
            start = self._end + LENGTH + HASH
            length = int.from_bytes(content[self._end : self._end + LENGTH])
            raw = content[start : start + length]
            if not length or len(raw) < length:
                break
            try:
                body = raw.decode()
            except UnicodeDecodeError:
                break
            h = chain.link(self._h, chain.leaf(body))
            if content[self._end + LENGTH : start].hex() != h:
                break
            self._bodies.append(body)
            self._h, self._end = h, start + length
        self._torn = any(content[self._end : self._end + LENGTH])

    def _begin(self, file: FileIO, *, base: str) -> None:
        generation = self._new_id()
        text = canonical({"base": base, "format": FORMAT, "generation": generation}).encode()
        header = text + b"\n" + hashlib.sha256(text).hexdigest().encode()
        self._put(file, 0, header.ljust(HEADER, b"\0") + END)
        self._generation, self._h, self._end = generation, base, HEADER
        self._bodies.clear()

    def _put(self, file: FileIO, at: int, content: bytes) -> None:
        try:
            file.seek(at)
            left = memoryview(content)
            while left:
                left = left[file.write(left) :]
            os.fsync(file.fileno())
        except OSError as error:
            raise EmergencyUnwritable(f"{self._path.name}: {error}") from error

    def _settle_name(self) -> None:
        """Make the new file's name durable where directories can be synced at all."""
        with contextlib.suppress(OSError):
            handle = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _header(raw: bytes) -> tuple[str, str] | None:
    """Return generation and base of a header of ours; None for anything else."""
    text, _, digest = raw.rstrip(b"\0").partition(b"\n")
    if hashlib.sha256(text).hexdigest().encode() != digest:
        return None
    said = json.loads(text)
    return (said["generation"], said["base"]) if said.get("format") == FORMAT else None
