"""What an import or a check has to say: counts first, then the first places to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ordergate.market.bars.columnar import moment
from ordergate.market.bars.faults import DROPPABLE, MEANING, UNREADABLE, Fault, Finding
from ordergate.market.bars.gaps import Presence
from ordergate.model.errors import Code, InvalidArgument
from ordergate.model.holdings import Jump, SeriesKey

PRICE_FAULTS: Final = frozenset({Fault.NAN, Fault.NEGATIVE, Fault.INVERTED, Fault.CROSSED})
OTHER_READING: Final = {
    Fault.UNSORTED: "--sort",
    Fault.FUTURE: "another --zone, or wait",
    Fault.MISALIGNED: "another --timeframe",
    Fault.WRONG_ZONE: "another --zone; --accept-hours when the market does trade then",
}


class RowsRefused(InvalidArgument):
    """Rows are not what prices can be; nothing was imported. `details.report` has all of it."""


class PricesRefused(RowsRefused):
    code = Code.INVALID_PRICE


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesReport:
    """One series of an import, or one stored series checked. Times: nanoseconds since 1970."""

    key: SeriesKey
    basis: str
    rows: int  # read, or stored
    added: int = 0
    same: int = 0
    differing: int = 0
    replaced: int = 0
    first: int | None = None
    last: int | None = None
    complete: bool = True
    findings: tuple[Finding, ...] = ()
    presence: Presence | None = None
    jumps: tuple[Jump, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def open_findings(self) -> tuple[Finding, ...]:
        return tuple(item for item in self.findings if not item.settled)


def refusal(name: str, reports: Sequence[SeriesReport]) -> RowsRefused | None:
    """Return why a file is not imported, with every count and the way out; None = it may be."""
    findings = [item for report in reports for item in report.open_findings]
    if not findings:
        return None
    words = [_words(item, report) for report in reports for item in report.open_findings]
    drops = sorted({f"--drop {item.fault}" for item in findings if item.fault in DROPPABLE})
    others = [text for fault, text in OTHER_READING.items() if fault in {i.fault for i in findings}]
    ways = ([f"{' '.join(drops)} to leave them out"] if drops else []) + others
    kind = PricesRefused if {i.fault for i in findings} <= PRICE_FAULTS else RowsRefused
    return kind(
        f"{name} is not imported: {'; '.join(dict.fromkeys(words))}"[:1000],
        fix="fetch it again, or add " + "; ".join(dict.fromkeys(ways)),
        details={"report": [told(report) for report in reports]},
    )


def told(report: SeriesReport) -> dict[str, Any]:
    """Return a report as plain values; times ISO 8601 UTC."""
    presence = report.presence
    return {
        "venue": report.key.venue,
        "symbol": str(report.key.symbol),
        "timeframe": report.key.timeframe.value,
        "basis": report.basis,
        "rows": report.rows,
        "added": report.added,
        "same": report.same,
        "differing": report.differing,
        "replaced": report.replaced,
        "first": time_text(report.first),
        "last": time_text(report.last),
        "complete": report.complete,
        "faults": [_fault(item) for item in report.findings],
        "hours": None if presence is None else _presence(presence),
        "jumps": [_jump(jump) for jump in report.jumps],
        "notes": list(report.notes),
    }


def _jump(jump: Jump) -> dict[str, Any]:
    return {
        "at": time_text(jump.at),
        "before": f"{jump.before:.15g}",
        "after": f"{jump.after:.15g}",
        "split": jump.split or None,
    }


def _fault(item: Finding) -> dict[str, Any]:
    return {
        "fault": item.fault.value,
        "rows": item.rows,
        "meaning": MEANING[item.fault],
        "first": [{"row": row, "time": time_text(at)} for row, at in item.first],
        "left_out": item.settled and item.fault in DROPPABLE,
    }


def _presence(found: Presence) -> dict[str, Any]:
    return {
        "missing": found.missing,
        "gaps": found.gaps,
        "closed": found.closed,
        "longest": [
            {"after": time_text(gap.after), "before": time_text(gap.before), "missing": gap.missing}
            for gap in found.longest
        ],
        "shift_h": found.shift_h,
    }


def _words(item: Finding, report: SeriesReport) -> str:
    """Return "crossed: 3 rows (a bid above its ask; first in row 17, 2026-01-07T10:00:00Z)"."""
    place = ""
    if item.first:
        row, at = item.first[0]
        place = f"; first in row {row}" + ("" if at == UNREADABLE else f", {time_text(at)}")
    found = report.presence
    if item.fault is Fault.WRONG_ZONE and found is not None and found.shift_h is not None:
        place = f"; moved by {found.shift_h:+d} hours, {found.closed_then:,} would be"
    return f"{item.fault}: {item.rows:,} rows ({MEANING[item.fault]}{place})"


def time_text(at: int | None) -> str | None:
    if at is None or at == UNREADABLE:
        return None
    found = moment(at)
    text = found.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{found.microsecond // 1000:03d}Z" if found.microsecond else f"{text}Z"
