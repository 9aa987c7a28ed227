"""The kinds of value a request may carry: bounded, strict, and never a float."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from ordergate.model.values import parse_decimal

DECIMAL_PATTERN: Final = r"^(0|[1-9][0-9]*)(\.[0-9]+)?$"
TIME_PATTERN: Final = r"^[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}Z$"
ID_PATTERN: Final = r"^[A-Za-z0-9._:-]+$"
SYMBOL_PATTERN: Final = r"^[A-Za-z0-9._/#-]+$"


class Request(BaseModel):
    """A request as sent: an unknown argument, a wrong type or a null is refused, never repaired."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    nullable: ClassVar[frozenset[str]] = frozenset()  # fields where null says something: "remove"


class Result(BaseModel):
    """A part of an answer; decimals are plain strings, times ISO 8601 UTC."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_time(text: str) -> datetime:
    """Read 2026-01-07T14:00:00Z; raise ValueError for a day or an hour that is none."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _is_decimal(text: str) -> str:
    parse_decimal(text)
    return text


def _is_time(text: str) -> str:
    read_time(text)
    return text


DecimalText = Annotated[
    str, StringConstraints(pattern=DECIMAL_PATTERN, max_length=24), AfterValidator(_is_decimal)
]
TimeText = Annotated[str, StringConstraints(pattern=TIME_PATTERN), AfterValidator(_is_time)]
IdText = Annotated[str, StringConstraints(pattern=ID_PATTERN, max_length=64)]
SymbolText = Annotated[str, StringConstraints(pattern=SYMBOL_PATTERN, max_length=32)]
NameText = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.]+$", max_length=64)]
NoteText = Annotated[str, StringConstraints(max_length=300)]
Cursor = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:=|+/-]+$", max_length=200)]
Rows = Annotated[int, Field(ge=1, le=100)]

AssetClassName = Literal["fx", "metal", "index", "energy", "equity", "crypto"]
OrderTypeName = Literal["market", "limit", "stop", "stop_limit", "trailing_stop"]
ScopeName = Literal["global", "account", "agent", "symbol"]
SideName = Literal["buy", "sell"]
TimeframeName = Literal["M1", "M5", "M15", "M30", "H1", "H4", "D1"]
TimeInForceName = Literal["gtc", "day", "gtd", "ioc", "fok"]
VenueText = Literal["paper", "mt5"]


def decimal_or_none(text: str | None) -> Decimal | None:
    return None if text is None else parse_decimal(text)
