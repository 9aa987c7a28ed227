"""The report as one page of HTML that loads nothing, runs nothing and can be sent by mail."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Final

import numpy

from ordergate.research.report.curves import drawdowns, path, thinned
from ordergate.research.report.figures import DEFINITIONS
from ordergate.research.report.report import facts
from ordergate.research.report.sheet import COLUMNS, rows

if TYPE_CHECKING:
    from ordergate.model.series import Numbers, Times
    from ordergate.research.report.figures import Month
    from ordergate.research.report.report import Report

BYTES_MAX: Final = 300_000
TRADES_SHOWN: Final = 400
WIDTH: Final = 900.0
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
STYLE: Final = (
    "body{font:14px/1.45 system-ui,sans-serif;margin:2em auto;max-width:960px;padding:0 1em;"
    "color:#1b1b1b;background:#fff}h1{font-size:1.4em}h2{font-size:1.1em;margin-top:1.8em}"
    "table{border-collapse:collapse;font-size:12px}td,th{padding:2px 8px;text-align:right;"
    "border-bottom:1px solid #ddd}td:first-child,th:first-child{text-align:left}"
    ".stop{color:#a40000;font-weight:bold}.doubt{color:#8a5a00}.fine{color:#2c662d}"
    ".verdict{border:2px solid;padding:.6em 1em;font-size:1.15em}pre{white-space:pre-wrap;"
    "word-break:break-all;background:#f5f5f5;padding:.8em;font-size:12px}svg{width:100%;"
    "height:auto;background:#fafafa}.low{color:#a40000}.scroll{max-height:30em;overflow:auto}"
    ".line{fill:none;stroke:#1f4e79;stroke-width:1.2}.fall{fill:none;stroke:#a40000;"
    "stroke-width:1}.zero{stroke:#999;stroke-width:.6}text{font-size:11px;fill:#555}"
)
POLICY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'"
)


def page(report: Report) -> str:
    """Return the page, below 300 kB; what an agent or a file named is text in it, never markup."""
    told = facts(report)
    title = f"{report.kind} {report.spec.strategy.name} {told['again']['dataset']}"
    body = itertools.chain(
        (f"<h1>{_text(title)}</h1>", _verdict(told)),
        _section("Equity and drawdown", _curves(report)),
        _section("Figures", _figures(told)),
        _section("Where the money went", _costs(told)),
        _section("Under other costs and later fills", _stress(told)),
        _section("How much of it may be luck", _luck(told)),
        _section(report.rows_title, _rows(told)) if report.rows else (),
        _section("Month by month, percent", _months(report.months)),
        _section("Trades", _trades(report)),
        _section("Run it again", _again(told)),
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">'
        '<meta name="viewport" content="width=device-width"><meta name="referrer"'
        f' content="no-referrer"><title>{_text(title)}</title><style>{STYLE}</style></head><body>'
        f"{''.join(body)}</body></html>\n"
    )


def _section(title: str, inside: Iterable[str]) -> Iterator[str]:
    yield f"<h2>{_text(title)}</h2>"
    yield from inside


def _verdict(told: dict[str, Any]) -> str:
    weights = {one["weight"] for one in told["findings"]}
    weight = next((one for one in ("stop", "doubt") if one in weights), "fine")
    points = "".join(
        f'<li class="{one["weight"]}">{_text(one["words"])}</li>' for one in told["findings"]
    )
    notes = "".join(f"<p>{_text(note)}</p>" for note in told["notes"])
    return f'<p class="verdict {weight}">{_text(told["headline"])}</p><ul>{points}</ul>{notes}'


def _curves(report: Report) -> Iterator[str]:
    outcome = report.outcome
    equity = outcome.equity.astype(numpy.float64) / outcome.money_scale
    start = outcome.start / outcome.money_scale
    yield _curve(outcome.time, equity, 260.0, start, "line")
    yield _curve(outcome.time, drawdowns(equity, start) * 100, 90.0, 0.0, "fall")


def _curve(time: Times, values: Numbers, height: float, level: float, kind: str) -> str:
    at, kept = thinned(time, values)
    low, high = min(float(kept.min()), level), max(float(kept.max()), level)
    span = (low, high)
    across = height - (level - low) / ((high - low) or 1.0) * height
    first, last = (
        str(stamp.astype("datetime64[ns]").astype("datetime64[D]")) for stamp in (at[0], at[-1])
    )
    return (
        f'<svg viewBox="-4 -14 {WIDTH + 8:.0f} {height + 30:.0f}" role="img">'
        f'<line class="zero" x1="0" x2="{WIDTH:.0f}" y1="{across:.1f}" y2="{across:.1f}"/>'
        f'<path class="{kind}" d="{path(at, kept, (WIDTH, height), span)}"/>'
        f'<text x="0" y="-3">{high:,.2f}</text><text x="0" y="{height + 12:.0f}">{low:,.2f}'
        f'</text><text x="{WIDTH / 2:.0f}" y="{height + 12:.0f}">{first} to {last}</text></svg>'
    )


def _figures(told: dict[str, Any]) -> Iterator[str]:
    yield _table(
        ("", "", "what it means"),
        ((name, value, DEFINITIONS.get(name, "")) for name, value in told["figures"].items()),
    )
    refused = ", ".join(f"{code} {count}" for code, count in told["refused"].items())
    if refused:
        yield f"<p>Orders that the gate or the venue would have refused: {_text(refused)}</p>"


def _costs(told: dict[str, Any]) -> Iterator[str]:
    yield _table(("", "account currency"), told["costs"].items())
    low, high = told["band"]
    yield (
        f"<p>In {told['ambiguous']} trades one bar held both stop and target. The result lies"
        f" between {_text(low)} (stops first) and {_text(high)} (targets first) of the starting"
        " balance.</p>"
    )


def _stress(told: dict[str, Any]) -> Iterator[str]:
    yield _table(
        ("", "net, share of the start", "trades"),
        ((one["name"], one["net"], one["trades"]) for one in told["stress"]),
    )


def _luck(told: dict[str, Any]) -> Iterator[str]:
    plain = {name: value for name, value in told["overfit"].items() if name != "leakage"}
    yield _table(("", ""), ((name, value) for name, value in plain.items()))
    yield _table(
        ("leakage check", "", ""),
        (
            (one["check"], "pass" if one["passed"] else "FAIL", one["message"])
            for one in told["overfit"]["leakage"]
        ),
    )


def _rows(told: dict[str, Any]) -> Iterator[str]:
    if told["rows"]:
        yield _table(tuple(told["rows"][0]), (tuple(row.values()) for row in told["rows"]))


def _months(months: Sequence[Month]) -> Iterator[str]:
    years: dict[int, dict[int, float]] = {}
    for one in months:
        years.setdefault(one.year, {})[one.month] = one.share
    lines = []
    for year, found in years.items():
        whole = 1.0
        for share in found.values():
            whole *= 1.0 + share
        cells = [f"{found[month] * 100:.2f}" if month in found else "" for month in range(1, 13)]
        lines.append((str(year), *cells, f"{(whole - 1.0) * 100:.2f}"))
    yield _table(("", *MONTHS, "year"), lines)


def _trades(report: Report) -> Iterator[str]:
    total = len(report.outcome.trades)
    shown = itertools.islice(rows(report.outcome, report.instruments), TRADES_SHOWN)
    yield f'<div class="scroll">{_table(COLUMNS, shown)}</div>'
    if total > TRADES_SHOWN:
        yield f"<p>The first {TRADES_SHOWN} of {total}; trades.csv has all of them.</p>"


def _again(told: dict[str, Any]) -> Iterator[str]:
    yield f"<pre>{_text(told['again']['command'])}</pre>"
    yield f"<pre>{_text(json.dumps(told['again'], indent=1, ensure_ascii=False))}</pre>"


def _table(names: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    head = "".join(f"<th>{_text(name.replace('_', ' '))}</th>" for name in names)
    body = "".join(f"<tr>{''.join(_cell(value) for value in line)}</tr>" for line in lines)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: Any) -> str:
    word = "" if value is None else str(value)
    low = ' class="low"' if word.startswith("-") else ""
    return f"<td{low}>{_text(word)}</td>"


def _text(word: object) -> str:
    return escape(str(word))
