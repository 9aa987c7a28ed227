"""Every error carries a code of the closed list, and says whether to retry or to fetch a human."""

from __future__ import annotations

import pytest

from ordergate.model import errors
from ordergate.model.errors import Code, GateError, Refused

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, GateError) and kind not in (GateError, Refused)
]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_keeps_what_it_was_given(kind: type[GateError]) -> None:
    details = {"limit": "1"}
    error = kind("why", fix="what to do", details=details)
    details["limit"] = "2"
    assert (error.message, error.fix, error.details) == ("why", "what to do", {"limit": "1"})
    assert str(error) == "why"
    assert error.code in Code


def test_a_refusal_has_a_code_of_its_own() -> None:
    error = Refused(Code.EXCEEDS_POSITION, "why", fix="what to do", details={"limit": "1"})
    assert (error.refusal, error.message, error.fix) == (
        Code.EXCEEDS_POSITION,
        "why",
        "what to do",
    )
    assert error.details == {"limit": "1"}


def test_no_two_kinds_share_a_code() -> None:
    codes = [kind.code for kind in KINDS]
    assert len(set(codes)) == len(codes)


def test_a_code_is_its_own_name() -> None:
    assert all(code.name == code.value for code in Code)


def test_what_a_human_must_do_is_never_to_be_retried() -> None:
    assert not [kind for kind in KINDS if kind.retryable and kind.requires_human]
