"""The whole book's limits, one cent to either side; what is not known refuses an opening order."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ordergate.model.accounts import AccountIdentity, Elsewhere, Mode, Position, VenueSnapshot
from ordergate.model.errors import Code
from ordergate.model.orders import Side
from ordergate.model.values import AccountId, PositionId
from ordergate.model.verdicts import Finding, Verb
from support.judging import (
    VENUE,
    Court,
    D,
    baseline,
    close,
    halt,
    modify,
    place,
    position,
    state,
)

SECOND = AccountId("paper-2")
# 0.10 EURUSD at the ask plus the collar, as a buy may come to be worth at worst.
WORST = D("10000") * D("1.08510") * D("1.005")


def elsewhere(*positions: Position, **terms: object) -> Elsewhere:
    snapshot = VenueSnapshot(
        identity=AccountIdentity(SECOND, VENUE, Mode.PAPER, "embedded"),
        account=state(**{"equity": D(100_000), "margin_free": D(100_000), **terms}),
        positions=positions,
        open_orders=(),
        venue_time=state().time,
    )
    return Elsewhere(account=SECOND, venue=VENUE, snapshot=snapshot)


def worth_usd(amount: Decimal, **terms: object) -> Position:
    """Return a position elsewhere that is worth so many USD: one lot at amount / 100,000."""
    return position(quantity=D(1), current_price=amount / 100_000, **terms)


def court(*others: Elsewhere, **limits: Decimal) -> Court:
    found = Court(others=others)
    return found.limit(**limits) if limits else found


@pytest.mark.parametrize(
    ("cent", "finding"), [("-0.01", "pass"), ("0", "pass"), ("0.01", "refuse")]
)
@pytest.mark.parametrize(
    ("rule", "limit"),
    [
        ("book_position_size", "book_position_notional_fraction"),
        ("book_gross_exposure", "book_gross_exposure_fraction"),
        ("book_net_exposure", "book_net_exposure_fraction"),
    ],
)
def test_the_other_accounts_count_up_to_the_cent(
    rule: str, limit: str, cent: str, finding: str
) -> None:
    """One times the book's equity of 200,000 USD, the order and what is held elsewhere added."""
    held = worth_usd(D(200_000) - WORST + D(cent))
    verdict = court(elsewhere(held), **{limit: D(1)}).verdict(rule, place())
    assert verdict.finding is Finding(finding)
    assert verdict.limit == D(200_000)
    assert verdict.limit_name == f"limits.{limit}"
    assert verdict.unit == "USD"
    if finding == "refuse":
        assert verdict.code is Code.EXCEEDS_LOCAL_LIMIT
        assert "lots fit under this limit" in verdict.fix


def test_what_one_account_may_the_book_may_not() -> None:
    """995,000 USD elsewhere, 5 x 200,000 allowed: the account alone would see nothing of it."""
    judged = court(elsewhere(worth_usd(D(995_000), side=Side.SELL))).judge(place())
    failed = judged.decision.failed
    assert failed is not None
    assert failed.rule == "book_gross_exposure"


def test_a_long_elsewhere_is_set_off_against_a_short_in_the_net_alone() -> None:
    found = court(
        elsewhere(worth_usd(D(150_000), side=Side.SELL)),
        book_net_exposure_fraction=D("0.1"),
        book_gross_exposure_fraction=D(1),
    )
    assert found.verdict("book_net_exposure", place()).finding is Finding.PASS
    assert found.verdict("book_gross_exposure", place()).finding is Finding.PASS
    short = place(side=Side.SELL, stop_loss=D("1.09"))
    assert found.verdict("book_net_exposure", short).finding is Finding.REFUSE


@pytest.mark.parametrize(
    ("equity", "finding"), [("96000.01", "pass"), ("96000", "refuse"), ("95999.99", "refuse")]
)
def test_the_books_day_ends_at_its_share_of_all_accounts(equity: str, finding: str) -> None:
    """2 % of 200,000 USD; the judged account itself has lost nothing."""
    found = court(elsewhere(equity=D(equity)))
    found.measured_from(baseline(), baseline(account=SECOND, last=D(equity)))
    verdict = found.verdict("book_daily_loss", place())
    assert verdict.finding is Finding(finding)
    assert not verdict.halts  # the watch halts; a judgement alone may rest on a payment half seen


def test_the_book_is_counted_in_its_own_currency() -> None:
    found = court(elsewhere())
    found.terms = type(found.terms)(currency="EUR")
    found.__post_init__()
    verdict = found.verdict("book_gross_exposure", place())
    assert verdict.unit == "EUR"
    assert verdict.value is not None
    # 0.10 lot is 10,000 EUR at mid; at worst it is bought at the ask plus half a percent.
    assert D(10_050) < verdict.value < D(10_051)


def test_an_account_that_cannot_be_read_refuses_openings_and_lets_exits_pass() -> None:
    unread = Elsewhere(account=SECOND, venue=VENUE, snapshot=None)
    found = Court(others=(unread,), positions=(position(),))
    failed = found.judge(place()).decision.failed
    assert failed is not None
    assert (failed.rule, failed.code) == ("book_position_size", Code.DATA_UNAVAILABLE)
    assert "paper-2" in failed.message
    found.halted(halt())
    for intent in (close(), modify(position_id=PositionId("p1"), stop_loss=D("1.081"))):
        assert found.judge(intent).decision.verb is Verb.ALLOW


def test_every_rule_of_the_book_lacks_what_an_unread_account_holds() -> None:
    found = court(Elsewhere(account=SECOND, venue=VENUE, snapshot=None))
    for rule in (
        "book_position_size",
        "book_gross_exposure",
        "book_net_exposure",
        "book_daily_loss",
    ):
        verdict = found.verdict(rule, place())
        assert (verdict.finding, verdict.code) == (Finding.REFUSE, Code.DATA_UNAVAILABLE)
