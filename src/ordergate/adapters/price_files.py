"""A price file as columns: CSV or Parquet, gzip or not, read block by block under firm limits."""

from __future__ import annotations

import csv
import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Final, cast

from ordergate.model.errors import Code, GateError
from ordergate.ports.bars import Block, FileUnusable, Shape, Zone

if TYPE_CHECKING:
    import polars

    from ordergate.model.series import Numbers, Times

BYTES_MAX: Final = 2 * 1024**3  # unpacked
ROWS_MAX: Final = 10_000_000
BLOCK_BYTES: Final = 16 * 1024**2
DIGEST_BYTES: Final = 1024**2
BLOCK_ROWS: Final = 262_144
LINE_BYTES_MAX: Final = 64 * 1024
GZIP_MAGIC: Final = b"\x1f\x8b"
PARQUET_MAGIC: Final = b"PAR1"
SEPARATORS: Final = ",;\t|"
EPOCH_UNITS: Final = ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3), (10**20, 1))
PATTERNS: Final = (
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?", "%Y-%m-%dT%H:%M:%S%.f"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", "%Y-%m-%dT%H:%M"),
    (r"\d{4}-\d\d-\d\d", "%Y-%m-%d"),
    (r"\d{4}\.\d\d\.\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?", "%Y.%m.%dT%H:%M:%S%.f"),
    (r"\d{4}\.\d\d\.\d\d[T ]\d\d:\d\d", "%Y.%m.%dT%H:%M"),
    (r"\d{4}\.\d\d\.\d\d", "%Y.%m.%d"),
    (r"\d{8}[T ]\d{6}", "%Y%m%dT%H%M%S"),
)
WITH_OFFSET: Final = r"(.*\d\d:\d\d(?::\d\d)?(?:\.\d+)?)[+-]\d\d:?\d\d"
# New York's clock and so many hours: what most MetaTrader servers show.
SHIFTED: Final = r"((?!Etc/)[A-Za-z_]+/[A-Za-z_/]+)([+-]\d{1,2})"
UNREADABLE: Final = -(2**63)


class FileTooLarge(GateError):
    """More than is read at once."""

    code: ClassVar[Code] = Code.PAYLOAD_TOO_LARGE


