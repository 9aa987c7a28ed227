"""The record looked at again: past verdicts made anew, and what other limits had done."""

from __future__ import annotations

import contextlib
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from ordergate import __version__
from ordergate.adapters.config_files import FILE_BYTES_MAX, SettingsRefused
from ordergate.adapters.storage.log_file import Log, Unreadable, open_log
from ordergate.adapters.storage.session import SqlTx
from ordergate.bootstrap.house import database_of
from ordergate.model.canonical import iso, sha256_hex
from ordergate.model.errors import DataUnavailable, InvalidArgument, NotFound
from ordergate.model.orders import Intent
from ordergate.model.values import ZERO, OrderId, plain
from ordergate.model.verdicts import Decision, Verb
from ordergate.order.policy.decision import recorded
from ordergate.order.policy.limits import Limits
from ordergate.order.policy.recall import Forgotten
from ordergate.order.policy.replay import Replayed, Sealed, again, sealed_judgements, under
from ordergate.settings.limit_tables import policy_of
from ordergate.settings.load import Settings

NOT_FOLLOWED: Final = (
    "each decision is judged on the facts recorded for it: what an order refused now would have"
    " freed for later ones is not followed, and tightenings are left out"
)


def simulate(
    settings: Settings, policy: Path, since: str | None, until: str | None
) -> Mapping[str, object]:
    """Judge the recorded decisions under another limits file; say which had come out otherwise."""
    limits = _policy(policy)
    begin, end = _moment(since, "--from"), _moment(until, "--to")
    changed: list[dict[str, object]] = []
    counts: Counter[str] = Counter()
    totals = dict.fromkeys(("sent_then", "sent_now", "asked_then", "asked_now"), ZERO)
    skipped: Counter[str] = Counter()
    blurred: set[str] = set()
    with _log(settings) as log:
        for past in sealed_judgements(log.rows):
            if (begin is not None and past.at < begin) or (end is not None and past.at >= end):
                continue
            try:
                found = under(past, limits)
            except Forgotten as reason:
                skipped[str(reason)] += 1
                continue
            counts[f"{found.then.verb} -> {found.now.verb}"] += 1
            blurred.update(found.blurred)
            for when, verb in (("then", found.then.verb), ("now", found.now.verb)):
                if verb is not Verb.DENY:
                    totals[f"{'sent' if verb is Verb.ALLOW else 'asked'}_{when}"] += found.notional
            if _outcome(found.then) != _outcome(found.now):
                changed.append(_row(found))
    return {
        "policy": str(policy),
        "decisions": sum(counts.values()),
        "changed": changed,
        "counts": dict(sorted(counts.items())),
        "notional": {name: plain(amount) for name, amount in totals.items()},
        "not_replayed": dict(sorted(skipped.items())),
        "not_exact_for": sorted(blurred),
        "note": NOT_FOLLOWED,
    }


def rejudge(settings: Settings, order_id: str) -> Mapping[str, object]:
    """Make every recorded verdict of an order anew from its facts and compare it bit for bit."""
    with _log(settings) as log:
        past = [row for row in sealed_judgements(log.rows) if row.order_id == order_id]
    if not past:
        raise NotFound(
            "no judgement of such an order is on record", fix="`ordergate order list` names orders"
        )
    stored = _stored(settings, order_id)
    rows = [_rejudged(row, stored if row is past[-1] else None) for row in past]
    return {
        "order_id": order_id,
        "same": all(row["same"] for row in rows),
        "version": __version__,
        "judgements": rows,
    }


def _rejudged(past: Sealed, stored: str | None) -> dict[str, object]:
    try:
        now, problem = recorded(again(past)), ""
    except Forgotten as reason:
        now, problem = None, str(reason)
    digest = past.digest or (None if stored is None else sha256_hex(stored))
    same = now is not None and digest is not None and sha256_hex(now) == digest
    if same and stored is not None:
        same = now == stored
    if past.version != __version__:
        note = f"judged by ordergate {past.version}, this is {__version__}: rules may have changed"
        problem = f"{problem}; {note}" if problem else note
    return {
        "seq": past.seq,
        "at": iso(past.at),
        "kind": past.kind,
        "version": past.version,
        "same": same,
        "recorded_sha256": digest,
        "now_sha256": None if now is None else sha256_hex(now),
        "recorded": stored,  # the text is kept of an order's last verdict, of the others the digest
        "now": now,
        "note": problem,
    }


def _stored(settings: Settings, order_id: str) -> str | None:
    with database_of(settings).looked_at() as link:
        order = SqlTx(link.cursor()).order(OrderId(order_id))
    return None if order is None else order.decision_json


@contextlib.contextmanager
def _log(settings: Settings) -> Iterator[Log]:
    database = database_of(settings)
    if database.is_unused():
        raise NotFound(f"there is nothing in {database.name}", fix="start `ordergate up` once")
    try:
        with open_log(database) as log:
            yield log
    except Unreadable as error:
        raise DataUnavailable(f"the record cannot be read: {error}") from error


def _policy(path: Path) -> Limits:
    """Read a limits file that is not in force: it may lie anywhere and be readable by anyone."""
    try:
        with path.open("rb") as file:
            text = file.read(FILE_BYTES_MAX).decode("utf-8")
        return policy_of(tomllib.loads(text, parse_float=Decimal), path.name, {})
    except OSError as error:
        raise InvalidArgument(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:  # no UTF-8, no TOML, or BadLimits
        raise SettingsRefused([f"{path.name}: {error}"]) from None


def _moment(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidArgument(f"{option} {text[:40]} is no date", fix="2026-11-01") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _outcome(decision: Decision) -> tuple[Verb, str]:
    return decision.verb, "" if decision.failed is None else decision.failed.rule


def _row(found: Replayed) -> dict[str, object]:
    failed = found.now.failed or found.then.failed
    number = None if failed is None else failed.value
    limit = None if failed is None else failed.limit
    return {
        "at": iso(found.sealed.at),
        "order_id": found.sealed.order_id,
        "principal": found.facts.principal,
        "order": _terms(found.sealed.intent),
        "then": _said(found.then),
        "now": _said(found.now),
        "value": None if number is None else plain(number),
        "limit": None if limit is None else plain(limit),
        "unit": "" if failed is None else failed.unit,
        "source": "" if failed is None else failed.source,
    }


def _said(decision: Decision) -> str:
    rule = "" if decision.failed is None else f" ({decision.failed.rule})"
    return f"{decision.verb}{rule}"


def _terms(intent: Intent) -> str:
    size = [getattr(intent, name, None) for name in ("side", "quantity")]
    told = [plain(part) if isinstance(part, Decimal) else part for part in size]
    parts = (intent.action, *told, intent.symbol)
    return " ".join(str(part) for part in parts if part is not None)
