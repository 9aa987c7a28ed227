"""What a venue adapter may raise: a definitive no, or the proof that nothing left."""

from __future__ import annotations

from ordergate.model.outcomes import NeverSent, VenueRefusal


def test_a_refusal_says_its_code_and_is_a_requote_only_when_said() -> None:
    refusal = VenueRefusal("10004", "price changed", requote=True)
    assert (refusal.code, refusal.reason, refusal.requote) == ("10004", "price changed", True)
    assert str(refusal) == "10004: price changed"
    assert VenueRefusal("10018", "market closed").requote is False


def test_a_refusal_is_never_taken_for_a_request_that_did_not_leave() -> None:
    assert not issubclass(VenueRefusal, NeverSent)
    assert not issubclass(NeverSent, VenueRefusal)
