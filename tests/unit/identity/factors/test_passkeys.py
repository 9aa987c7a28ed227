"""What a passkey's answer proves, and every way in which it proves nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ordergate.identity.factors.passkeys import (
    NotProven,
    Site,
    asserted,
    assertion_options,
    credential_of,
    name_fault,
    registered,
    registration_options,
    short_id,
    site_of,
)
from support.soft_passkey import PRESENT, SoftPasskey, b64, raw

ORIGIN = "http://ordergate.localhost:8030"
SITE = site_of(ORIGIN)
CHALLENGE = b"c" * 32


def passkey() -> SoftPasskey:
    return SoftPasskey(ORIGIN)


def made(key: SoftPasskey, **claims: Any) -> Any:
    options = registration_options(
        SITE, principal="operator:alice", name="alice", known=(), challenge=CHALLENGE
    )
    return registered(SITE, key.create(options, **claims), challenge=CHALLENGE)


def checked(key: SoftPasskey, *, count: int = 0, **claims: Any) -> int:
    new = made(key)
    options = assertion_options(SITE, known=[new.credential_id], challenge=CHALLENGE)
    answer = key.get(options, **claims)
    return asserted(SITE, answer, challenge=CHALLENGE, public_key=new.public_key, sign_count=count)


def test_the_name_is_the_consoles_own_or_the_one_a_phone_reaches_it_by() -> None:
    assert Site("ordergate.localhost", (ORIGIN,)) == SITE
    public = "https://gate.example.net"
    assert site_of(ORIGIN, public) == Site("gate.example.net", (public, ORIGIN))


def test_the_user_must_be_verified_and_the_key_must_stay_on_the_device() -> None:
    options = registration_options(
        SITE, principal="operator:alice", name="alice", known=[b64(b"known")], challenge=CHALLENGE
    )
    assert options["rp"]["id"] == "ordergate.localhost"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert [one["id"] for one in options["excludeCredentials"]] == [b64(b"known")]
    assert raw(options["challenge"]) == CHALLENGE
    asked = assertion_options(SITE, known=[b64(b"known")], challenge=CHALLENGE)
    assert asked["userVerification"] == "required"
    assert asked["rpId"] == "ordergate.localhost"


def test_an_answer_to_exactly_this_is_a_proof_and_its_count_goes_up() -> None:
    assert checked(passkey()) == 1


WRONG = [
    {"origin": "http://ordergate.localhost:8031"},
    {"origin": "https://ordergate.localhost:8030"},
    {"origin": "http://ordergate.localhost"},
    {"origin": "http://evil.example"},
    {"rp_id": "localhost"},
    {"rp_id": "evil.example"},
    {"flags": PRESENT},
    {"flags": 0x04},
]


@pytest.mark.parametrize("claims", WRONG, ids=str)
def test_another_site_or_a_user_not_verified_proves_nothing(claims: dict[str, Any]) -> None:
    with pytest.raises(NotProven):
        made(passkey(), **claims)
    with pytest.raises(NotProven):
        checked(passkey(), **claims)


@pytest.mark.parametrize(("claimed", "known"), [(5, 5), (4, 5), (0, 1)])
def test_a_count_that_does_not_rise_is_a_copy(claimed: int, known: int) -> None:
    key = passkey()
    new = made(key)
    answer = key.get(assertion_options(SITE, known=(), challenge=CHALLENGE), count=claimed)
    with pytest.raises(NotProven, match="sign count"):
        asserted(SITE, answer, challenge=CHALLENGE, public_key=new.public_key, sign_count=known)


def test_another_challenge_key_or_signature_proves_nothing() -> None:
    key = passkey()
    new = made(key)
    options = assertion_options(SITE, known=[], challenge=b"d" * 32)
    proof = {"public_key": new.public_key, "sign_count": 0}
    with pytest.raises(NotProven, match="challenge"):
        asserted(SITE, key.get(options), challenge=CHALLENGE, **proof)
    said = json.loads(key.get(assertion_options(SITE, known=[], challenge=CHALLENGE)))
    signature = bytearray(raw(said["response"]["signature"]))
    signature[-1] ^= 1
    said["response"]["signature"] = b64(bytes(signature))
    with pytest.raises(NotProven):
        asserted(SITE, json.dumps(said), challenge=CHALLENGE, **proof)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        "5",
        "[" * 5000,
        '{"id": "a", "response": {"clientDataJSON": "%%"}}',
        '{"id": 5, "response": {"clientDataJSON": "e30"}}',
        '{"response": []}',
    ],
)
def test_what_no_passkey_said_is_refused_without_a_crash(text: str) -> None:
    with pytest.raises(NotProven):
        credential_of(text)
    with pytest.raises(NotProven):
        registered(SITE, text, challenge=CHALLENGE)
    with pytest.raises(NotProven):
        asserted(SITE, text, challenge=CHALLENGE, public_key="AA", sign_count=0)


def test_a_passkey_is_named_and_listed_shortly() -> None:
    assert name_fault("Ann's phone") is None
    for bad in ("", "  ", "x" * 61, "a\nb", "\u202eevil"):
        assert name_fault(bad)
    assert len(short_id("A" * 400)) == 16
