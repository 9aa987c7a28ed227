"""A disk that forgets what was not synced: SQLite's own files, recorded, and cut at any moment.

`record()` puts a layer under every SQLite database this process opens from then on: it notes each
write, truncation, sync and deletion in order and passes them on. `image()` makes the files as a
power loss may have left them: what was synced is there; of what was not, each write is there, is
not, or is torn. Nothing of ordergate is imported.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SECTOR = 512
_OK = 0
_void, _int, _long, _text = ctypes.c_void_p, ctypes.c_int, ctypes.c_longlong, ctypes.c_char_p

# (what, file name, where, bytes); "mark" is the caller's own word in the place of a file.
Event = tuple[str, str, int, bytes]


class _Methods(ctypes.Structure):
    _fields_ = [
        ("version", _int),
        ("close", _void),
        ("read", _void),
        ("write", _void),
        ("truncate", _void),
        ("sync", _void),
        ("rest", _void * 13),
    ]


class _File(ctypes.Structure):
    _fields_ = [("methods", ctypes.POINTER(_Methods))]


class _Vfs(ctypes.Structure):
    _fields_ = [
        ("version", _int),
        ("size", _int),
        ("longest", _int),
        ("next", _void),
        ("name", _text),
        ("data", _void),
        ("open", _void),
        ("delete", _void),
        ("rest", _void * 16),
    ]


_file = ctypes.POINTER(_File)
# SQLite keeps the pointer to a name as long as the file is open: it is passed on, not copied.
_OPEN = ctypes.CFUNCTYPE(_int, _void, _void, _file, _int, _void)
_DELETE = ctypes.CFUNCTYPE(_int, _void, _void, _int)
_WRITE = ctypes.CFUNCTYPE(_int, _file, _void, _int, _long)
_TRUNCATE = ctypes.CFUNCTYPE(_int, _file, _long)
_SYNC = ctypes.CFUNCTYPE(_int, _file, _int)


class Recording:
    """What happened to the files, in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._kept: list[Any] = []  # what C holds pointers to
        self._names: dict[int, str] = {}
        self._ours: dict[int, Any] = {}

    def mark(self, word: str, number: int) -> None:
        """Note something of the caller's own between the disk's events."""
        self.events.append(("mark", word, number, b""))

    def _opened(self, file: Any, name: int | None) -> None:
        if name is None or not file.contents.methods:
            return  # a temporary file of SQLite's own
        theirs = file.contents.methods
        at = ctypes.addressof(theirs.contents)
        if at not in self._ours:
            self._ours[at] = self._layer(theirs.contents)
        self._names[ctypes.addressof(file.contents)] = _last_part(name)
        file.contents.methods = ctypes.pointer(self._ours[at])

    def _layer(self, theirs: _Methods) -> _Methods:
        size = ctypes.sizeof(_Methods)
        ours = _Methods.from_buffer_copy(ctypes.string_at(ctypes.addressof(theirs), size))
        write, truncate, sync = (
            _WRITE(theirs.write),
            _TRUNCATE(theirs.truncate),
            _SYNC(theirs.sync),
        )

        def writing(file: Any, data: int, amount: int, offset: int) -> int:
            self._note("write", file, offset, ctypes.string_at(data, amount))
            return int(write(file, data, amount, offset))

        def truncating(file: Any, length: int) -> int:
            self._note("truncate", file, length)
            return int(truncate(file, length))

        def syncing(file: Any, flags: int) -> int:
            found = int(sync(file, flags))
            if found == _OK:
                self._note("sync", file, 0)
            return found

        for name, made in (
            ("write", _WRITE(writing)),
            ("truncate", _TRUNCATE(truncating)),
            ("sync", _SYNC(syncing)),
        ):
            self._kept.append(made)
            setattr(ours, name, ctypes.cast(made, _void))
        return ours

    def _note(self, what: str, file: Any, where: int, data: bytes = b"") -> None:
        name = self._names[ctypes.addressof(file.contents)]
        self.events.append((what, name, where, data))


def record() -> Recording:
    """Begin to note what happens to the files of databases opened from now on."""
    library = ctypes.CDLL(_sqlite3.__file__)  # the very SQLite that this Python uses
    library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    theirs = library.sqlite3_vfs_find(None).contents
    assert theirs.version >= 1
    ours = _Vfs.from_buffer_copy(ctypes.string_at(ctypes.addressof(theirs), ctypes.sizeof(_Vfs)))
    recording = Recording()
    opened, deleted = _OPEN(theirs.open), _DELETE(theirs.delete)

    def opening(vfs: int, name: int | None, file: Any, flags: int, said: int) -> int:
        found = int(opened(vfs, name, file, flags, said))
        if found == _OK:
            recording._opened(file, name)
        return found

    def deleting(vfs: int, name: int, sync: int) -> int:
        recording.events.append(("delete", _last_part(name), 0, b""))
        return int(deleted(vfs, name, sync))

    kept = (_OPEN(opening), _DELETE(deleting), ours, b"recording")
    recording._kept.extend(kept)
    ours.open, ours.delete = ctypes.cast(kept[0], _void), ctypes.cast(kept[1], _void)
    ours.name, ours.next = kept[3], None
    assert library.sqlite3_vfs_register(ctypes.byref(ours), 1) == _OK
    return recording


def _last_part(name: int) -> str:
    return Path(ctypes.string_at(name).decode()).name


def unsynced(events: Sequence[Event], upto: int, name: str) -> bool:
    """Say whether a file has bytes at this moment that a power loss could take."""
    for what, file, *_ in reversed(events[:upto]):
        if file == name and what in ("write", "truncate"):
            return True
        if file == name and what == "sync":
            return False
    return False


def image(events: Sequence[Event], upto: int, folder: Path, chance: random.Random) -> None:
    """Write the files as they may lie after the power went just before event `upto`."""
    files: dict[str, bytearray] = {}
    synced: dict[str, int] = {}
    for at, (what, name, *_) in enumerate(events[:upto]):
        if what == "sync":
            synced[name] = at
    mood = chance.choice((0.0, 0.5, 0.9, 1.0))  # how much of the unsynced is lost
    for at, (what, name, where, data) in enumerate(events[:upto]):
        if what == "mark" or what == "sync":
            continue
        if what == "delete":
            files.pop(name, None)
            continue
        safe = at < synced.get(name, -1)
        if not safe and chance.random() < mood:
            continue
        file = files.setdefault(name, bytearray())
        if what == "truncate":
            del file[where:]
            continue
        if not safe and chance.random() < 0.3:
            data = _torn(data, chance)
        if len(file) < where:
            file.extend(bytes(where - len(file)))
        file[where : where + len(data)] = data
    for name, content in files.items():
        if not name.endswith("-shm"):
            (folder / name).write_bytes(content)


def _torn(data: bytes, chance: random.Random) -> bytes:
    """Return a part of a write: its first sectors, or all but some of them garbled."""
    cut = chance.randrange(0, len(data) + 1)
    if chance.random() < 0.5:
        return data[:cut]
    sector = cut // SECTOR * SECTOR
    return (
        data[:sector]
        + chance.randbytes(len(data[sector : sector + SECTOR]))
        + data[sector + SECTOR :]
    )
