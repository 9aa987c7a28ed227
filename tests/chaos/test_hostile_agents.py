"""Hostile agents, the size of every change; `make redteam` plays 200 episodes.

The oracle bites: a gateway with one safeguard broken is seen to let something escape.
"""

from __future__ import annotations

import os
import secrets

import pytest

from chaos.hostile_agents import play

EPISODES = int(os.environ.get("ORDERGATE_HOSTILE_EPISODES", "4"))
TRIES = 3  # episodes within which a broken safeguard must be seen

# The broken variants of support/broken_launcher.py, and the attack that finds each.
FOUND_BY = {
    "stop_not_required": "strip_stop",
    "no_yes_needed": "changed_order",
    "switch_not_asked": "kill_race",
    "stripping_called_tightening": "strip_stop",
    "nothing_reserved": "order_splitting",
    "keys_forgotten": "id_reuse",
    "a_yes_to_anything": "cross_ticket",
    "a_cookie_is_enough": "stolen_cookie",
    "every_kind_may_everything": "token_confusion",
    "revoked_tokens_good": "token_confusion",
    "any_host": "rebinding",
}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nothing_escapes() -> None:
    seed = secrets.randbelow(2**31)
    print(f"seed {seed}")
    tally = play(range(EPISODES), seed)
    assert not tally.failures, "\n".join(tally.failures)
    assert tally.episodes == EPISODES


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize(("broken", "found_by"), FOUND_BY.items(), ids=list(FOUND_BY))
def test_a_broken_safeguard_is_seen(broken: str, found_by: str) -> None:
    tally = play(range(TRIES), 1, only=found_by, broken=broken, stop=True)
    assert tally.failures, f"{broken}: {TRIES} episodes of {found_by} did not see it"
    print(tally.failures[0])
