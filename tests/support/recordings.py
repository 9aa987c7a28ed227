"""Recordings for tests: small ones written on the spot, and the real ones where they are."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def real(name: str) -> Path:
    """Return the path of a real recording; skip the test where it is absent."""
    path = REAL / name
    if not path.exists():
        pytest.skip(f"real data file {name} is not here")
    return path


def write_rows(path: Path, header: str, rows: Iterable[str]) -> Path:
    """Write a CSV, gzipped when its name says so."""
    text = "\n".join([header, *rows]) + "\n"
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return path


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
