"""The tests of real money bite: break a safeguard of it, and the test that guards it fails."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from integration.order import test_live as live
from ordergate.model.proofs import Method, Proof
from ordergate.order import gateway
from ordergate.order.arming import Armings
from ordergate.order.dispatch import send
from ordergate.order.dispatch.look import Look
from ordergate.order.lapse import Lapse
from ordergate.order.policy import decision, tightenings
from ordergate.order.policy.rules import live as rules
from ordergate.order.policy.rules import standing
from ordergate.order.policy.rules.checklist import RULES, Rule, Say
from ordergate.settings import load as settings
from support.live import prove_live
from unit import test_settings

Patch = pytest.MonkeyPatch
CAUGHT = (AssertionError, pytest.fail.Exception)


def _with(control: object, **changes: Any) -> tuple[Rule, ...]:
    return tuple(
        dataclasses.replace(rule, **changes) if rule.control is control else rule for rule in RULES
    )


def arming_not_asked_for(patch: Patch) -> None:
    passing = _with(standing.ARMED, check=lambda *_: standing.ARMED.passes())
    patch.setattr(decision, "RULES", passing)


def exits_ask_for_the_arming(patch: Patch) -> None:
    trapping = _with(standing.ARMED, tighten=Say.REFUSE, close=Say.REFUSE, cancel=Say.REFUSE)
    patch.setattr(decision, "RULES", trapping)


def every_token_opens(patch: Patch) -> None:
    patch.setattr(decision, "RULES", _with(rules.GRANT, check=lambda *_: rules.GRANT.passes()))


def any_proof_is_a_signature(patch: Patch) -> None:
    patch.setattr(Proof, "is_over", lambda *_: True)


def a_passkey_over_anything(patch: Patch) -> None:
    patch.setattr(Proof, "is_over", lambda proof, _: proof.method is Method.PASSKEY)


def a_restart_that_forgets_nothing(patch: Patch) -> None:
    async def nothing(_: Lapse) -> None:
        return None

    patch.setattr(Lapse, "after_restart", nothing)


def an_arming_without_an_end(patch: Patch) -> None:
    patch.setattr(
        Armings,
        "current",
        lambda self, account, venue: self._held.get((account, venue)),
    )


def paper_limits_on_live(patch: Patch) -> None:
    patch.setattr(tightenings, "on_live", lambda limits: limits)


def an_operators_order_is_its_own_yes(patch: Patch) -> None:
    patch.setattr(Look, "live", property(lambda _: False))


def positions_are_everybodys(patch: Patch) -> None:
    patch.setattr(gateway, "require_own", lambda *_: None)


def one_life_for_every_ask(patch: Patch) -> None:
    patch.setattr(send, "ask_life_s", lambda *_, **__: 300)


def half_a_switch_is_enough(patch: Patch) -> None:
    sound = settings.read_switches

    def lax(*places: Any, paper_only: bool) -> Any:
        told = sound(*places, paper_only=paper_only)
        return dataclasses.replace(told, on=True)

    patch.setattr(settings, "read_switches", lax)


def stricter_limits(folder: Path) -> None:
    changes = {"quantity": Decimal("0.90"), "stop_loss": Decimal("1.0790")}
    name = "limits.risk_per_trade_fraction"
    live.test_live_starts_from_stricter_limits(folder, live.LIMITS, changes, name)


def the_time_box(folder: Path) -> None:
    live.test_an_arming_ends_and_exits_go_on(folder, "time")


def a_stranger(folder: Path) -> None:
    live.test_what_others_opened_is_closed_and_changed_by_grant_alone(folder, live.STRANGER)


def both_switches(folder: Path) -> None:
    test_settings.test_live_is_off_until_both_switches_are_on(test_settings.Home(folder))


TEETH: Sequence[tuple[Callable[[Patch], None], Callable[[Path], None]]] = (
    (arming_not_asked_for, live.test_unarmed_nothing_opens),
    (exits_ask_for_the_arming, the_time_box),
    (every_token_opens, live.test_a_token_without_the_grant_opens_nothing_and_exits_all_the_same),
    (
        any_proof_is_a_signature,
        live.test_armed_every_opening_waits_for_a_signature_over_its_own_hash,
    ),
    (a_passkey_over_anything, live.test_only_a_passkey_over_a_fresh_offer_arms),
    (a_restart_that_forgets_nothing, live.test_a_restart_disarms_and_voids_every_open_ask),
    (an_arming_without_an_end, the_time_box),
    (paper_limits_on_live, stricter_limits),
    (
        an_operators_order_is_its_own_yes,
        live.test_an_operators_own_order_waits_for_their_own_signature,
    ),
    (positions_are_everybodys, a_stranger),
    (one_life_for_every_ask, live.test_asks_wait_by_the_kind_of_order),
    (half_a_switch_is_enough, both_switches),
)


@pytest.mark.parametrize(("break_it", "guard"), TEETH, ids=[broken.__name__ for broken, _ in TEETH])
def test_a_broken_safeguard_fails_its_test(
    tmp_path: Path,
    monkeypatch: Patch,
    break_it: Callable[[Patch], None],
    guard: Callable[[Path], None],
) -> None:
    prove_live(monkeypatch)
    sound, broken = tmp_path / "sound", tmp_path / "broken"
    sound.mkdir()
    broken.mkdir()
    guard(sound)
    break_it(monkeypatch)
    with pytest.raises(CAUGHT):
        guard(broken)
