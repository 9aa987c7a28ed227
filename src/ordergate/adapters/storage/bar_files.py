"""The store of bars: Parquet files by venue, symbol and timeframe, and a manifest that names them.

A series is a folder with `series.json` and parts of at most PART_ROWS bars, which never change. A
change writes new parts, then a new manifest, each to a temporary file, to the disk, and renamed:
the manifest's rename is the moment at which it has happened. Parts that no manifest names are
swept by the next change. A lock keeps writers of one series apart; readers need none.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from filelock import FileLock, Timeout

from ordergate.adapters.storage.bar_manifest import Manifest, Part, read_manifest, written
from ordergate.model.errors import NotReady
from ordergate.model.holdings import Holding, Rows, SeriesKey
from ordergate.model.market import PriceBasis
from ordergate.model.series import Prices, Series
from ordergate.model.values import Symbol
from ordergate.ports.bars import StoreDamaged, StoreUnwritable

if TYPE_CHECKING:
    import polars

PART_ROWS: Final = 65_536
GROUP_ROWS: Final = 16_384  # read together from a part
LOCK_WAIT_S: Final = 30.0
MANIFEST: Final = "series.json"
LOCK: Final = ".lock"
PRICES: Final = ("open", "high", "low", "close")
ASKS: Final = tuple(f"ask_{name}" for name in PRICES)
ATTEMPTS: Final = 50  # a reader may meet changes: the manifest it read names parts now swept


class BarFiles:
    """Implements ports.bars.BarStore under one directory."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def holdings(self, symbol: Symbol | None = None) -> tuple[Holding, ...]:
        name = "*" if symbol is None else _name(symbol)
        found = (read_manifest(path) for path in self._root.glob(f"*/{name}/*/{MANIFEST}"))
        return tuple(sorted((one.holding for one in found if one), key=lambda item: item.key))

    def holding(self, key: SeriesKey) -> Holding | None:
        manifest = self._manifest(key)
        return None if manifest is None else manifest.holding

    def read(self, key: SeriesKey, *, limit: int, before: int | None = None) -> Series | None:
        for attempt in range(1, ATTEMPTS + 1):
            manifest = self._manifest(key)
            if manifest is None:
                return None
            try:
                return _newest(self._folder(key), manifest, limit=limit, before=before)
            except StoreDamaged:
                if attempt == ATTEMPTS or self._manifest(key) == manifest:
                    raise  # nobody has changed it meanwhile: it is damaged
        return None

    def verify(self, key: SeriesKey) -> int:
        manifest = self._manifest(key)
        if manifest is None:
            return 0
        for part in manifest.parts:
            try:
                found = hashlib.sha256((self._folder(key) / part.name).read_bytes()).hexdigest()
            except OSError as error:
                raise _damaged(key, error) from error
            if found != part.sha256:
                raise _damaged(key, ValueError(f"{part.name} is not what was written"))
        return sum(part.rows for part in manifest.parts)

    @contextmanager
    def edit(self, key: SeriesKey) -> Iterator[FileShelf]:
        folder = self._folder(key)
        lock = FileLock(folder / LOCK)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=LOCK_WAIT_S)
        except Timeout as error:
            raise NotReady(
                f"{key} is being changed for more than {LOCK_WAIT_S:.0f} s by another program",
                fix="let that import end, then try again",
            ) from error
        except OSError as error:
            raise _unwritable(key, error) from error
        try:
            yield FileShelf(folder, self._manifest(key))
        finally:
            lock.release()

    def _manifest(self, key: SeriesKey) -> Manifest | None:
        found = read_manifest(self._folder(key) / MANIFEST)
        if found is not None and found.holding.key != key:
            raise StoreDamaged(
                f"the folder of {key} holds {found.holding.key}", fix="move it away, import again"
            )
        return found

    def _folder(self, key: SeriesKey) -> Path:
        return self._root / _name(key.venue) / _name(key.symbol) / key.timeframe.value


