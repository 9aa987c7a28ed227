"""Rows and records: the one translation between a table's columns and the words we speak."""

from __future__ import annotations

import dataclasses
import enum
import operator
import types
import typing
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from ordergate.model.canonical import decode_intent, encode_intent, iso
from ordergate.model.orders import Intent
from ordergate.model.values import plain

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

R = TypeVar("R", bound="DataclassInstance")
Column = str | int | None
_Way = Callable[[Any], Any]


class Rows(Generic[R]):
    """A kind of record as column values, by field name."""

    def __init__(self, kind: type[R]) -> None:
        hints = typing.get_type_hints(kind)
        self.names: Final = tuple(field.name for field in dataclasses.fields(kind))
        self._kind = kind
        self._values = operator.attrgetter(*self.names)
        writes = ((place, _ways(hints[name])[0]) for place, name in enumerate(self.names))
        self._writes = [(place, write) for place, write in writes if write is not None]
        reads = ((place, _ways(hints[name])[1]) for place, name in enumerate(self.names))
        self._reads = [(place, read) for place, read in reads if read is not None]

    def to_row(self, record: R, *, but: str = "") -> dict[str, Column]:
        """Return the record's column values, except the one of the field `but`."""
        values = list(self._values(record))
        for place, write in self._writes:
            if values[place] is not None and self.names[place] != but:
                values[place] = write(values[place])
        row = dict(zip(self.names, values, strict=True))
        row.pop(but, None)
        return row

    def from_row(self, row: Sequence[Any]) -> R:
        """Read a row whose columns are in the order of `names`."""
        values = list(row)
        for place, read in self._reads:
            if values[place] is not None:
                values[place] = read(values[place])
        return self._kind(**dict(zip(self.names, values, strict=True)))


def _ways(hint: Any) -> tuple[_Way | None, _Way | None]:
    """Return how a field is written and read; None where the value stays as it is."""
    if hint == Intent:
        return encode_intent, decode_intent
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (hint,) = (option for option in typing.get_args(hint) if option is not types.NoneType)
    while hasattr(hint, "__supertype__"):
        hint = hint.__supertype__
    if hint is bool:
        return int, bool
    if hint in (str, int):
        return None, None
    if issubclass(hint, enum.Enum):
        return _value, {member.value: member for member in hint}.__getitem__
    return _WAYS[hint]


def _value(member: enum.Enum) -> Any:
    return member.value


_WAYS: Final[dict[Any, tuple[_Way, _Way]]] = {
    Decimal: (plain, Decimal),
    datetime: (iso, datetime.fromisoformat),
    date: (date.isoformat, date.fromisoformat),
}
