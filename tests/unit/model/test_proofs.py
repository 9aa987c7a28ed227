from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ordergate.model.proofs import Method, Proof

AT = datetime(2026, 1, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("method", "over", "stands"),
    [
        (Method.PASSKEY, "ab", True),
        (Method.PASSKEY, "cd", False),
        (Method.PASSKEY, None, False),
        (Method.TOTP, "ab", False),
        (Method.PASSWORD, "ab", False),
    ],
)
def test_only_a_passkeys_assertion_over_the_hash_is_one(
    method: Method, over: str | None, stands: bool
) -> None:
    assert Proof(method=method, at=AT, over=over).is_over("ab") is stands
