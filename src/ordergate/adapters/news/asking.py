"""One bounded question to a news provider, and what its answer's times and hosts say."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

from ordergate.adapters.reach import Answer, Reach, Unreachable, fetch
from ordergate.model.errors import DataUnavailable

BYTES_MAX: Final = 1_000_000
DEADLINE_S: Final = 8.0
# What a provider's status means; none of its own words are repeated, and no key.
_STATUS: Final = {
    400: "it refuses the question",
    401: "it does not take the key",
    403: "the plan of the key does not allow it",
    426: "the plan of the key does not allow it",
    429: "its limit of questions is used up",
    432: "the plan's limit is used up",
    433: "the pay-as-you-go limit is used up",
}


async def ask(
    reach: Reach,
    method: str,
    url: str,
    *,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> bytes:
    """Return the body of a good answer; raise DataUnavailable for everything else."""
    try:
        answer: Answer = await fetch(reach, method, url, body=body, headers=headers, most=BYTES_MAX)
    except Unreachable as error:
        raise DataUnavailable(str(error)) from None
    if not 200 <= answer.status < 300:
        raise DataUnavailable(_STATUS.get(answer.status, f"it answers {answer.status}"))
    return answer.body


def rows(body: bytes, name: str) -> list[dict[str, Any]]:
    """Return the objects under `name` of a JSON object, or of a bare list where name is empty."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        raise DataUnavailable("its answer is no JSON") from None
    found = read if not name else read.get(name) if isinstance(read, dict) else None
    if not isinstance(found, list):
        raise DataUnavailable("its answer has another form than it promises")
    return [row for row in found if isinstance(row, dict)]


def words(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""


def moment(text: str) -> datetime | None:
    """Read a time as ISO 8601 or as mail writes it; None for what is neither."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            at = read(text)
        except (TypeError, ValueError, IndexError, OverflowError):
            continue
        try:
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        except (OverflowError, ValueError):
            return None
    return None


def host_of(url: str) -> str:
    """Return the host of an article's address, fit to be shown; "" where it has none."""
    try:
        name = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return name[:100] if name.isascii() and name.replace(".", "").replace("-", "").isalnum() else ""
