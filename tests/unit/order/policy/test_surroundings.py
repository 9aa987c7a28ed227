from __future__ import annotations

import pytest

from ordergate.order.policy import surroundings
from ordergate.order.policy.surroundings import version_identity


def test_the_identity_is_of_protocol_and_policy_both(monkeypatch: pytest.MonkeyPatch) -> None:
    before = version_identity("policy")
    assert before == version_identity("policy")
    assert before != version_identity("another policy")
    monkeypatch.setattr(surroundings, "PROTOCOL", "another protocol")
    assert before != version_identity("policy")