class PriceTable:
    """Implements ports.bars.PriceFile over one file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        return self._path.name

    def columns(self) -> tuple[str, ...]:
        if self._is_parquet():
            return tuple(_plain(name) for name in self._schema())
        return tuple(_plain(name) for name in self._header()[0])

    def blocks(self, shape: Shape, zone: Zone) -> Iterator[Block]:
        rows = 0
        style = _Times(zone, self.name)
        for frame in self._parquet(shape) if self._is_parquet() else self._csv(shape):
            rows += len(frame)
            if rows > ROWS_MAX:
                raise FileTooLarge(
                    f"{self.name} has more than {ROWS_MAX:,} rows",
                    fix="split it by years and import the parts one after the other",
                )
            yield _block(frame, shape, style)

    def sha256(self) -> str:
        digest = hashlib.sha256()
        with self._opened() as raw:
            while part := raw.read(DIGEST_BYTES):
                digest.update(part)
        return digest.hexdigest()

    def written_at(self) -> datetime:
        try:
            return datetime.fromtimestamp(self._path.stat().st_mtime, UTC)
        except OSError as error:
            raise FileUnusable(f"there is no file {self._path}", fix="name another") from error

    def _opened(self) -> BinaryIO:
        try:
            if not self._path.is_file():
                raise FileUnusable(f"there is no file {self._path}", fix="name a CSV or Parquet")
            size = self._path.stat().st_size
            if size > BYTES_MAX:
                raise FileTooLarge(
                    f"{self.name} has {size:,} bytes; at most {BYTES_MAX:,} are read at once",
                    fix="split it by years and import the parts one after the other",
                )
            return self._path.open("rb")
        except OSError as error:
            raise FileUnusable(
                f"{self.name}: {error.strerror or error}", fix="make it readable"
            ) from error

    def _is_parquet(self) -> bool:
        with self._opened() as raw:
            return raw.read(4) == PARQUET_MAGIC

    def _schema(self) -> dict[str, Any]:
        import polars

        try:
            return dict(polars.read_parquet_schema(self._path))
        except polars.exceptions.PolarsError as error:
            raise self._torn(error) from error

    def _parquet(self, shape: Shape) -> Iterator[polars.DataFrame]:
        import polars

        wanted = {_plain(name): name for name in self._schema()}
        columns = [polars.col(wanted[name]).alias(name) for name in _named(shape)]
        scan = polars.scan_parquet(self._path).select(columns)
        try:
            rows = int(scan.select(polars.len()).collect().item())
            for offset in range(0, rows, BLOCK_ROWS):
                yield scan.slice(offset, BLOCK_ROWS).collect()
        except polars.exceptions.PolarsError as error:
            raise self._torn(error) from error

    def _csv(self, shape: Shape) -> Iterator[polars.DataFrame]:
        import polars

        names, separator = self._header()
        numbers = {*shape.prices, *filter(None, [shape.volume])}
        kinds = [polars.Float64 if _plain(name) in numbers else polars.String for name in names]
        schema = {_plain(name): kind for name, kind in zip(names, kinds, strict=True)}
        for text in self._text():
            try:
                frame = polars.read_csv(
                    text.replace(b'"', b""),  # an odd quote makes the reader panic
                    has_header=False,
                    schema=schema,
                    separator=separator,
                    quote_char=None,
                    ignore_errors=True,
                )
            except polars.exceptions.PolarsError as error:
                raise FileUnusable(
                    f"{self.name} is no even table: a row has more cells than its header",
                    fix="look for a decimal comma or a cut line",
                ) from error
            yield frame.select(_named(shape))

    def _header(self) -> tuple[list[str], str]:
        try:
            with self._opened() as raw, _unpacked(raw) as plain:
                line = plain.readline(LINE_BYTES_MAX).decode("utf-8-sig").strip("\r\n")
        except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
            raise self._torn(error) from error
        if not line.strip():
            raise FileUnusable(f"{self.name} is empty", fix="fetch it again")
        separator = max(SEPARATORS, key=line.count)
        try:
            names = [name.strip() for name in next(csv.reader([line], delimiter=separator))]
        except csv.Error as error:
            raise FileUnusable(
                f"{self.name} has no readable header: {error}"[:300],
                fix="end each line with a line feed, the header too",
            ) from error
        if len({_plain(name) for name in names}) != len(names):
            raise FileUnusable(f"{self.name} names a column twice", fix="rename one")
        return names, separator

    def _text(self) -> Iterator[bytes]:
        """Yield whole lines under the header, some megabytes at a time."""
        total, rest = 0, b""
        try:
            with self._opened() as raw, _unpacked(raw) as plain:
                plain.readline(LINE_BYTES_MAX)
                while part := plain.read(BLOCK_BYTES):
                    total += len(part)
                    if total > BYTES_MAX:
                        raise FileTooLarge(
                            f"{self.name} unpacks to more than {BYTES_MAX:,} bytes",
                            fix="split it by years and import the parts one after the other",
                        )
                    lines, newline, tail = (rest + part).rpartition(b"\n")
                    if newline:
                        yield lines
                    rest = tail
                    if len(rest) > LINE_BYTES_MAX:
                        raise FileUnusable(f"{self.name} has no lines", fix="is it a CSV?")
        except (OSError, EOFError, zlib.error) as error:
            raise self._torn(error) from error
        if rest.strip():
            yield rest

    def _torn(self, error: Exception) -> FileUnusable:
        return FileUnusable(
            f"{self.name} ends too early or is damaged: {error}"[:300], fix="fetch it again"
        )


class _Times:
    """Reads times; what their text looks like is learnt from the first one and then demanded."""

    def __init__(self, zone: Zone, name: str) -> None:
        self._zone = zone
        self._name = name
        self._pattern: str | None = None

    def read(self, column: polars.Series) -> Times:
        import polars

        kind = column.dtype
        if kind.is_integer() or kind.is_float():
            return self._epoch(column.cast(polars.Int64, strict=False))
        if kind == polars.String:
            return self._text(column)
        if kind == polars.Date:
            return self._placed(column.cast(polars.Datetime("ns")))
        if isinstance(kind, polars.Datetime):
            exact = column.dt.cast_time_unit("ns")
            return self._placed(exact) if kind.time_zone is None else _nanoseconds(exact)
        raise FileUnusable(f"{self._name}: a time column of {kind}", fix="use ISO 8601 in UTC")

    def _text(self, column: polars.Series) -> Times:
        import polars

        filled = column.drop_nulls()
        sample = str(filled[0]).strip() if len(filled) else ""
        if re.fullmatch(r"\d{9,19}", sample) and self._zone.pattern is None:
            return self._epoch(column.cast(polars.Int64, strict=False))
        if self._zone.pattern is not None:
            return self._placed(_parsed(column, self._zone.pattern))
        text = column.str.strip_chars()
        if sample.endswith("Z"):
            exact = text.str.ends_with("Z")
            return _nanoseconds(
                _parsed(text.set(~exact, None).str.strip_suffix("Z"), self._of(sample[:-1]))
            )
        offset = re.fullmatch(WITH_OFFSET, sample)
        if offset is not None:
            return _nanoseconds(_parsed(text, f"{self._of(offset[1])}%z"))
        return self._placed(_parsed(text, self._of(sample)))

    def _of(self, sample: str) -> str:
        """Return the pattern of the first time, which all others must share."""
        if self._pattern is None:
            found = (made for like, made in PATTERNS if re.fullmatch(like, sample))
            self._pattern = next(found, None)
        if self._pattern is None:
            raise FileUnusable(
                f"{self._name}: the first time, {sample[:40]!r}, is in no known form",
                fix='say it: --time-format "%d/%m/%Y %H:%M"',
            )
        return self._pattern

    def _placed(self, local: polars.Series) -> Times:
        """Put times without a zone into theirs; one that a clock change makes doubtful is none."""
        import polars

        if self._zone.name is None:
            raise FileUnusable(
                f"{self._name}: its times name no zone",
                fix="say it: --zone UTC, Etc/GMT-2 for UTC+2, America/New_York+7 (most MetaTrader)",
            )
        shifted = re.fullmatch(SHIFTED, self._zone.name)
        name = self._zone.name if shifted is None else shifted[1]
        if shifted is not None:
            local = local - timedelta(hours=int(shifted[2]))
        try:
            placed = local.dt.replace_time_zone(name, ambiguous="null", non_existent="null")
        except polars.exceptions.PolarsError as error:
            raise FileUnusable(f"no time zone {name}", fix="use an IANA name") from error
        return _nanoseconds(placed.dt.convert_time_zone("UTC"))

    def _epoch(self, column: polars.Series) -> Times:
        largest = cast("int | None", column.max()) or 0
        factor = next((factor for limit, factor in EPOCH_UNITS if largest < limit), 1)
        made: Times = (column * factor).fill_null(UNREADABLE).to_numpy().copy()
        return made


def _block(frame: polars.DataFrame, shape: Shape, times: _Times) -> Block:
    import numpy
    import polars

    when = frame[shape.time[0]]
    if len(shape.time) > 1:
        clock = frame[shape.time[1]]
        whole = len(clock) and re.match(r"\d{4}[-.]", str(clock[0]))  # it has the date, too
        joined = polars.concat_str(shape.time, separator="T")
        when = clock if whole else frame.select(joined).to_series()
    garbled = numpy.zeros(len(frame), numpy.bool_)
    prices = []
    for name in shape.prices:
        column = frame[name].cast(polars.Float64, strict=False)
        garbled |= column.is_null().to_numpy()
        prices.append(_numbers(column))
    volume = None
    if shape.volume is not None:
        volume = _numbers(frame[shape.volume].cast(polars.Float64, strict=False))
    symbol = None
    if shape.symbol is not None:
        symbol = frame[shape.symbol].cast(polars.String).fill_null("").to_numpy().astype(numpy.str_)
    return Block(times.read(when), tuple(prices), volume, symbol, garbled)


def _parsed(text: polars.Series, pattern: str) -> polars.Series:
    """Read times in one form; a space between date and time is as good as a T."""
    even = text.str.replace(r"^(\S+) ", "${1}T") if "T" in pattern else text
    return even.str.to_datetime(pattern, time_unit="ns", strict=False)


def _nanoseconds(column: polars.Series) -> Times:
    import polars

    exact = column.dt.cast_time_unit("ns").cast(polars.Int64)
    made: Times = exact.fill_null(UNREADABLE).to_numpy().copy()
    return made


def _numbers(column: polars.Series) -> Numbers:
    made: Numbers = column.fill_null(float("nan")).to_numpy().copy()
    return made


def _named(shape: Shape) -> list[str]:
    return [*shape.time, *shape.prices, *filter(None, [shape.volume, shape.symbol])]


def _plain(name: str) -> str:
    """Return a column's name without the brackets some terminals write: <OPEN> -> open."""
    return name.strip().strip("<>").lower()


def _unpacked(raw: BinaryIO) -> BinaryIO:
    zipped = raw.read(2) == GZIP_MAGIC
    raw.seek(0)
    return cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if zipped else raw
