from __future__ import annotations

import string
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordergate.identity.tokens import (
    MalformedToken,
    carried_by,
    digest,
    grants_of,
    matches,
    mint,
    name_fault,
    parse,
    write,
)
from ordergate.model.principals import Grant, Kind
from ordergate.model.records import TokenRecord
from ordergate.model.values import PrincipalId

TOKEN = mint(Kind.AGENT, token_id=b"\x0a\x0b\x0c\x0d", secret=bytes(range(32)))
TEXT = write(TOKEN)
LETTERS = string.ascii_letters + string.digits + "_-"


def test_the_form_is_kind_id_secret_and_checksum() -> None:
    assert TEXT.startswith("og_ag_0a0b0c0d_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8_")
    assert len(TEXT) == 65


@given(
    st.sampled_from([Kind.AGENT, Kind.READ_ONLY]),
    st.binary(min_size=4, max_size=4),
    st.binary(min_size=32, max_size=32),
)
def test_what_is_written_is_read_back(kind: Kind, token_id: bytes, secret: bytes) -> None:
    token = mint(kind, token_id=token_id, secret=secret)
    assert parse(write(token)) == token


@given(st.integers(0, len(TEXT) - 1), st.sampled_from(LETTERS))
def test_one_mistyped_letter_is_refused(at: int, letter: str) -> None:
    mistyped = TEXT[:at] + letter + TEXT[at + 1 :]
    if mistyped != TEXT:
        with pytest.raises(MalformedToken):
            parse(mistyped)


@pytest.mark.parametrize(
    "text", ["", "og_", TEXT + "\n", " " + TEXT, TEXT[:-1], TEXT + "A", TEXT.upper(), "Bearer x"]
)
def test_other_text_is_no_token(text: str) -> None:
    with pytest.raises(MalformedToken):
        parse(text)


def test_there_is_no_form_for_an_operator_or_the_gateway() -> None:
    assert [kind for kind in Kind if carried_by(kind)] == [Kind.AGENT, Kind.READ_ONLY]
    with pytest.raises(MalformedToken):
        parse(TEXT.replace("og_ag_", "og_op_"))


def test_the_digest_depends_on_secret_and_pepper_and_gives_neither_away() -> None:
    stored = digest(TOKEN.secret, pepper=b"p")
    assert len(stored) == 64
    assert TOKEN.secret not in stored
    assert matches(TOKEN.secret, stored, pepper=b"p")
    assert not matches(TOKEN.secret, stored, pepper=b"q")
    assert not matches(TOKEN.secret + "x", stored, pepper=b"p")


def test_the_secret_is_not_in_the_repr() -> None:
    assert TOKEN.secret not in repr(TOKEN)


@pytest.mark.parametrize("sizes", [(3, 32), (4, 31), (4, 0)])
def test_a_token_is_never_made_of_too_little_chance(sizes: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="random bytes"):
        mint(Kind.AGENT, token_id=bytes(sizes[0]), secret=bytes(sizes[1]))


@pytest.mark.parametrize("name", ["local-agent", "a1", "x" * 32])
def test_a_plain_name_is_taken(name: str) -> None:
    assert name_fault(name) is None


@pytest.mark.parametrize(
    "name",
    ["", "a", "A1", "1a", "-a", "x" * 33, "a b", "a\n", "operator:me", "gateway", "operator"],
)
def test_a_name_that_could_pass_for_another_principal_is_refused(name: str) -> None:
    assert name_fault(name)


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("others", [False, True])
def test_a_token_holds_what_its_row_says(*, live: bool, others: bool) -> None:
    at = datetime(2026, 1, 7, tzinfo=UTC)
    record = TokenRecord(
        token_id="0a0b0c0d",
        principal=PrincipalId("bot"),
        kind=Kind.AGENT,
        name="bot",
        digest="d",
        created_at=at,
        expires_at=at,
        live=live,
        others=others,
    )
    assert (Grant.LIVE in grants_of(record), Grant.OTHERS in grants_of(record)) == (live, others)
