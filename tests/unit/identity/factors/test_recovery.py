"""Recovery codes: ten different ones, compared by a digest that needs the pepper."""

from __future__ import annotations

import hashlib
import re

import pytest

from ordergate.identity.factors.recovery import RANDOM_BYTES, digest, is_code, new_codes

RANDOM = hashlib.shake_256(b"codes").digest(RANDOM_BYTES)


def test_ten_codes_of_sixteen_letters() -> None:
    codes = new_codes(RANDOM)
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"([A-Z2-7]{4}-){3}[A-Z2-7]{4}", code) for code in codes)
    assert all(is_code(code) for code in codes)
    with pytest.raises(ValueError, match="random bytes"):
        new_codes(RANDOM[1:])


def test_a_code_may_be_typed_in_any_case_and_spacing() -> None:
    code = new_codes(RANDOM)[0]
    for typed in (code.lower(), code.replace("-", ""), code.replace("-", " "), f" {code} "):
        assert is_code(typed)
        assert digest(typed, pepper=b"p") == digest(code, pepper=b"p")


@pytest.mark.parametrize("text", ["", "123456", "ABCD-EFGH-JKLM", "ABCD-EFGH-JKLM-NPQ1", "A" * 17])
def test_what_is_no_recovery_code_is_seen_to_be_none(text: str) -> None:
    assert not is_code(text)


def test_the_digest_depends_on_the_pepper_and_on_every_letter() -> None:
    first, second = new_codes(RANDOM)[:2]
    assert digest(first, pepper=b"p") != digest(first, pepper=b"q")
    assert digest(first, pepper=b"p") != digest(second, pepper=b"p")