class FileShelf:
    """Implements ports.bars.Shelf; alive while the lock is held."""

    def __init__(self, folder: Path, manifest: Manifest | None) -> None:
        self._folder = folder
        self._manifest = manifest

    @property
    def holding(self) -> Holding | None:
        return None if self._manifest is None else self._manifest.holding

    def tail(self, since: int) -> Rows | None:
        manifest = self._manifest
        if manifest is None:
            return None
        parts = [part for part in manifest.parts if part.last >= since]
        return _from(_rows(self._folder, manifest, parts), since)

    def put(self, rows: Rows, *, since: int, holding: Holding) -> None:
        import numpy
        import polars

        old = () if self._manifest is None else self._manifest.parts
        kept = [part for part in old if part.last < since]
        split = [part for part in old if part.first < since <= part.last]
        if self._manifest is not None and (split or _is_short(kept)):
            split = split or [kept.pop()]
            lead = _before(_rows(self._folder, self._manifest, split), since)
            rows = _behind(lead, rows)
        made = []
        try:
            for begin in range(0, len(rows.series), PART_ROWS):
                chosen = numpy.arange(begin, min(begin + PART_ROWS, len(rows.series)))
                made.append(self._write(rows, chosen))
            manifest = Manifest(holding, (*kept, *made))
            _replace(self._folder / MANIFEST, written(manifest).encode())
            self._manifest = manifest
        except (OSError, polars.exceptions.PolarsError) as error:
            raise _unwritable(holding.key, error) from error
        finally:
            self._sweep()

    def _write(self, rows: Rows, chosen: Any) -> Part:
        import polars

        series, ask = rows.series, rows.series.ask
        columns = {"time": series.time[chosen]}
        columns |= {name: getattr(series, name)[chosen] for name in (*PRICES, "volume")}
        if ask is not None:
            columns |= {f"ask_{name}": getattr(ask, name)[chosen] for name in PRICES}
        columns |= {"origin": rows.origin[chosen]}
        frame = polars.DataFrame(columns)
        running = not series.complete and int(chosen[-1]) == len(series) - 1
        flags = [True] * (len(chosen) - 1) + [not running]
        frame = frame.with_columns(polars.Series("complete", flags, polars.Boolean))
        first, last = int(columns["time"][0]), int(columns["time"][-1])
        number = 1 + max((_number(path) for path in self._folder.glob("*.parquet")), default=0)
        name = f"{number:06d}.parquet"
        temporary = self._folder / f"{name}.new"
        with temporary.open("wb") as file:
            frame.write_parquet(file, compression="lz4", row_group_size=GROUP_ROWS)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._folder / name)
        digest = hashlib.sha256((self._folder / name).read_bytes()).hexdigest()
        return Part(name, len(chosen), first, last, digest)

    def _sweep(self) -> None:
        """Take away what no manifest names; what a reader still holds open is left for later."""
        named = set() if self._manifest is None else {part.name for part in self._manifest.parts}
        for path in (*self._folder.glob("*.parquet"), *self._folder.glob("*.new")):
            if path.name not in named:
                try:
                    path.unlink()
                except OSError:
                    continue


def _newest(folder: Path, manifest: Manifest, *, limit: int, before: int | None) -> Series:
    """Read from the end: whole parts are left alone but for the rows that are wanted."""
    frames: list[polars.DataFrame] = []
    wanted = limit
    for part in reversed(manifest.parts):
        if wanted <= 0:
            break
        if before is not None and part.first >= before:
            continue
        rows = part.rows
        path = folder / part.name
        if before is not None and part.last >= before:
            times = _read(manifest, path, columns=["time"])["time"].to_numpy()
            rows = int(times.searchsorted(before))
        begin = max(0, rows - wanted)
        frames.append(_read(manifest, path, begin=begin, rows=rows - begin))
        wanted -= rows - begin
    return _series(frames[::-1], manifest).series


def _rows(folder: Path, manifest: Manifest, parts: list[Part]) -> Rows:
    return _series([_read(manifest, folder / part.name) for part in parts], manifest)


def _read(
    manifest: Manifest,
    path: Path,
    *,
    begin: int = 0,
    rows: int | None = None,
    columns: list[str] | None = None,
) -> polars.DataFrame:
    import polars

    try:
        scan = polars.scan_parquet(path).slice(begin, rows)
        return (scan if columns is None else scan.select(columns)).collect()
    except (OSError, polars.exceptions.PolarsError) as error:
        raise _damaged(manifest.holding.key, error) from error


