"""Exits under fault, the size that every change is tried with; `make chaos` plays 10,000."""

from __future__ import annotations

import dataclasses
import itertools
import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chaos import venue_books
from chaos.episode import Tally
from chaos.exit_episodes import make_template, missing, play_all
from chaos.plain_exchange import is_plain
from ordergate.model.outcomes import Outcome
from ordergate.order.dispatch.send import Claim, Send
from ordergate.order.exits import plan
from ordergate.order.guarding import Guarding
from ordergate.order.policy.rules import lanes, market, standing
from support.broken_gate import exits_refused_by

EPISODES = int(os.environ.get("ORDERGATE_EXIT_EPISODES", "60"))
PLAIN_MAX = 60  # more at plain exchanges, until both legs of a bracket were filled
BROKEN_MAX = 150  # episodes within which a broken exit lane must be seen

Patch = pytest.MonkeyPatch


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("template"))


@pytest.mark.slow
def test_every_exit_reaches_the_venue(template: Path) -> None:
    first = secrets.randbelow(2**31)
    after = first + EPISODES
    total = play_all(range(first, after), template)
    more = filter(is_plain, itertools.count(after))
    for seed in itertools.islice(more, PLAIN_MAX):
        if total.double_fills:
            break
        total.add(play_all([seed], template))
    assert not total.failures, "\n".join(total.failures)
    assert total.episodes == sum(total.asks.values()) >= EPISODES
    assert not missing(total)
    assert total.double_fills


def test_a_run_without_a_double_fill_or_with_late_stops_proves_nothing() -> None:
    seen = Tally(plain=100, double_fills=3, naked=[0.1] * 100)
    assert not missing(seen)
    assert missing(dataclasses.replace(seen, double_fills=0))
    assert missing(dataclasses.replace(seen, naked=[]))
    assert missing(dataclasses.replace(seen, naked=[0.1] * 97 + [2.1] * 3))


def stripping_called_tightening(patch: Patch) -> None:
    patch.setattr(lanes, "_farther", lambda *_, **__: False)


def halts_read_before_every_byte(patch: Patch) -> None:
    sound = Send._once

    async def stopped(self: Send, claim: Claim) -> Outcome:
        assert claim.attempt is not None
        as_opening = dataclasses.replace(claim.attempt, opening=True)
        return await sound(self, dataclasses.replace(claim, attempt=as_opening))

    patch.setattr(Send, "_once", stopped)


BROKEN: dict[str, Callable[[Patch], None]] = {
    "the exit lane consults the kill switch": exits_refused_by(standing.KILL),
    "the exit lane consults the halts": exits_refused_by(standing.HALTS),
    "the exit lane consults the arming": exits_refused_by(standing.ARMED),
    "the exit lane consults the quote age": exits_refused_by(market.QUOTE),
    "the exit lane consults the calendar": exits_refused_by(market.SESSION),
    "the exit lane consults the deny-list": exits_refused_by(standing.SYMBOLS),
    "the wire consults the kill switch for exits": halts_read_before_every_byte,
    "a stop taken away is a tightening": stripping_called_tightening,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_exit_lane_is_seen(template: Path, monkeypatch: Patch, name: str) -> None:
    BROKEN[name](monkeypatch)
    total = Tally()
    for seed in range(0, BROKEN_MAX, 10):
        total.add(play_all(range(seed, seed + 10), template))
        if total.failures:
            return
    pytest.fail(f"{name}: {BROKEN_MAX} episodes did not see it")


def excess_left_open(patch: Patch) -> None:
    async def nothing(*_: object) -> None:
        return None

    patch.setattr(Guarding, "_close_excess", nothing)


def a_stop_cancelled_like_any_order(patch: Patch) -> None:
    patch.setattr(lanes, "_cancels_an_opening", lambda _: True)


def stops_too_large_left_at_rest(patch: Patch) -> None:
    patch.setattr(plan, "_trimmed", lambda *_, **__: None)


BROKEN_PLAIN: dict[str, Callable[[Patch], None]] = {
    "what a second leg has opened is not closed": excess_left_open,
    "a stop goes by the name of a cancel": a_stop_cancelled_like_any_order,
    "stops stay larger than what is held": stops_too_large_left_at_rest,
}


@pytest.mark.parametrize("name", BROKEN_PLAIN)
def test_a_broken_exit_at_a_plain_exchange_is_seen(
    template: Path, monkeypatch: Patch, name: str
) -> None:
    BROKEN_PLAIN[name](monkeypatch)
    for seed in filter(is_plain, range(3 * BROKEN_MAX)):
        if play_all([seed], template).failures:
            return
    pytest.fail(f"{name}: {3 * BROKEN_MAX} episodes did not see it")


def test_the_venues_file_tells_too_much_taken(template: Path, tmp_path: Path) -> None:
    """The oracle bites: books in which a close took more than was held are called so."""
    file = tmp_path / "paper.db"
    shutil.copy(template / "paper.db", file)
    with sqlite3.connect(file) as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(fills)")]

        def fill(**values: Any) -> None:
            row = dict.fromkeys(columns, 0) | {"tag": "", "symbol": "EURUSD"} | values
            names = ", ".join(row)
            db.execute(
                f"INSERT INTO fills ({names}) VALUES ({', '.join('?' * len(row))})",
                tuple(row.values()),
            )

        fill(number=1, position=7, side=1, steps=10, effect="opening", venue_order_id="O1")
        fill(number=2, position=7, side=-1, steps=11, effect="closing", venue_order_id="O2")
    assert venue_books.overclosed(file) == ["fill 2 takes more than position 7 holds"]
