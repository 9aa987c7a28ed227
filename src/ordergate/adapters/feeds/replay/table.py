"""A recording's file as rows of text: CSV or Parquet, gzip or not, read bit by bit."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Generator
from contextlib import closing
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

HEAD_ROWS: Final = 20_000  # rows looked at to learn digits, symbols and timeframe
PARQUET_ROWS: Final = 16_384  # rows held at once of a Parquet file
GZIP_MAGIC: Final = b"\x1f\x8b"
PARQUET_MAGIC: Final = b"PAR1"


class ReplayError(ValueError):
    """The recording cannot be replayed; the message names the file and the reason."""


def columns_of(path: Path) -> tuple[str, ...]:
    """Return the column names, lower case; raise ReplayError for what is no recording."""
    if _is_parquet(path):
        return tuple(name.lower() for name in _scan(path).collect_schema().names())
    with closing(_csv_rows(path)) as rows:
        header = next(rows, None)
    if not header:
        raise ReplayError(f"{path.name}: empty file")
    return tuple(name.strip().lower() for name in header)


def rows_of(path: Path) -> Generator[list[str], None, None]:
    """Yield the rows under the header as text, in the file's order."""
    if _is_parquet(path):
        yield from _parquet_rows(path)
        return
    rows = _csv_rows(path)
    next(rows, None)
    yield from rows


def head_of(path: Path) -> list[list[str]]:
    """Return the first rows, at most HEAD_ROWS."""
    with closing(rows_of(path)) as rows:
        return list(islice(rows, HEAD_ROWS))


def _csv_rows(path: Path) -> Generator[list[str], None, None]:
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == GZIP_MAGIC
            raw.seek(0)
            plain = gzip.GzipFile(fileobj=raw) if zipped else raw
            with io.TextIOWrapper(plain, encoding="utf-8-sig", newline="") as text:
                yield from csv.reader(text)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise ReplayError(f"{path.name}: cannot be read: {error}") from error


def _is_parquet(path: Path) -> bool:
    try:
        with path.open("rb") as raw:
            return raw.read(4) == PARQUET_MAGIC
    except OSError as error:
        raise ReplayError(f"{path}: {error.strerror or error}") from error


def _scan(path: Path) -> Any:
    import polars  # lazy: it is heavy, and few replays are Parquet

    return polars.scan_parquet(path)


def _parquet_rows(path: Path) -> Generator[list[str], None, None]:
    frame, offset = _scan(path), 0
    while True:
        rows = frame.slice(offset, PARQUET_ROWS).collect().rows()
        if not rows:
            return
        for row in rows:
            yield [_text(value) for value in row]
        offset += len(rows)


def _text(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, datetime) else str(value)