def _series(frames: list[polars.DataFrame], manifest: Manifest) -> Rows:
    import numpy
    import polars

    holding = manifest.holding
    asks = ASKS if holding.basis is PriceBasis.BID_ASK else ()
    columns: dict[str, Any] = {name: numpy.zeros(0) for name in (*PRICES, "volume", *asks)}
    columns |= {"time": numpy.zeros(0, numpy.int64), "origin": numpy.zeros(0, numpy.uint16)}
    complete = True
    if frames:
        try:
            frame = polars.concat(frames)
            columns = {name: frame[name].to_numpy() for name in columns}
            complete = not len(frame) or bool(frame["complete"][-1])
        except polars.exceptions.PolarsError as error:
            raise _damaged(holding.key, error) from error
    series = Series(
        symbol=holding.key.symbol,
        timeframe=holding.key.timeframe,
        time=columns["time"],
        open=columns["open"],
        high=columns["high"],
        low=columns["low"],
        close=columns["close"],
        volume=columns["volume"],
        complete=complete,
        source=_source(holding, columns["origin"]),
        ask=Prices(*(columns[name] for name in asks)) if asks else None,
    )
    return Rows(series, columns["origin"])


def _source(holding: Holding, origin: Any) -> str:
    """Name the imports that rows came from: "oanda:eurusd_h1.csv.gz"."""
    import numpy

    numbers = set(numpy.unique(origin).tolist())
    names = dict.fromkeys(one.source for one in holding.imports if one.number in numbers)
    return f"{holding.key.venue}:{'+'.join(names)}"


def _from(rows: Rows, since: int) -> Rows:
    import numpy

    return _cut(rows, slice(int(numpy.searchsorted(rows.series.time, since)), None))


def _before(rows: Rows, since: int) -> Rows:
    import numpy

    return _cut(rows, slice(0, int(numpy.searchsorted(rows.series.time, since))))


def _cut(rows: Rows, part: slice) -> Rows:
    series, ask = rows.series, rows.series.ask
    ends = part.stop is None or part.stop >= len(series)
    made = replace(
        series,
        **{name: getattr(series, name)[part] for name in ("time", *PRICES, "volume")},
        complete=series.complete if ends else True,
        ask=None if ask is None else Prices(*(getattr(ask, name)[part] for name in PRICES)),
    )
    return Rows(made, rows.origin[part])


def _behind(lead: Rows, rows: Rows) -> Rows:
    """Put rows behind others that all come before them."""
    import numpy

    def both(name: str) -> Any:
        return numpy.concatenate([getattr(lead.series, name), getattr(rows.series, name)])

    ask = None
    if lead.series.ask is not None and rows.series.ask is not None:
        left, right = lead.series.ask, rows.series.ask
        pairs = [numpy.concatenate([getattr(left, n), getattr(right, n)]) for n in PRICES]
        ask = Prices(*pairs)
    made = replace(
        rows.series, **{name: both(name) for name in ("time", *PRICES, "volume")}, ask=ask
    )
    return Rows(made, numpy.concatenate([lead.origin, rows.origin]))


def _is_short(parts: list[Part]) -> bool:
    return bool(parts) and parts[-1].rows < PART_ROWS


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(".new")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _settle(path.parent)


def _settle(folder: Path) -> None:
    """Put a folder's names on the disk, where a folder can be opened for that."""
    try:
        number = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _name(word: str) -> str:
    """Write a venue or a symbol as the name of a folder on any system."""
    return quote(word, safe="").replace(".", "%2E")


def _number(path: Path) -> int:
    return int(path.stem) if path.stem.isdigit() else 0


def _unwritable(key: SeriesKey, error: Exception) -> StoreUnwritable:
    return StoreUnwritable(
        f"{key} cannot be written: {error}"[:300], fix="free some disk, or make it writable"
    )


def _damaged(key: SeriesKey, error: Exception) -> StoreDamaged:
    return StoreDamaged(
        f"{key} cannot be read: {error}"[:300], fix="move its folder away and import it again"
    )
