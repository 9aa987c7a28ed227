"""Codes as RFC 6238 has them, believed one step either way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from ordergate.identity.factors.totp import code_of, is_code, new_seed, step_at, step_shown, uri

SEED = new_seed(b"12345678901234567890")  # the seed of RFC 6238, appendix B
NOW = datetime(2026, 1, 7, 14, 0, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_the_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert code_of(SEED, step_at(at)) == code
    assert step_shown(SEED, code, now=at) == step_at(at)


@pytest.mark.parametrize(
    ("off", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_a_clock_may_be_one_step_off(off: int, good: bool) -> None:
    step = step_at(NOW) + off
    assert step_shown(SEED, code_of(SEED, step), now=NOW) == (step if good else None)


def test_a_step_ends_with_its_thirty_seconds() -> None:
    code = code_of(SEED, step_at(NOW))
    assert step_shown(SEED, code, now=NOW + timedelta(seconds=44)) is not None
    assert step_shown(SEED, code, now=NOW + timedelta(seconds=45)) is None


@pytest.mark.parametrize("text", ["12345", "1234567", "12345a", "", "١٢٣٤٥٦", "-12345"])
def test_what_is_no_code_is_seen_to_be_none(text: str) -> None:
    assert not is_code(text)
    assert step_shown(SEED, text, now=NOW) is None


def test_spaces_are_a_persons() -> None:
    code = code_of(SEED, step_at(NOW))
    spaced = f" {code[:3]} {code[3:]} "
    assert is_code(spaced)
    assert step_shown(SEED, spaced, now=NOW) == step_at(NOW)


def test_the_address_carries_the_seed_and_whose_it_is() -> None:
    parts = urlsplit(uri(SEED, name="alice"))
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert parse_qs(parts.query) == {"secret": [SEED], "issuer": ["ordergate"]}
    with pytest.raises(ValueError, match="20 random bytes"):
        new_seed(b"short")
